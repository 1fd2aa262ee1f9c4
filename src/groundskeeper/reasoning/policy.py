"""Policy and floor → what holds here. Tightening is a meet: the result allows nothing that either does not."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from groundskeeper.model import Action, Autonomy, Budgets, Floor, Policy, Risk, Window

DAY = timedelta(days=1)


def tighten(policy: Policy, floor: Floor) -> Policy:
    """The policy, less all that the machine's owner takes away."""
    return msgspec.structs.replace(
        policy,
        limits={
            risk: min(policy.limits.get(risk, Autonomy.AUTO), floor.risks.get(risk, Autonomy.AUTO), floor.autonomy)
            for risk in Risk
        },
        runbooks={
            name: min(policy.runbooks.get(name, Autonomy.AUTO), floor.runbooks.get(name, Autonomy.AUTO))
            for name in policy.runbooks.keys() | floor.runbooks.keys()
        },
        standard_changes=policy.standard_changes - floor.not_standard,
        protected=_both(policy.protected, floor.protected),
        never_ban=_both(policy.never_ban, floor.never_ban),
        windows=policy.windows + tuple(window for window in floor.windows if window not in policy.windows),
        budgets=_least(policy.budgets, floor.budgets) if floor.budgets else policy.budgets,
    )


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return first + tuple(one for one in second if one not in first)


def _least(first: Budgets, second: Budgets) -> Budgets:
    return Budgets(
        attempts=min(first.attempts, second.attempts),
        cooldown=max(first.cooldown, second.cooldown),
        repeats=min(first.repeats, second.repeats),
        at_once=min(first.at_once, second.at_once),
        contained=min(first.contained, second.contained),
        per_day={
            risk: min(one.per_day[risk] for one in (first, second) if risk in one.per_day)
            for risk in first.per_day.keys() | second.per_day.keys()
        },
        watch=max(first.watch, second.watch),
    )


def autonomy_for(action: Action, runbook: str, policy: Policy, now: datetime) -> Autonomy:
    """How much the loop may do by itself about this action now."""
    standard = type(action).__name__ in policy.standard_changes
    allowed = Autonomy.AUTO if standard else policy.autonomy.get(action.risk, Autonomy.OBSERVE)
    limits = [policy.limits.get(action.risk, Autonomy.AUTO), policy.runbooks.get(runbook, Autonomy.AUTO)]
    limits += [window.up_to for window in policy.windows if open_until(window, now)]
    return min([allowed, *limits])


def open_until(window: Window, now: datetime) -> datetime | None:
    """When the window that is open now closes; None where it is not open. Wall time of its own zone, DST and all.

    Where the clocks are put back, it is open from the first time that they read its start until the last time that
    they read its end: a window only ever takes away, so longer is the safe side.
    """
    zone = ZoneInfo(window.timezone)
    local = now.astimezone(zone)
    for day in (local.date() - DAY, local.date()):
        if day.isoweekday() not in window.days:
            continue
        start = min(_instants(day, window.start, zone))
        end = max(_instants(day if window.start < window.end else day + DAY, window.end, zone))
        if start <= now < end:
            return end.astimezone(now.tzinfo)
    return None


def _instants(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """When the clocks there read this, in UTC (aware times of one zone compare by their wall clocks): once, or twice.

    A time that is skipped where clocks are put forward is taken for the moments just before and after.
    """
    return [datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)]


def most(policy: Policy) -> dict[Risk, Autonomy]:
    """The most that the loop may do by itself, by risk, outside windows and whatever the runbook."""
    return {
        risk: min(policy.autonomy.get(risk, Autonomy.OBSERVE), policy.limits.get(risk, Autonomy.AUTO)) for risk in Risk
    }
