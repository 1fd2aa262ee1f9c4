"""When a process takes the machine from everybody else."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import ClassVar

from groundskeeper.lib.figures import size, span
from groundskeeper.model import Cause, DeviceId, Fact, Finding, Observation, Severity, Snapshot, Value
from groundskeeper.subsystems.process.types import ProcessLoad

MEMORY = " (memory)"
"""What follows the process in the subject, where it is memory that it takes."""


class RunawayProcess(Value, tag=False, forbid_unknown_fields=True):
    """A process goes on taking much of a processor of which the machine is short, or would soon have all its memory.

    A machine that has room is nobody's trouble: a busy database on an idle machine is left alone.
    """

    share: float = 0.2
    """Of one core: less is never too much. Nor is less than half of what the greediest takes."""
    lasts: timedelta = timedelta(seconds=2)
    service_lasts: timedelta = timedelta(seconds=60)
    """The same for what belongs to a service that is meant to stay: it may have a busy minute."""
    exhausts: timedelta = timedelta(seconds=60)
    """Memory that would be used up within so long, at the present pace, is trouble."""
    ceiling: int = 0
    """Bytes of memory that no process outside a service may hold; 0 for no such limit."""
    services: bool = False
    """Whether processes of services may be capped too."""
    kill: bool = False
    """Whether what takes too much memory may be ended: a cap cannot give memory back."""
    cap_for: timedelta = timedelta(minutes=15)
    ignore: tuple[str, ...] = ()
    """Globs of process names that may take what they like."""

    name: ClassVar[str] = "runaway_process"
    watches: ClassVar[tuple[type[Fact], ...]] = (ProcessLoad,)
    causes: ClassVar[tuple[Cause, ...]] = ()

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        loads = [(seen, load) for seen, load in snapshot.of(ProcessLoad) if not load.gone]
        most: dict[DeviceId, float] = {}
        for seen, load in loads:
            if load.cpu_since and not load.yields:
                most[seen.device] = max(load.cpu, most.get(seen.device, 0.0))
        for seen, load in loads:
            if not any(fnmatchcase(load.name, glob) for glob in self.ignore):
                yield from self._cpu(seen, load, most.get(seen.device, 0.0) / 2)
                yield from self._memory(seen, load)

    def _cpu(self, seen: Observation, load: ProcessLoad, least: float) -> Iterable[Finding]:
        if load.cpu_since is None or load.yields or load.cpu < max(self.share, least):
            return
        urgent = ", before everything else (real-time priority)" if load.realtime else ""
        taken = f"{load.subject} takes {load.cpu:.1f} of {load.cores} processor cores{urgent}"
        # What has real-time priority leaves nothing for others, and nothing for us to go on watching with.
        patience = timedelta() if load.realtime else self.service_lasts if load.service else self.lasts
        already = seen.at - load.cpu_since
        yield self._finding(
            seen, load.subject, f"{taken}, and other work waits for them", max(patience - already, timedelta())
        )

    def _memory(self, seen: Observation, load: ProcessLoad) -> Iterable[Finding]:
        soon = load.exhausts_in is not None and load.exhausts_in <= self.exhausts.total_seconds()
        if soon and load.exhausts_in is not None:
            left = span(timedelta(seconds=load.exhausts_in))
            reason = (
                f"{load.subject} holds {size(load.resident)} of memory and takes {size(load.growth)} more each second: "
                f"all that is left would be gone in {left}"
            )
            yield self._finding(seen, load.subject + MEMORY, reason, timedelta(seconds=1))
        elif self.ceiling and load.resident > self.ceiling and not load.service:
            reason = f"{load.subject} holds {size(load.resident)} of memory; {size(self.ceiling)} is the most allowed"
            yield self._finding(seen, load.subject + MEMORY, reason, timedelta())

    def _finding(self, seen: Observation, subject: str, reason: str, lasts: timedelta) -> Finding:
        return Finding(
            rule=self.name,
            device=seen.device,
            subject=subject,
            severity=Severity.WARNING,
            reason=reason,
            evidence=(seen,),
            lasts=lasts,
        )
