"""When a service that should run does not."""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import ClassVar

from groundskeeper.model import Cause, Fact, Finding, Severity, Snapshot, Value
from groundskeeper.subsystems.systemd.types import UnitState


class ServiceDown(Value, tag=False, forbid_unknown_fields=True):
    """A service that is meant to run all the time ended, and nobody asked for that.

    Not found: a service that somebody stopped (unless `keep` names it), one that is masked, one that systemd itself is
    about to start again.
    """

    keep: tuple[str, ...] = ()
    """Globs of units that must run whatever their settings say, and even where a person stopped them."""
    ignore: tuple[str, ...] = ()
    """Globs of units that may be down."""

    name: ClassVar[str] = "service_down"
    watches: ClassVar[tuple[type[Fact], ...]] = (UnitState,)
    causes: ClassVar[tuple[Cause, ...]] = (Cause(rule="service_crash_looping", same_subject=True),)

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, state in snapshot.of(UnitState):
            if state.down and self._meant_to_run(state):
                yield Finding(
                    rule=self.name,
                    device=seen.device,
                    subject=state.unit,
                    severity=Severity.CRITICAL,
                    reason=_reason(state),
                    evidence=(seen,),
                )

    def _meant_to_run(self, state: UnitState) -> bool:
        if state.load == "masked" or _among(state.unit, self.ignore):
            return False
        return _among(state.unit, self.keep) or (state.wanted and not state.stopped_by_request)


def _among(unit: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(unit, glob) for glob in globs)


def _reason(state: UnitState) -> str:
    how = "it was stopped, but policy keeps it running" if state.stopped_by_request else state.ending
    return f"{state.unit} is not running" + (f": {how}" if how else "")
