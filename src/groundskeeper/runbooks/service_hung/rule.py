"""When a service runs, but does not answer."""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import ClassVar

from groundskeeper.model import Cause, DeviceId, Fact, Finding, Severity, Snapshot, Value
from groundskeeper.subsystems.systemd.types import ServiceAnswers, UnitState


class ServiceHung(Value, tag=False, forbid_unknown_fields=True):
    """A running service did not answer where it used to answer. The sensor asks twice before it says so."""

    ignore: tuple[str, ...] = ()
    """Globs of units that may leave their clients waiting."""

    name: ClassVar[str] = "service_hung"
    watches: ClassVar[tuple[type[Fact], ...]] = (ServiceAnswers, UnitState)
    causes: ClassVar[tuple[Cause, ...]] = (Cause(rule="service_crash_looping", same_subject=True),)

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, answers in snapshot.of(ServiceAnswers):
            if answers.ok or not self._runs(snapshot, answers, seen.device):
                continue
            if any(fnmatchcase(answers.unit, glob) for glob in self.ignore):
                continue
            yield Finding(
                rule=self.name,
                device=seen.device,
                subject=answers.unit,
                severity=Severity.CRITICAL,
                reason=f"{answers.unit} is running but {answers.reason}",
                evidence=(seen,),
            )

    def _runs(self, snapshot: Snapshot, answers: ServiceAnswers, device: DeviceId) -> bool:
        """Whether what was asked is what runs now: a service that was started anew meanwhile has not been asked yet."""
        state = snapshot.get(UnitState, answers.unit, device)
        return state is not None and state.running and state.invocation == answers.invocation
