"""The ledger of a device: one SQLite file (WAL), one writer, any number of readers.

Durable calls commit with synchronous=FULL, the rest with NORMAL: those survive the end of the process at once and a
power cut from the next durable call on. One wait for the disk stands between a finding and its remedy, not three.
A small file beside the ledger is kept in reserve and given up when the disk is full, so that what is under way can
still be written down, and taken back.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from groundskeeper import wire
from groundskeeper.knowledge.ledger.chain import GENESIS, link, verify
from groundskeeper.model import (
    Change,
    ChangeId,
    Corrupt,
    Entry,
    Event,
    Found,
    Incident,
    IncidentId,
    Invalid,
    Moved,
    ProbeResult,
    Stage,
    Stepped,
    Transition,
    Unavailable,
)

T = TypeVar("T")

SCHEMA_VERSION = 1
SCHEMA = """
create table if not exists entries (
    seq integer primary key, at text not null, incident text, change text, event blob not null, digest text not null);
create index if not exists entries_of_incident on entries (incident, seq) where incident is not null;
create table if not exists incidents (
    id text primary key, fingerprint text not null, live integer not null, generation integer not null,
    moved_at text not null, body blob not null);
create unique index if not exists one_live_incident on incidents (fingerprint) where live;
create table if not exists changes (
    id text primary key, incident text, settled integer not null, generation integer not null,
    intended_at text not null, moved_at text not null, body blob not null);
