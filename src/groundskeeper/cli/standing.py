"""How things stand on this machine at one moment: what the agent says, what it sees, what the ledger holds."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from groundskeeper import wire
from groundskeeper.agent.control import Control
from groundskeeper.agent.home import Home
from groundskeeper.agent.status import Status
from groundskeeper.cli.records import open_record
from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.model import Change, Entry, Incident, Ledger, Observation, Refused, Snapshot, Unavailable, Value

T = TypeVar("T")

LATELY = timedelta(days=1)
ROOTS_RUN = Path("/run/groundskeeper")
ASK_AGAIN = timedelta(seconds=1)


class Standing(Value, tag=False):
    """`agent` is None where none runs, or none that we may ask; `absent` then says why. `settled` and `changes` are
    those of the last day, oldest first; `stopped` says who stopped all automation, where somebody did."""

    at: datetime
    agent: Status | None = None
    absent: str = ""
    stopped: str | None = None
    seen: tuple[Observation, ...] = ()
    incidents: tuple[Incident, ...] = ()
    settled: tuple[Incident, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.at, self.seen)


class Looking:
    """Looks at a home again and again, cheaply: the agent is asked once a second, the ledger stays open. Close it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._control = Control(home.socket)
        self._runner = asyncio.Runner()
        self._ledger: SqliteLedger | None = None
        self._asked_at: datetime | None = None
        self._said: tuple[Status | None, str, tuple[Observation, ...]] = (None, "", ())
        self._told: int | None = None

    def __enter__(self) -> "Looking":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger:
            self._runner.run(self._ledger.close())
        self._runner.close()

    def standing(self, at: datetime) -> Standing:
        """How things stand. Raises Corrupt where the ledger is damaged."""
        if self._asked_at is None or not timedelta() <= at - self._asked_at < ASK_AGAIN:
            self._asked_at, self._said = at, self._ask()
        agent, absent, seen = self._said
        record = self._read(lambda ledger: _record(ledger, at), Record())
        return Standing(
            at=at,
            agent=agent,
            absent=absent,
            stopped=agent.stopped if agent else self._stop_file(),
            seen=seen,
            incidents=record.live,
            settled=record.settled,
            changes=record.changes,
        )

    def news(self) -> list[Entry]:
        """The ledger's lines since this was last asked; the first time none, for they are no news."""
        if self._told is None:
            self._told = self._read(_last, 0)
            return []
        lines = self._read(self._since_told, list[Entry]())
        self._told = lines[-1].seq if lines else self._told
        return lines

    async def _since_told(self, ledger: Ledger) -> list[Entry]:
        return await ledger.entries(after=self._told or 0)

    def _ask(self) -> tuple[Status | None, str, tuple[Observation, ...]]:
        try:
            status = wire.from_plain(self._control.ask("status"), Status)
            facts = [wire.from_plain(one, Observation) for one in self._control.ask("facts")]
        except (Unavailable, Refused) as problem:
            return None, f"{problem}{_perhaps_roots(self._home)}", ()
        return status, "", tuple(facts)

    def _read(self, work: Callable[[SqliteLedger], Coroutine[Any, Any, T]], otherwise: T) -> T:
        """What `work` reads; `otherwise` where nothing is recorded yet, or it is not ours to read."""
        try:
            self._ledger = self._ledger or open_record(self._home.ledger)
            return self._runner.run(work(self._ledger))
        except (Unavailable, Refused):
            return otherwise

    def _stop_file(self) -> str | None:
        try:
            return self._home.stop_file.read_text().strip() or "somebody stopped it"
        except OSError:
            return None


def _perhaps_roots(home: Home) -> str:
    """Whether an agent runs in a folder that we may not look into cannot be seen: it is only said that it may."""
    if os.geteuid() == 0 or home.run == ROOTS_RUN or not ROOTS_RUN.is_dir():
        return ""
    return "; one of root's may: `sudo groundskeeper status` shows it"


class Record(NamedTuple):
    """What the ledger holds of the last day, and what is live from before."""

    live: tuple[Incident, ...] = ()
    settled: tuple[Incident, ...] = ()
    changes: tuple[Change, ...] = ()


async def _record(ledger: Ledger, at: datetime) -> Record:
    lately = at - LATELY
    settled = [one for one in await ledger.incidents(live=False, since=lately) if not one.live]
    return Record(tuple(await ledger.incidents()), tuple(settled), tuple(await ledger.changes(since=lately)))


async def _last(ledger: SqliteLedger) -> int:
    return ledger.last
