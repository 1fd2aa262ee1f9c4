"""An incident from the first evidence to its end, as lines with milliseconds. Pure.

Time zero is when the newest evidence of the finding was seen: the moment from which the trouble could be known. What
was seen before that (a filling disk's earlier size) stands before zero.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from groundskeeper.cli.facts import tell
from groundskeeper.cli.words import BAD, BUSY, GOOD, PHASES, QUIET, RULINGS, STAGES, WARN
from groundskeeper.model import (
    ChangeId,
    Decided,
    Decline,
    Entry,
    Event,
    Found,
    Judged,
    Moved,
    Phase,
    Said,
    Seen,
    Stage,
    Stepped,
    Value,
)


class Moment(Value, tag=False):
    """One line. `ms` since time zero, `what` a word for the kind of line, `text` its sentence."""

    ms: float
    at: datetime
    what: str
    text: str
    colour: str = ""
    change: ChangeId | None = None


def timeline(entries: Sequence[Entry]) -> list[Moment]:
    """The moments of one incident's entries, in order of time."""
    if not entries:
        return []
    zero = _zero(entries)
    moments = [moment for entry in entries for moment in moments_of(entry, zero)]
    return sorted(moments, key=lambda moment: moment.at)


def moments_of(entry: Entry, zero: datetime) -> Iterator[Moment]:
    """One entry of the ledger as lines: usually one; a finding brings its evidence, a step its probe."""
    if isinstance(entry.event, Found):
        for seen in entry.event.finding.evidence:
            yield _moment(seen.at, zero, "seen", tell(seen.fact), QUIET, None)
    for what, text, colour in _told(entry.event):
        yield _moment(entry.at, zero, what, text, colour, entry.change)


def _zero(entries: Sequence[Entry]) -> datetime:
    found = [entry for entry in entries if isinstance(entry.event, Found)]
    for entry in found:
        if isinstance(entry.event, Found) and entry.event.finding.seen_at:
            return entry.event.finding.seen_at
    return min(entry.at for entry in entries)


def _moment(at: datetime, zero: datetime, what: str, text: str, colour: str, change: ChangeId | None) -> Moment:
    ms = round((at - zero).total_seconds() * 1000, 3)
    return Moment(ms=ms, at=at, what=what, text=text, colour=colour, change=change)


Told = tuple[str, str, str]


def _told(event: Event) -> Iterator[Told]:
    match event:
        case Seen(observation=observation):
            yield "seen", tell(observation.fact), QUIET
        case Found(finding=finding):
            yield "finding", finding.reason, BAD
        case Decided(decision=Decline() as no):
            yield "no plan", f"{no.reason} ({no.runbook})", WARN
        case Decided(decision=plan):
            steps = "; then ".join(action.describe() for action in getattr(plan, "actions", ()))
            yield "plan", f"{steps} ({plan.runbook})", BUSY
        case Judged(verdict=verdict):
            yield RULINGS[verdict.ruling].word, verdict.reason, RULINGS[verdict.ruling].colour
        case Stepped():
            yield from _step(event)
        case Moved(transition=move):
            # The claim repeats the plan, and is written before it: the plan's own line says it better.
            if move.to is not Phase.MITIGATING:
                yield PHASES[move.to].word, move.reason, PHASES[move.to].colour
        case Said():
            yield "a person", f"{event.who} {event.what}", BUSY


def _step(step: Stepped) -> Iterator[Told]:
    sign = STAGES[step.stage]
    if step.probe is not None:
        yield "probe", step.probe.reason, GOOD if step.probe.ok else WARN
    yield sign.word, _sentence(step), sign.colour


def _sentence(step: Stepped) -> str:
    match step.stage:
        case Stage.INTENT:
            return step.action.describe()
        case Stage.APPLYING:
            back = f"; can be taken back: {step.undo.describe()}" if step.undo else "; cannot be taken back"
            return f"{step.reason}{back}"
        case Stage.CONFIRMED:
            return step.action.describe()
        case Stage.REVERTED if step.undo is not None:
            return step.undo.describe()
        case _:
            return step.reason
