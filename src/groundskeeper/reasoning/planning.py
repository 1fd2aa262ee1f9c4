"""Incident → plan, or the reason for none."""

from collections.abc import Mapping, Sequence

from groundskeeper.model import Action, Decline, Incident, Plan, Runbook, Snapshot


def plan_for(incident: Incident, snapshot: Snapshot, runbooks: Mapping[str, Runbook]) -> Plan | Decline:
    """What the runbook for this incident's rule proposes now. A plan always holds at least one action."""
    runbook = runbooks.get(incident.finding.rule)
    if runbook is None:
        return Decline(runbook="none", reason="there is no runbook for this: it needs a person")
    proposed = _proposed(runbook, incident, snapshot)
    if isinstance(proposed, Decline):
        return proposed
    if not proposed:
        return Decline(runbook=runbook.name, reason="there is nothing that would help: it needs a person")
    return Plan(runbook=runbook.name, reason=incident.finding.reason, actions=tuple(proposed))


def _proposed(runbook: Runbook, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
    try:
        return runbook.propose(incident, snapshot)
    except Exception as bug:  # noqa: BLE001 - else the incident would be tried again for ever, and nobody told
        reason = f"the runbook {runbook.name} has a fault ({type(bug).__name__}: {bug}): it needs a person"
        return Decline(runbook=runbook.name, reason=reason)
