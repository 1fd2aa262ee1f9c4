"""When the clock is left to itself."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from groundskeeper.model import Cause, Fact, Finding, Observation, Severity, Snapshot, Value
from groundskeeper.subsystems.systemd.types import UnitState
from groundskeeper.subsystems.timekeeping.types import ClockSync


class ClockUnsynchronised(Value, tag=False, forbid_unknown_fields=True):
    """The kernel has said for `patience` that no time service disciplines the clock."""

    patience: timedelta = timedelta(minutes=5)
    settling: timedelta = timedelta(minutes=5)
    """How long a time service that was just started is left to find its servers."""
    in_containers: bool = False
    """Judge a clock that belongs to the host, too, though the host tells of it once, where it can be mended."""

    name: ClassVar[str] = "clock_unsynchronised"
    watches: ClassVar[tuple[type[Fact], ...]] = (ClockSync,)
    causes: ClassVar[tuple[Cause, ...]] = ()

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, clock in snapshot.of(ClockSync):
            ours = self.in_containers or not clock.belongs_to
            if ours and not clock.synchronised and not self._settles(snapshot, seen, clock, now):
                yield Finding(
                    rule=self.name,
                    device=seen.device,
                    subject=clock.subject,
                    severity=Severity.WARNING,
                    reason=_reason(clock),
                    evidence=(seen,),
                    lasts=self.patience,
                )

    def _settles(self, snapshot: Snapshot, seen: Observation, clock: ClockSync, now: datetime) -> bool:
        unit = snapshot.get(UnitState, clock.service, seen.device) if clock.service else None
        return unit is not None and unit.running and unit.since is not None and now - unit.since < self.settling


def _reason(clock: ClockSync) -> str:
    since = f"nothing keeps the clock right, since {clock.since:%H:%M} UTC"
    jumped = f"; it was set by {clock.last_jump.total_seconds():+.1f} s at one stroke" if clock.last_jump else ""
    return f"{since}: sign-ins, certificates and records depend on it{jumped}"
