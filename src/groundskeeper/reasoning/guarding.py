"""Plan → verdict. Each check is one function that gives the verdict against the plan, or None; the first one counts.

Order: stop switch, windows and autonomy, protected things, lockout, a person's undo, attempts, flapping, cool-down,
how many at once and a day. What is refused for now comes back at `retry_at`; what is refused for good goes to a person.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import ip_network

from groundskeeper.model import (
    Autonomy,
    Change,
    Incident,
    Plan,
    Policy,
    Risk,
    Ruling,
    Stage,
    Value,
    Verdict,
)
from groundskeeper.reasoning.policy import autonomy_for, open_until

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SOON = timedelta(seconds=1)
STOPPED = "all automation is stopped: "


class Situation(Value):
    """What the guard knows of the device. `changes` are those of the last 24 hours, oldest first."""

    now: datetime
    changes: tuple[Change, ...] = ()
    stopped: str | None = None
    """Why all automation is stopped, where it is."""
    approved_by: tuple[str, ...] = ()


Check = Callable[[Plan, Incident, Policy, Situation], Verdict | None]


def guard(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict:
    """Whether this plan may be carried out now, and why."""
    for check in CHECKS:
        verdict = check(plan, incident, policy, situation)
        if verdict:
            return verdict
    if situation.approved_by:
        return Verdict(ruling=Ruling.RUN, reason=f"approved by {', '.join(situation.approved_by)}")
    risk = max((action.risk for action in plan.actions), key=lambda risk: risk.rank)
    return Verdict(ruling=Ruling.RUN, reason=f"policy {policy.name} v{policy.version} allows {risk.value} changes")


def refuse(reason: str, retry_at: datetime | None = None) -> Verdict:
    return Verdict(ruling=Ruling.REFUSE, reason=reason, retry_at=retry_at)


def _stopped(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    if situation.stopped is None:
        return None
    return refuse(f"{STOPPED}{situation.stopped}", situation.now + SOON)


def _autonomy(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    for window in policy.windows:
        until = open_until(window, situation.now)
        if until and window.up_to is Autonomy.OBSERVE:
            return refuse(f"held back by the window “{window.name}” until {until:%H:%M %Z}", until)
    least = min(autonomy_for(action, plan.runbook, policy, situation.now) for action in plan.actions)
    if least is Autonomy.AUTO or (least is Autonomy.APPROVE and situation.approved_by):
        return None
    if least is Autonomy.APPROVE:
        return Verdict(ruling=Ruling.ASK, reason="policy wants a person to approve this")
    if least is Autonomy.SUGGEST:
        return refuse("policy lets Groundskeeper only suggest this: a person does it")
    return refuse("policy lets Groundskeeper only observe here")


def _protected(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    for action in plan.actions:
        for thing in action.radius().touches:
            for pattern in policy.protected:
                if fnmatchcase(thing, pattern):
                    return refuse(f"{thing} is protected by policy ({pattern})")
    return None


def _lockout(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    for action in plan.actions:
        for cut in action.radius().cuts_off:
            for kept in policy.never_ban:
                if _overlap(cut, kept):
                    return refuse(f"{cut} would be cut off, and policy never cuts off {kept}")
    return None


def _overlap(first: str, second: str) -> bool:
    try:
        one, two = ip_network(first, strict=False), ip_network(second, strict=False)
    except ValueError:
        return first == second
    return one.version == two.version and one.overlaps(two)


def _undone(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    for change in situation.changes:
        if change.undone_by and change.fingerprint == incident.finding.fingerprint and not situation.approved_by:
            return refuse(f"{change.undone_by} took this back before: it is not done again for the same trouble")
    return None


def _attempts(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    mine = [change for change in situation.changes if change.incident == incident.id]
    tried = {change.intended_at for change in mine if _counts(change) or change.stage is Stage.NOOP}
    if len(tried) < policy.budgets.attempts or situation.approved_by:
        return None
    return refuse(f"tried {len(tried)} times without lasting success: a person's turn")


def _flapping(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    repairs = _repairs(incident, situation)
    if len(repairs) < policy.budgets.repeats or situation.approved_by:
        return None
    return refuse(f"repaired {len(repairs)} times within an hour and it comes back: the cause needs a person")


def _cooldown(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    repairs = _repairs(incident, situation)
    if not repairs or situation.approved_by:
        return None
    wait = policy.budgets.cooldown * 2 ** (len(repairs) - 1)
    ready = max(change.moved_at for change in repairs) + wait
    if situation.now >= ready:
        return None
    return refuse(f"repaired a moment ago: the next try waits {wait.total_seconds():.3g} s", ready)


def _repairs(incident: Incident, situation: Situation) -> list[Change]:
    """One change for each time that the same trouble was worked on in the last hour."""
    mark, since = incident.finding.fingerprint, situation.now - HOUR
    last: dict[datetime, Change] = {}
    for change in situation.changes:
        if change.fingerprint == mark and change.intended_at >= since and _counts(change):
            last[change.intended_at] = change
    return list(last.values())


def _counts(change: Change) -> bool:
    """Whether anything was, or may have been, touched."""
    return change.stage not in (Stage.NOOP, Stage.REFUSED, Stage.WITHDRAWN)


def _radius(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    under_way = sum(not change.stage.settled for change in situation.changes)
    if under_way and under_way + len(plan.actions) > policy.budgets.at_once:
        return refuse(f"{under_way} changes are under way on this device already", situation.now + SOON)
    for risk in Risk:
        wanted = sum(action.risk is risk for action in plan.actions)
        done = sum(change.action.risk is risk for change in situation.changes if _counts(change))
        if wanted and risk in policy.budgets.per_day and done + wanted > policy.budgets.per_day[risk]:
            return refuse(f"the day's budget of {risk.value} changes on this device is used up ({done})")
    return None


CHECKS: Sequence[Check] = (
    _stopped,
    _autonomy,
    _protected,
    _lockout,
    _undone,
    _attempts,
    _flapping,
    _cooldown,
    _radius,
)