create index if not exists unsettled_changes on changes (id) where not settled;
create table if not exists about (key text primary key, value text not null);
"""

RESERVE_BYTES = 1 << 20
KNOWN = 2000
"""How many decoded rows are kept at hand."""


class SqliteLedger:
    """Raises Corrupt where the file is damaged, Invalid where a newer version wrote it, Unavailable on a full disk."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._reserve = path.with_name(path.name + ".reserve")
        self._known: dict[tuple[type, str], tuple[int, Any]] = {}
        try:
            if read_only:
                self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=5)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._open()
            self._check_version()
        except sqlite3.Error as problem:
            raise _named(problem, path) from problem

    def _open(self) -> None:
        """Even where the disk is full: the files beside a ledger need room of their own, and the reserve has some."""
        try:
            self._prepare()
        except sqlite3.OperationalError:
            if not self._reserve.exists():
                raise
            self._db.close()
            self._reserve.unlink(missing_ok=True)
            self._prepare()

    def _prepare(self) -> None:
        self._db = sqlite3.connect(self.path, isolation_level=None, timeout=5)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma wal_autocheckpoint=500")
        self._db.execute("pragma cache_size=-512")
        self._db.executescript(SCHEMA)
        self._db.execute("insert or ignore into about values ('version', ?)", (str(SCHEMA_VERSION),))
        self.path.chmod(0o600)
        self._set_aside()

    def _check_version(self) -> None:
        row = self._db.execute("select value from about where key = 'version'").fetchone()
        if row is None or int(row[0]) > SCHEMA_VERSION:
            raise Invalid(f"{self.path} was written by a newer Groundskeeper: update this one, or move the file away")
        row = self._db.execute("select seq, digest from entries order by seq desc limit 1").fetchone()
        anchor = self._db.execute("select value from about where key = 'anchor'").fetchone()
        pruned = self._db.execute("select value from about where key = 'pruned'").fetchone()
        self._anchor: str = anchor[0] if anchor else GENESIS
        self._seq: int = row[0] if row else int(pruned[0]) if pruned else 0
        self._head: str = row[1] if row else self._anchor

    @property
    def last(self) -> int:
        """The number of the last line when the file was opened, and of what this process wrote since; 0 for none."""
        return self._seq

    def _set_aside(self) -> None:
        if not self._reserve.exists():
            try:
                self._reserve.write_bytes(b"\0" * RESERVE_BYTES)
            except OSError:
                self._reserve.unlink(missing_ok=True)

    # -- writing ------------------------------------------------------------------------------------------------------

    def _commit(self, work: Callable[[], T], *, durable: bool) -> T:
        """Run `work` in one transaction. On a full disk: give up the reserve and try once more."""
        try:
            return self._transaction(work, durable)
        except sqlite3.OperationalError as problem:
            if "full" not in str(problem) or not self._reserve.exists():
                raise _named(problem, self.path) from problem
        except sqlite3.Error as problem:
            raise _named(problem, self.path) from problem
        self._reserve.unlink(missing_ok=True)
        try:
            return self._transaction(work, durable)
        except sqlite3.Error as problem:
            raise _named(problem, self.path) from problem

    def _transaction(self, work: Callable[[], T], durable: bool) -> T:
        seq, head = self._seq, self._head
        self._db.execute("pragma synchronous=full" if durable else "pragma synchronous=normal")
        try:
            self._db.execute("begin immediate")
            result = work()
            self._db.execute("commit")
        except BaseException:  # whatever it was: a transaction that is left open refuses every one after it
            self._seq, self._head = seq, head
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise
        return result

    def _append(
        self, at: datetime, event: Event, incident: IncidentId | None = None, change: ChangeId | None = None
    ) -> None:
        line = link(self._head, self._seq + 1, at, event, incident, change)
        row = (line.seq, _text(at), incident, change, wire.encode(event), line.digest)
        self._db.execute("insert into entries values (?, ?, ?, ?, ?, ?)", row)
        self._seq, self._head = line.seq, line.digest

    def _moved(self, step: Transition) -> bool:
        row = self._db.execute("select body from incidents where id = ?", (step.incident,)).fetchone()
        incident = wire.decode(row[0], Incident) if row else None
        if incident is None or incident.generation != step.generation:
            return False
        moved = incident.after(step)
        self._db.execute(
            "update incidents set live = ?, generation = ?, moved_at = ?, body = ? where id = ?",
            (moved.live, moved.generation, _text(moved.moved_at), wire.encode(moved), moved.id),
        )
        self._append(step.at, Moved(transition=step), step.incident)
        return True

    def _keep(self, change: Change, probe: ProbeResult | None) -> None:
        self._db.execute(
            "insert or replace into changes values (?, ?, ?, ?, ?, ?, ?)",
            (
                change.id,
                change.incident,
                change.stage.settled,
                change.generation,
                _text(change.intended_at),
                _text(change.moved_at),
                wire.encode(change),
            ),
        )
        event = Stepped(stage=change.stage, action=change.action, reason=change.reason, undo=change.undo, probe=probe)
        self._append(change.moved_at, event, change.incident, change.id)

    async def open(self, incident: Incident) -> bool:
        finding = incident.finding

        def work() -> bool:
            row = (incident.id, finding.fingerprint, incident.live, 0, _text(incident.moved_at), wire.encode(incident))
            added = self._db.execute("insert or ignore into incidents values (?, ?, ?, ?, ?, ?)", row).rowcount
            if added:
                self._append(incident.since, Found(finding=finding), incident.id)
            return bool(added)

        return self._commit(work, durable=False)

    async def advance(self, step: Transition) -> bool:
        return self._commit(lambda: self._moved(step), durable=False)

    async def intend(self, claim: Transition, changes: Sequence[Change], events: Sequence[Event]) -> bool:
        def work() -> bool:
            if not self._moved(claim):
                return False
            for event in events:
                self._append(claim.at, event, claim.incident)
            for change in changes:
                self._keep(change, None)
            return True

        return self._commit(work, durable=False)

    async def step(self, change: Change, probe: ProbeResult | None = None) -> bool:
        def work() -> bool:
            row = self._db.execute("select generation from changes where id = ?", (change.id,)).fetchone()
            if row is None or row[0] != change.generation - 1:
                return False
            self._keep(change, probe)
            return True

        return self._commit(work, durable=change.stage is not Stage.APPLIED)

    async def record(self, at: datetime, events: Sequence[Event], incident: IncidentId | None = None) -> None:
        def work() -> None:
            for event in events:
                self._append(at, event, incident)

        self._commit(work, durable=False)

    async def forget(self, before: datetime) -> int:
        def work() -> int:
            limit = _text(before)
            row = self._db.execute("select min(seq) from entries where at >= ?", (limit,)).fetchone()
            first = row[0] if row[0] is not None else self._seq + 1
            last = self._db.execute("select digest from entries where seq = ?", (first - 1,)).fetchone()
            if last:
                self._anchor = last[0]
                about = [("anchor", last[0]), ("pruned", str(first - 1))]
                self._db.executemany("insert or replace into about values (?, ?)", about)
            self._db.execute("delete from incidents where not live and moved_at < ?", (limit,))
            self._db.execute("delete from changes where settled and moved_at < ?", (limit,))
            return self._db.execute("delete from entries where seq < ?", (first,)).rowcount

        forgotten = self._commit(work, durable=True)
        self._set_aside()
        return forgotten

    # -- reading ------------------------------------------------------------------------------------------------------

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as problem:
            raise _named(problem, self.path) from problem

    def _decoded(self, kind: type[T], id: str, generation: int, body: bytes) -> T:
        """The value in a row. A row of one generation never changes, so each is decoded once."""
        known = self._known.get((kind, id))
        if known is None or known[0] != generation:
            if len(self._known) > KNOWN:
                self._known.clear()
            known = self._known[kind, id] = (generation, wire.decode(body, kind))
        return known[1]

    async def incidents(self, *, live: bool = True, since: datetime | None = None) -> list[Incident]:
        only = "and live" if live else ""
        query = f"select id, generation, body from incidents where moved_at >= ? {only} order by rowid"
        rows = self._rows(query, _text(since))
        return [self._decoded(Incident, *row) for row in rows]

    async def incident(self, id: IncidentId) -> Incident | None:
        rows = self._rows("select body from incidents where id = ?", id)
        return wire.decode(rows[0][0], Incident) if rows else None

    async def changes(
        self, *, since: datetime | None = None, incident: IncidentId | None = None, unsettled: bool = False
    ) -> list[Change]:
        rows = self._rows(
            "select id, generation, body from changes where intended_at >= ? and (? is null or incident = ?)"
            f"{' and not settled' if unsettled else ''} order by intended_at, rowid",
            _text(since),
            incident,
            incident,
        )
        return [self._decoded(Change, *row) for row in rows]

    async def change(self, id: ChangeId) -> Change | None:
        rows = self._rows("select body from changes where id = ?", id)
        return wire.decode(rows[0][0], Change) if rows else None

    async def entries(self, *, incident: IncidentId | None = None, after: int = 0, limit: int = 10_000) -> list[Entry]:
        columns = "select seq, at, event, incident, change, digest from entries where seq > ?"
        if incident is None:
            rows = self._rows(f"{columns} order by seq limit ?", after, limit)
        else:
            rows = self._rows(f"{columns} and incident = ? order by seq limit ?", after, incident, limit)
        return [_entry(*row) for row in rows]

    async def verify(self) -> int:
        count, after, before = 0, 0, self._anchor
        while page := await self.entries(after=after, limit=1000):
            if after and page[0].seq != after + 1:
                raise Corrupt(f"ledger: line {after + 1} is missing")
            count += verify(page, before)
            after, before = page[-1].seq, page[-1].digest
        return count

    async def close(self) -> None:
        self._db.close()


def _text(at: datetime | None) -> str:
    """Sorts as the time does: UTC, always with microseconds."""
    return at.isoformat(timespec="microseconds") if at else ""


def _entry(seq: int, at: str, event: bytes, incident: str | None, change: str | None, digest: str) -> Entry:
    return Entry(
        seq=seq,
        at=datetime.fromisoformat(at),
        event=wire.decode(event, Event),  # type: ignore[arg-type]
        incident=IncidentId(incident) if incident else None,
        change=ChangeId(change) if change else None,
        digest=digest,
    )


def _named(problem: sqlite3.Error, path: Path) -> Unavailable | Corrupt:
    words = str(problem)
    if isinstance(problem, sqlite3.OperationalError):
        return Unavailable(f"the ledger {path} cannot be used now ({words}); nothing was lost, it is tried again")
    return Corrupt(f"the ledger {path} is damaged ({words}): move it away to start anew, or restore a copy")
