"""What the shell offers when a person presses Tab. Never an error: nothing to offer is an empty list."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from groundskeeper.cli.here import home
from groundskeeper.cli.records import read
from groundskeeper.model import Change, GroundskeeperError, Incident, Phase, Stage

T = TypeVar("T", Incident, Change)

Offer = list[tuple[str, str]]
"""Each with the words that the shell shows beside it."""


def incident_ids(incomplete: str) -> Offer:
    return _offered(incomplete, _incidents, lambda one: True, _incident_words)


def waiting_ids(incomplete: str) -> Offer:
    return _offered(incomplete, _incidents, lambda one: one.phase is Phase.ESCALATED, _incident_words)


def change_ids(incomplete: str) -> Offer:
    """Those that can be taken back."""
    return _offered(
        incomplete,
        _changes,
        lambda one: one.stage is Stage.CONFIRMED and one.undo is not None,
        lambda one: one.action.describe(),
    )


def _incident_words(one: Incident) -> str:
    return f"{one.finding.subject}: {one.phase.value}"


def _incidents() -> Sequence[Incident]:
    return read(home().ledger, lambda ledger: ledger.incidents(live=False))


def _changes() -> Sequence[Change]:
    return read(home().ledger, lambda ledger: ledger.changes())


def _offered(
    incomplete: str, find: Callable[[], Sequence[T]], wanted: Callable[[T], bool], words: Callable[[T], str]
) -> Offer:
    try:
        found = find()
    except (GroundskeeperError, OSError):
        return []
    return [(one.id, words(one)) for one in found if wanted(one) and one.id.startswith(incomplete)]
