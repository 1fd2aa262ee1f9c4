"""Findings and incidents → what opens, what moves on, what is only a symptom of something else.

1. A finding without a live incident opens one: PENDING where it has to last, OPEN where not.
2. A live incident whose finding is there still: PENDING → OPEN when it lasted; WATCHING → OPEN when it returned, which
   only evidence newer than the repair can show, or when nothing better was seen for the whole watch.
3. A live incident whose finding is gone, while the thing itself is still seen: over, or, where a repair is under
   watch, over when it stayed away long enough. A thing that is not seen at all proves nothing.
   Where the clock was set back meanwhile, what has to last (a finding, a remedy) has to last from then on.
4. An incident that a live incident of a causing rule explains folds into it; it unfolds when that one is over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from groundskeeper.model import (
    Cause,
    Finding,
    Incident,
    IncidentId,
    Phase,
    Snapshot,
    Transition,
    Value,
)


class Related(Value):
    """What to write down, in order: incidents to open, transitions to make."""

    opened: tuple[Incident, ...]
    moved: tuple[Transition, ...]


def relate(
    findings: Sequence[Finding],
    incidents: Sequence[Incident],
    snapshot: Snapshot,
    now: datetime,
    *,
    judged: Set[str],
    causes: Mapping[str, tuple[Cause, ...]],
    watch: timedelta,
    new_id: Callable[[], str],
) -> Related:
    """`incidents` are all that are live; `judged` names the rules that looked just now: only their silence counts.

    `causes` is by rule; `watch` is how long a remedy must hold.
    """
    known = {incident.finding.fingerprint: incident for incident in incidents}
    found = {finding.fingerprint: finding for finding in findings}
    opened = [_open(finding, now, new_id) for mark, finding in found.items() if mark not in known]
    moved: list[Transition] = []
    current: list[Incident] = list(opened)
    for incident in incidents:
        looked = incident.finding.rule in judged
        step = looked and _next(incident, found.get(incident.finding.fingerprint), snapshot, now, watch)
        if step:
            moved.append(step)
            incident = incident.after(step)
        if incident.live:
            current.append(incident)
    moved.extend(_fold(current, causes, now))
    return Related(opened=tuple(opened), moved=tuple(moved))


def _open(finding: Finding, now: datetime, new_id: Callable[[], str]) -> Incident:
    phase = Phase.PENDING if finding.lasts else Phase.OPEN
    return Incident(
        id=IncidentId(new_id()), finding=finding, phase=phase, since=now, moved_at=now, reason=finding.reason
    )


def _next(
    incident: Incident, finding: Finding | None, snapshot: Snapshot, now: datetime, watch: timedelta
) -> Transition | None:
    if incident.phase is Phase.MITIGATING:
        return None  # whoever carries the plan out moves it
    if incident.moved_at > now and incident.phase in (Phase.PENDING, Phase.WATCHING):
        return incident.move(incident.phase, now, incident.reason)
    if finding:
        return _still_there(incident, finding, now, watch)
    evidence = incident.finding.evidence
    if evidence and not any(snapshot.has(seen.key) for seen in evidence):
        return None
    if incident.phase is not Phase.WATCHING:
        return incident.move(Phase.RESOLVED, now, "it went away by itself")
    if now - incident.moved_at < watch:
        return None
    return incident.move(Phase.RESOLVED, now, f"it has stayed well for {_seconds(watch)}")


def _still_there(incident: Incident, finding: Finding, now: datetime, watch: timedelta) -> Transition | None:
    if incident.phase is Phase.PENDING and now - incident.since >= finding.lasts:
        return incident.move(Phase.OPEN, now, f"it has lasted for {_seconds(now - incident.since)}: {finding.reason}")
    if incident.phase is not Phase.WATCHING:
        return None
    seen_at = finding.seen_at
    if seen_at is not None and seen_at > incident.moved_at:
        return incident.move(Phase.OPEN, now, f"it came back: {finding.reason}")
    if now - incident.moved_at >= watch:
        return incident.move(Phase.OPEN, now, f"it is still so {_seconds(watch)} after the repair: {finding.reason}")
    return None


def _fold(incidents: Iterable[Incident], causes: Mapping[str, tuple[Cause, ...]], now: datetime) -> list[Transition]:
    known = {incident.id: incident for incident in incidents}
    steps = []
    for incident in list(known.values()):
        if incident.phase is Phase.MITIGATING:
            continue
        cause = _cause_of(incident, known, causes.get(incident.finding.rule, ()))
        if (cause.id if cause else None) == incident.cause:
            continue
        if cause:
            step = incident.fold(cause.id, now, f"only a symptom: {cause.finding.reason}")
        else:
            step = incident.fold(None, now, "what had caused it is over, and it is still there")
        steps.append(step)
        known[incident.id] = incident.after(step)
    return steps


def _cause_of(incident: Incident, known: Mapping[IncidentId, Incident], causes: tuple[Cause, ...]) -> Incident | None:
    """The live incident that explains this one; never one that this one explains, or both would wait for ever."""
    for cause in causes:
        for other in known.values():
            if (
                other.finding.rule == cause.rule
                and other.finding.device == incident.finding.device
                and other.phase is not Phase.PENDING
                and (not cause.same_subject or other.finding.subject == incident.finding.subject)
                and not _leads_to(other, incident.id, known)
            ):
                return other
    return None


def _leads_to(incident: Incident, root: IncidentId, known: Mapping[IncidentId, Incident]) -> bool:
    """Whether `root` is the incident itself, or what caused it, or what caused that, and so on."""
    above: Incident | None = incident
    while above is not None and above.id != root:
        above = known.get(above.cause) if above.cause else None
    return above is not None


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.3g} s"
