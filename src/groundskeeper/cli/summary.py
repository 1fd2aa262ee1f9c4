"""How things stand, in one line for anybody. Pure."""

from groundskeeper.cli.gauges import Level, gauges
from groundskeeper.cli.standing import Standing
from groundskeeper.cli.words import ago
from groundskeeper.model import Autonomy, Incident, Phase, Risk, Stage, Value

BRIEFLY: dict[Autonomy, str] = {
    Autonomy.OBSERVE: "only watches",
    Autonomy.SUGGEST: "only suggests",
    Autonomy.APPROVE: "asks first",
    Autonomy.AUTO: "acts by itself",
}


class Summary(Value, tag=False):
    level: Level
    text: str


def summary(standing: Standing) -> Summary:
    """The first of these that holds: nobody looks, all is stopped, a person is needed, work is under way, green."""
    if standing.agent is None:
        return Summary(level=Level.OFF, text=_nobody(standing.absent))
    if standing.stopped:
        text = f"All automation is stopped; it is seen and told, nothing is changed. {_troubles(standing)}"
        return Summary(level=Level.BAD, text=text.rstrip())
    if standing.agent.policy_problem:
        return Summary(level=Level.WARN, text=f"Policy is not in order: {standing.agent.policy_problem}")
    for look in (_waiting, _under_way, _put_right, _noticed):
        found = look(standing)
        if found:
            return found
    return _green(standing)


def autonomy(levels: dict[str, str]) -> str:
    """How much it does by itself: by reversible changes, then what differs from that."""
    if not levels:
        return BRIEFLY[Autonomy.OBSERVE]
    usual = levels.get(Risk.REVERSIBLE.value, Autonomy.OBSERVE.value)
    other = [
        f"{BRIEFLY[Autonomy(levels[risk.value])]} where it is {risk.value}"
        for risk in (Risk.DISRUPTIVE, Risk.IRREVERSIBLE)
        if levels.get(risk.value, usual) != usual
    ]
    return ", ".join([BRIEFLY[Autonomy(usual)], *other])


def _nobody(absent: str) -> str:
    return f"{absent[:1].upper()}{absent[1:]}." if absent else "Nobody looks after this machine."


def _of(standing: Standing, *phases: Phase) -> list[Incident]:
    return [one for one in standing.incidents if one.phase in phases and one.cause is None]


def _troubles(standing: Standing) -> str:
    live = len([one for one in standing.incidents if one.phase is not Phase.WATCHING])
    return "" if not live else "1 thing is wrong." if live == 1 else f"{live} things are wrong."


def _waiting(standing: Standing) -> Summary | None:
    waiting = _of(standing, Phase.ESCALATED)
    if not waiting:
        return None
    things = "1 thing waits" if len(waiting) == 1 else f"{len(waiting)} things wait"
    first = waiting[0]
    text = f"{things} for a person: {first.finding.subject}. `groundskeeper incident {first.id}` tells why."
    return Summary(level=Level.WARN, text=text)


def _under_way(standing: Standing) -> Summary | None:
    live = _of(standing, Phase.MITIGATING, Phase.OPEN)
    if not live:
        return None
    more = f", and {len(live) - 1} more" if len(live) > 1 else ""
    return Summary(level=Level.BAD, text=f"{live[0].finding.subject} is being put right{more}.")


def _put_right(standing: Standing) -> Summary | None:
    watched = _of(standing, Phase.WATCHING)
    if not watched:
        return None
    last = max(watched, key=lambda one: one.moved_at)
    text = f"{last.finding.subject} was put right {ago(last.moved_at, standing.at)}, and is watched for a while."
    return Summary(level=Level.GOOD, text=text)


def _noticed(standing: Standing) -> Summary | None:
    """Found, and not believed yet: a person should hear of it, and need not do anything."""
    noticed = [one.finding.subject for one in _of(standing, Phase.PENDING)]
    if not noticed:
        return None
    return Summary(level=Level.GOOD, text=f"All is well; {', '.join(noticed)} is looked at more closely.")


def _green(standing: Standing) -> Summary:
    wrong = [gauge.name for gauge in gauges(standing.snapshot) if gauge.level is Level.BAD]
    if wrong:
        return Summary(level=Level.WARN, text=f"Worth a look: {', '.join(wrong)}.")
    done = sum(change.stage is Stage.CONFIRMED for change in standing.changes)
    lately = "Nothing needed doing in the last day."
    if done:
        lately = f"{done} {'thing was' if done == 1 else 'things were'} put right in the last day."
    return Summary(level=Level.GOOD, text=f"Everything is green. {lately}")
