"""It is capped first, which can be taken back; it is ended only where policy says so."""

from collections.abc import Sequence

from groundskeeper.lib.figures import size
from groundskeeper.model import Action, Decline, Incident, Snapshot
from groundskeeper.runbooks.runaway_process.rule import MEMORY, RunawayProcess
from groundskeeper.subsystems.process.types import EnsureProcessCapped, EnsureProcessGone, ProcessLoad

ROOM = 64 << 20
"""What is capped may take so much more memory: it needs some to end in good order."""


class TameProcess:
    name = "runaway_process"

    def __init__(self, rule: RunawayProcess) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        finding = incident.finding
        load = snapshot.get(ProcessLoad, finding.subject.removesuffix(MEMORY), finding.device)
        if load is None or load.gone:
            return self._decline(f"{finding.subject.removesuffix(MEMORY)} has ended by itself")
        if load.service and not self._rule.services:
            return self._decline(
                f"{load.subject} belongs to {load.unit}, whose clients would feel it if it were held back: a person "
                "should see what keeps it busy"
            )
        if finding.subject.endswith(MEMORY):
            return self._memory(load, incident)
        return [
            EnsureProcessCapped(
                device=finding.device, pid=load.pid, started=load.started, name=load.name, lasts=self._rule.cap_for
            )
        ]

    def _memory(self, load: ProcessLoad, incident: Incident) -> Sequence[Action] | Decline:
        device = incident.finding.device
        if self._rule.kill:
            return [EnsureProcessGone(device=device, pid=load.pid, started=load.started, name=load.name)]
        if load.growing_since is None:
            return self._decline(
                f"{load.subject} holds {size(load.resident)}, but takes no more: only ending it would give that back, "
                "and that is for a person to decide"
            )
        return [
            EnsureProcessCapped(
                device=device,
                pid=load.pid,
                started=load.started,
                name=load.name,
                cpu=False,
                memory=load.virtual + ROOM,
                lasts=self._rule.cap_for,
            )
        ]

    def _decline(self, reason: str) -> Decline:
        return Decline(runbook=self.name, reason=reason)
