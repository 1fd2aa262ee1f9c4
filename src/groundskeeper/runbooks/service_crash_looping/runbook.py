"""One problem for a person, with the evidence: what starting it again does not mend, another start does not either."""

from collections.abc import Sequence

from groundskeeper.model import Action, Decline, Incident, Snapshot
from groundskeeper.runbooks.service_crash_looping.rule import ServiceCrashLooping
from groundskeeper.subsystems.systemd.types import UnitFailures


class StopRepeating:
    name = "service_crash_looping"

    def __init__(self, rule: ServiceCrashLooping) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        unit = incident.finding.subject
        failed = snapshot.get(UnitFailures, unit, incident.finding.device)
        if failed is None:
            return self._decline(f"{unit} is not started again and again: starting it does not help")
        last = f": the last time {failed.ending}" if failed.ending else ""
        words = f". Its last words: “{' / '.join(failed.last_words)}”" if failed.last_words else ""
        return self._decline(
            f"{unit} is not started again: it failed {len(self._rule.burst(failed.times))} times in a short while, so "
            f"something else is wrong with it{last}{words}"
        )

    def _decline(self, reason: str) -> Decline:
        return Decline(runbook=self.name, reason=reason)
