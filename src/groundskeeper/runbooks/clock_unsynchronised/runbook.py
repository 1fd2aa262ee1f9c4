"""Gets the installed time service going; never sets the clock itself."""

from collections.abc import Sequence

from groundskeeper.model import Action, Decline, Incident, Snapshot
from groundskeeper.runbooks.clock_unsynchronised.rule import ClockUnsynchronised
from groundskeeper.subsystems.systemd.types import EnsureUnitActive, EnsureUnitFresh, UnitState
from groundskeeper.subsystems.timekeeping.types import ClockSync


class KeepTime:
    name = "clock_unsynchronised"

    def __init__(self, rule: ClockUnsynchronised) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        device = incident.finding.device
        clock = snapshot.get(ClockSync, incident.finding.subject, device)
        if clock is None:
            return self._decline("the clock's state was not seen, so nothing is changed")
        if clock.belongs_to:
            return self._decline(f"the clock belongs to {clock.belongs_to}: it has to be kept right there")
        if clock.service is None:
            return self._decline("no time service is installed: install one (on Debian the package systemd-timesyncd)")
        unit = snapshot.get(UnitState, clock.service, device)
        if unit is None:
            return self._decline(f"the state of {clock.service} was not seen, so it is not restarted")
        if unit.running:
            return [EnsureUnitFresh(device=device, unit=unit.unit, not_invocation=unit.invocation)]
        if unit.load == "masked":
            return self._decline(f"{unit.unit} is masked: somebody decided that it must not run")
        return [EnsureUnitActive(device=device, unit=unit.unit)]

    def _decline(self, reason: str) -> Decline:
        return Decline(runbook=self.name, reason=reason)
