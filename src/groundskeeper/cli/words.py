"""The model's words, marks and colours as people meet them."""

from datetime import datetime, timedelta

from groundskeeper.lib.figures import span
from groundskeeper.model import Autonomy, Phase, Ruling, Severity, Stage, Value

GOOD, WARN, BAD, QUIET, BUSY = "green", "yellow", "red", "dim", "cyan"


class Sign(Value, tag=False):
    """How something is shown: a mark, a colour, a word. The word alone says enough without the other two."""

    mark: str
    colour: str
    word: str


PHASES: dict[Phase, Sign] = {
    Phase.PENDING: Sign(mark="○", colour=WARN, word="noticed"),
    Phase.OPEN: Sign(mark="●", colour=BAD, word="open"),
    Phase.MITIGATING: Sign(mark="◐", colour=BUSY, word="being put right"),
    Phase.WATCHING: Sign(mark="◉", colour=GOOD, word="put right, watched"),
    Phase.RESOLVED: Sign(mark="✓", colour=GOOD, word="settled"),
    Phase.ESCALATED: Sign(mark="▲", colour=WARN, word="waits for a person"),
}

STAGES: dict[Stage, Sign] = {
    Stage.INTENT: Sign(mark="○", colour=BUSY, word="intended"),
    Stage.APPLYING: Sign(mark="◐", colour=BUSY, word="begun"),
    Stage.APPLIED: Sign(mark="◐", colour=BUSY, word="on probation"),
    Stage.CONFIRMED: Sign(mark="✓", colour=GOOD, word="confirmed"),
    Stage.REVERTING: Sign(mark="◑", colour=WARN, word="being taken back"),
    Stage.REVERTED: Sign(mark="↶", colour=WARN, word="taken back"),
    Stage.NOOP: Sign(mark="✓", colour=QUIET, word="was so already"),
    Stage.REFUSED: Sign(mark="–", colour=WARN, word="not possible"),
    Stage.WITHDRAWN: Sign(mark="–", colour=QUIET, word="not begun"),
    Stage.FAILED: Sign(mark="✗", colour=BAD, word="did not help"),
    Stage.NEEDS_PERSON: Sign(mark="▲", colour=BAD, word="waits for a person"),
}

RULINGS: dict[Ruling, Sign] = {
    Ruling.RUN: Sign(mark="✓", colour=GOOD, word="allowed"),
    Ruling.ASK: Sign(mark="?", colour=WARN, word="asks first"),
    Ruling.REFUSE: Sign(mark="–", colour=WARN, word="not allowed"),
}

SEVERITIES: dict[Severity, str] = {
    Severity.INFO: "for information",
    Severity.WARNING: "a warning",
    Severity.CRITICAL: "critical",
}

AUTONOMY: dict[Autonomy, str] = {
    Autonomy.OBSERVE: "sees and tells, changes nothing",
    Autonomy.SUGGEST: "suggests, changes nothing",
    Autonomy.APPROVE: "acts when a person approves",
    Autonomy.AUTO: "acts by itself",
}


def took(length: timedelta) -> str:
    """A short time as the loop's work is measured: 0.4 ms, 52 ms, 1.2 s, 3 minutes."""
    ms = length.total_seconds() * 1000
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 90_000 else span(length)


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in the largest sensible unit."""
    passed = now - then
    return "just now" if passed < timedelta(seconds=1) else f"{span(passed)} ago"


def clock_time(at: datetime, now: datetime) -> str:
    """Local wall time: of today the time, of other days the day too."""
    here, today = at.astimezone(), now.astimezone()
    return f"{here:%H:%M:%S}" if here.date() == today.date() else f"{here:%d %b %H:%M}"
