"""A policy in words: what Groundskeeper does by itself, what it asks for, what it never does."""

from collections.abc import Iterator, Sequence

from groundskeeper.cli.words import AUTONOMY
from groundskeeper.lib.figures import counted, span
from groundskeeper.model import Autonomy, Budgets, Floor, Policy, Risk, Window
from groundskeeper.reasoning.policy import most

Section = tuple[str, list[str]]

RISKS: dict[Risk, str] = {
    Risk.READ: "look at things more closely",
    Risk.REVERSIBLE: "change what can be taken back exactly",
    Risk.DISRUPTIVE: "change what somebody may notice for a moment, such as restarting a service",
    Risk.IRREVERSIBLE: "do what cannot be taken back",
}
LEVELS: dict[Autonomy, str] = {
    Autonomy.AUTO: "It does by itself, and proves that it helped or takes it back",
    Autonomy.APPROVE: "It does once a person has said yes",
    Autonomy.SUGGEST: "It only suggests, for a person to do",
    Autonomy.OBSERVE: "It does not do",
}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def in_words(policy: Policy) -> Iterator[Section]:
    """Headings with their lines; a heading that would have none is left out."""
    allowed = most(policy)
    for level, heading in LEVELS.items():
        lines = [RISKS[risk] for risk in Risk if allowed[risk] is level]
        if level is Autonomy.AUTO:
            lines += [f"{kind}, allowed in advance although it is more" for kind in _in_advance(policy)]
        if lines:
            yield heading, lines
    sections = (
        ("It may do less in one kind of trouble", [f"{name}: {AUTONOMY[at]}" for name, at in _less(policy)]),
        ("It may do less at some times", list(map(_window, policy.windows))),
        ("It never touches", list(policy.protected)),
        ("It never cuts off", list(policy.never_ban)),
        ("It hands over to a person", list(_budgets(policy.budgets))),
        ("Settings of single rules", [f"{name}: {_settings(given)}" for name, given in sorted(policy.rules.items())]),
    )
    yield from (section for section in sections if section[1])


def _in_advance(policy: Policy) -> Sequence[str]:
    """What is pre-approved and stays so: a limit takes that away as well."""
    free = any(policy.limits.get(risk, Autonomy.AUTO) is Autonomy.AUTO for risk in Risk)
    return sorted(policy.standard_changes) if free else ()


def _less(policy: Policy) -> list[tuple[str, Autonomy]]:
    return sorted((name, at) for name, at in policy.runbooks.items() if at is not Autonomy.AUTO)


def _window(window: Window) -> str:
    days = "every day" if len(window.days) == 7 else ", ".join(DAYS[day - 1] for day in sorted(window.days))
    when = f"{days}, {window.start:%H:%M} to {window.end:%H:%M} ({window.timezone})"
    return f"“{window.name}”: {when}: {AUTONOMY[window.up_to]}"


def _budgets(budgets: Budgets) -> Iterator[str]:
    yield f"after {counted(budgets.attempts, 'attempt')} at one trouble"
    yield f"what comes back although it was repaired {counted(budgets.repeats, 'time')} within an hour"
    yield f"beyond {counted(budgets.at_once, 'change')} at the same time (it waits)"
    for risk in Risk:
        if risk in budgets.per_day:
            yield f"beyond {counted(budgets.per_day[risk], f'{risk.value} change')} in 24 hours"
    yield f"a repair counts as lasting after {span(budgets.watch)}"


def _settings(given: dict[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sorted(given.items()))


def taken_away(floor: Floor) -> list[str]:
    """What the owner's file takes away, in words."""
    lines = [] if floor.autonomy is Autonomy.AUTO else [f"at most: {AUTONOMY[floor.autonomy]}"]
    lines += [f"{risk.value} changes: {AUTONOMY[at]}" for risk, at in floor.risks.items()]
    lines += [f"{name}: {AUTONOMY[at]}" for name, at in sorted(floor.runbooks.items())]
    lines += [f"not allowed in advance: {kind}" for kind in sorted(floor.not_standard)]
    lines += [f"never touched: {thing}" for thing in floor.protected]
    lines += [f"never cut off: {network}" for network in floor.never_ban]
    lines += list(map(_window, floor.windows))
    return lines + (["smaller budgets"] if floor.budgets else [])
