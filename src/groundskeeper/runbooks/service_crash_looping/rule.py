"""When starting a service again does not help any more."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from groundskeeper.lib.figures import span
from groundskeeper.model import Cause, Fact, Finding, Observation, Severity, Snapshot, Value
from groundskeeper.subsystems.systemd.types import UnitFailures, UnitState

SECOND = timedelta(seconds=1)


class ServiceCrashLooping(Value, tag=False, forbid_unknown_fields=True):
    """A service failed `failures` times within `within`. It counts as long as it is down, or failed within `calm`."""

    failures: int = 3
    within: timedelta = timedelta(seconds=60)
    calm: timedelta = timedelta(seconds=60)

    name: ClassVar[str] = "service_crash_looping"
    watches: ClassVar[tuple[type[Fact], ...]] = (UnitFailures, UnitState)
    causes: ClassVar[tuple[Cause, ...]] = ()

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, failed in snapshot.of(UnitFailures):
            burst = self.burst(failed.times)
            if not burst or not self._still(snapshot, seen, failed, now):
                continue
            reason = f"{failed.unit} failed {len(burst)} times within {span(max(burst[-1] - burst[0], SECOND))}"
            yield Finding(
                rule=self.name,
                device=seen.device,
                subject=failed.unit,
                severity=Severity.CRITICAL,
                reason=reason + (f"; the last time {failed.ending}" if failed.ending else ""),
                evidence=(seen,),
            )

    def burst(self, times: Sequence[datetime]) -> Sequence[datetime]:
        """The latest failures that lie close enough together to be a loop; empty where there are too few."""
        close = [at for at in times if times[-1] - at <= self.within]
        return close if len(close) >= self.failures else ()

    def _still(self, snapshot: Snapshot, seen: Observation, failed: UnitFailures, now: datetime) -> bool:
        state = snapshot.get(UnitState, failed.unit, seen.device)
        stopped = state is not None and state.stopped_by_request
        down = state is not None and not state.running
        return not stopped and (down or now - failed.times[-1] <= self.calm)
