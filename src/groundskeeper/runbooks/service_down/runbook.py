"""It is started, and watched until it answers as it used to."""

from collections.abc import Sequence

from groundskeeper.model import Action, Decline, Incident, Snapshot
from groundskeeper.runbooks.service_down.rule import ServiceDown
from groundskeeper.subsystems.systemd.types import EnsureUnitActive, ServiceAnswers, UnitState


class StartService:
    name = "service_down"

    def __init__(self, rule: ServiceDown) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        device, unit = incident.finding.device, incident.finding.subject
        state = snapshot.get(UnitState, unit, device)
        if state is not None and state.load not in ("loaded", "masked"):
            reason = f"systemd cannot read the settings of {unit} ({state.load}): a person has to mend or remove them"
            return Decline(runbook=self.name, reason=reason)
        known = snapshot.get(ServiceAnswers, unit, device)
        return [EnsureUnitActive(device=device, unit=unit, checks=known.checks if known else ())]
