"""The ledger's lines read back, in order: how incidents and changes stood at any line. Pure."""

from datetime import datetime

import msgspec

from groundskeeper.model import (
    Change,
    ChangeId,
    Decided,
    Decline,
    Entry,
    Finding,
    Found,
    Incident,
    IncidentId,
    Judged,
    Moved,
    Phase,
    Plan,
    Said,
    Stage,
    Stepped,
    Value,
    Verdict,
)


class Decision(Value):
    """What the loop decided about an incident: a plan with its verdict, or a runbook's no (which has none)."""

    at: datetime
    incident: Incident
    proposed: Plan | Decline
    verdict: Verdict | None
    approved_by: tuple[str, ...] = ()


class Past:
    """Takes one line after the other. After each, `incidents` and `changes` are what they were then."""

    def __init__(self) -> None:
        self.incidents: dict[IncidentId, Incident] = {}
        self.changes: dict[ChangeId, Change] = {}
        self._plans: dict[IncidentId, Plan] = {}
        self._approved_by: dict[IncidentId, tuple[str, ...]] = {}

    def take(self, line: Entry) -> Decision | None:
        """The decision that this line completes, where it completes one."""
        match line.event:
            case Stepped() if line.change:
                self._step(line.change, line, line.event)
            case Said(what=what):
                self._say(what, line.event.who, line.incident)
            case _ if line.incident:
                return self._of_incident(line.incident, line)
        return None

    def _of_incident(self, id: IncidentId, line: Entry) -> Decision | None:
        known = self.incidents.get(id)
        match line.event:
            case Found(finding=finding):
                self.incidents[id] = _begun(id, finding, line.at)
            case Moved(transition=step) if known:
                self.incidents[id] = known.after(step)
            case Decided(decision=Plan() as plan):
                self._plans[id] = plan
            case Decided(decision=Decline() as no) if known:
                return Decision(at=line.at, incident=known, proposed=no, verdict=None)
            case Judged(verdict=verdict) if known and id in self._plans:
                approved = self._approved_by.pop(id, ())
                return Decision(
                    at=line.at, incident=known, proposed=self._plans[id], verdict=verdict, approved_by=approved
                )
        return None

    def _say(self, what: str, who: str, incident: IncidentId | None) -> None:
        if incident and what == "approved":
            self._approved_by[incident] = (who,)
        for word in what.split():
            change = self.changes.get(ChangeId(word))
            if change:  # "took change ID back"
                self.changes[change.id] = msgspec.structs.replace(change, undone_by=who)

    def _step(self, id: ChangeId, line: Entry, step: Stepped) -> None:
        known, incident = self.changes.get(id), self.incidents.get(line.incident) if line.incident else None
        if known:
            self.changes[id] = msgspec.structs.replace(known, stage=step.stage, moved_at=line.at, reason=step.reason)
        elif step.stage is Stage.INTENT and incident:
            self.changes[id] = intent(id, incident, step, line.at, self._plans.get(incident.id))


def _begun(id: IncidentId, finding: Finding, at: datetime) -> Incident:
    phase = Phase.PENDING if finding.lasts else Phase.OPEN
    return Incident(id=id, finding=finding, phase=phase, since=at, moved_at=at, reason=finding.reason)


def intent(id: ChangeId, incident: Incident, step: Stepped, at: datetime, plan: Plan | None) -> Change:
    """The change that a step begins."""
    return Change(
        id=id,
        incident=incident.id,
        fingerprint=incident.finding.fingerprint,
        runbook=plan.runbook if plan else "",
        action=step.action,
        by="",
        policy="",
        stage=step.stage,
        intended_at=at,
        moved_at=at,
        reason=step.reason,
    )
