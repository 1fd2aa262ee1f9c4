"""Plan → verdict. Each check is one function that gives the verdict against the plan, or None; the first one counts.

Order: stop switch, windows and autonomy, protected things, lockout, a person's undo, attempts, flapping, cool-down,
how many at once and a day. What is refused for now comes back at `retry_at`; what is refused for good goes to a person.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_network
from zoneinfo import ZoneInfo

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
MAPPED = 96
"""Bits before the address where IPv6 carries an IPv4 one (RFC 4291, 2.5.5.2)."""
Network = IPv4Network | IPv6Network
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
    freezes = [(open_until(one, situation.now), one) for one in policy.windows if one.up_to is Autonomy.OBSERVE]
    until, freeze = max(((end, one) for end, one in freezes if end), key=lambda pair: pair[0], default=(None, None))
    if until and freeze:
        local = until.astimezone(ZoneInfo(freeze.timezone))
        return refuse(f"held back by the window “{freeze.name}” until {local:%H:%M %Z}", until)
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
    spared = [(kept, _network(kept)) for kept in policy.never_ban]
    for cut in (cut for action in plan.actions for cut in action.radius().cuts_off):
        network = _network(cut)
        for kept, sparing in spared:
            if network is None or sparing is None:
                return refuse(f"{cut} would be cut off, and it cannot be told whether that is {kept}")
            if network.version == sparing.version and network.overlaps(sparing):
                return refuse(f"{cut} would be cut off, and policy never cuts off {kept}")
    return None


def _network(text: str) -> Network | None:
    """The address or network, whichever way it is written (an IPv4 one inside IPv6, with its link's name), if any."""
    try:
        network = ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return None
    inside = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if inside is None or network.prefixlen < MAPPED:
        return network
    return IPv4Network((inside, network.prefixlen - MAPPED), strict=False)


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
    ended = [change.moved_at for change in repairs if change.moved_at <= situation.now]
    if not ended or situation.approved_by:  # what ended in the future did so before the clock was set back
        return None
    wait = min(policy.budgets.cooldown * 2 ** min(len(repairs) - 1, 20), HOUR)  # beyond that, repairs are forgotten
    ready = max(ended) + wait
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
    lasting = [action for action in plan.actions if not action.expires_after]
    under_way = sum(not change.stage.settled and not change.action.expires_after for change in situation.changes)
    if lasting and under_way and under_way + len(lasting) > policy.budgets.at_once:
        return refuse(f"{under_way} changes are under way on this device already", situation.now + SOON)
    return None


def _day(plan: Plan, incident: Incident, policy: Policy, situation: Situation) -> Verdict | None:
    """Containments end by themselves and have a budget of their own: a server on the internet meets many attackers."""
    made = [change.action for change in situation.changes if _counts(change)]
    contained = sum(action.expires_after is not None for action in made)
    wanted = sum(action.expires_after is not None for action in plan.actions)
    if wanted and contained + wanted > policy.budgets.contained:
        return refuse(f"the day's budget of containments on this device is used up ({contained})")
    for risk in Risk:
        wanted = sum(action.risk is risk and not action.expires_after for action in plan.actions)
        done = sum(action.risk is risk and not action.expires_after for action in made)
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
    _day,
)
