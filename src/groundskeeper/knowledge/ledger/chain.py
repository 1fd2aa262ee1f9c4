"""Entries linked by digests, so that a line that was changed, dropped or moved shows."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from groundskeeper import wire
from groundskeeper.model import ChangeId, Corrupt, Entry, Event, IncidentId

GENESIS = "0" * 64
"""The digest before the first line."""


def link(
    before: str, seq: int, at: datetime, event: Event, incident: IncidentId | None, change: ChangeId | None
) -> Entry:
    """The next line after the one whose digest is `before`."""
    line = Entry(seq=seq, at=at, event=event, incident=incident, change=change)
    digest = hashlib.sha256(before.encode() + wire.encode(line)).hexdigest()
    return Entry(seq=seq, at=at, event=event, incident=incident, change=change, digest=digest)


def verify(entries: Iterable[Entry], before: str = GENESIS) -> int:
    """How many lines there are. Raises Corrupt at the first that is not what was written, or not where it was."""
    count, seq = 0, None
    for entry in entries:
        if seq is not None and entry.seq != seq + 1:
            raise Corrupt(f"ledger: line {seq + 1} is missing (line {entry.seq} comes after line {seq})")
        expected = link(before, entry.seq, entry.at, entry.event, entry.incident, entry.change).digest
        if expected != entry.digest:
            raise Corrupt(f"ledger: line {entry.seq} is not what was written; everything before it is")
        count, seq, before = count + 1, entry.seq, entry.digest
    return count
