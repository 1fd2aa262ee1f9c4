"""What rules find in what had been seen by a time in the past. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from groundskeeper.model import Entry, Finding, Found, Observation, Rule, Seen, Snapshot


def observations(lines: Iterable[Entry]) -> list[Observation]:
    """All that is kept of what was seen, by the time when it was seen (which is earlier than when it was written)."""
    seen = [one for line in lines for one in _seen(line)]
    return sorted(seen, key=lambda one: one.at)


def _seen(line: Entry) -> Iterator[Observation]:
    match line.event:
        case Seen(observation=one):
            yield one
        case Found(finding=finding):
            yield from finding.evidence


class Hindsight:
    """What was known at a time, as far as it was kept. Asked with times that only rise."""

    def __init__(self, seen: Iterable[Observation], start: datetime) -> None:
        self._rest = list(reversed(list(seen)))
        self._snapshot = Snapshot(start)

    def at(self, now: datetime) -> Snapshot:
        while self._rest and self._rest[-1].at <= now:
            self._snapshot.put(self._rest.pop())
        return self._snapshot


def found_by(rule: Rule, snapshot: Snapshot, now: datetime) -> dict[str, Finding]:
    """What the rule finds, by fingerprint."""
    return {finding.fingerprint: finding for finding in rule.judge(snapshot, now)}


def believed(rule: Rule, seen: Iterable[Observation], until: datetime) -> Iterator[tuple[datetime, Finding, Snapshot]]:
    """Each time that the rule would have found something, once it had lasted; with what was known then.

    The snapshot goes on changing: look at it before asking for the next.
    """
    since: dict[str, tuple[datetime, Finding]] = {}
    told: set[str] = set()
    known = Snapshot(until)
    for one in seen:
        if type(one.fact) in rule.watches:
            yield from _ripe(rule, known, since, told, one.at)
        known.put(one)
        if type(one.fact) in rule.watches:
            found = found_by(rule, known, one.at)
            since = {mark: since.get(mark, (one.at, finding)) for mark, finding in found.items()}
            told &= since.keys()
    yield from _ripe(rule, known, since, told, until)


def _ripe(
    rule: Rule, known: Snapshot, since: Mapping[str, tuple[datetime, Finding]], told: set[str], until: datetime
) -> Iterator[tuple[datetime, Finding, Snapshot]]:
    """What has lasted long enough by `until`, each at the moment when it had, if it was found at that moment too."""
    for mark, (begin, finding) in since.items():
        due = begin + finding.lasts
        if mark not in told and due <= until:
            told.add(mark)
            still = found_by(rule, known, due).get(mark)
            if still:
                yield due, still, known
