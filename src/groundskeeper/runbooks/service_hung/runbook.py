"""What is paused goes on; what is stuck is started anew."""

from collections.abc import Sequence

from groundskeeper.model import Action, Decline, Incident, Snapshot
from groundskeeper.runbooks.service_hung.rule import ServiceHung
from groundskeeper.subsystems.systemd.types import EnsureUnitFresh, EnsureUnitResumed, ServiceAnswers


class WakeService:
    name = "service_hung"

    def __init__(self, rule: ServiceHung) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        device, unit = incident.finding.device, incident.finding.subject
        answers = snapshot.get(ServiceAnswers, unit, device)
        if answers is None or not answers.invocation:
            reason = f"{unit} is not started anew: which of its runs is stuck was not seen"
            return Decline(runbook=self.name, reason=reason)
        if answers.ok:
            return Decline(runbook=self.name, reason=f"{unit} answers again by itself")
        if answers.paused:
            # Kinder than a restart: it loses no connection, and a database need not recover.
            return [EnsureUnitResumed(device=device, unit=unit)]
        return [
            EnsureUnitFresh(device=device, unit=unit, not_invocation=answers.invocation, checks=answers.checks),
        ]
