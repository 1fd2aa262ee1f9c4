"""Tells which sources our table refuses: what is there at the start, and each change as the kernel announces it."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from groundskeeper.lib import netlink
from groundskeeper.lib.clock import Clock
from groundskeeper.lib.netlink import Message, Netlink, Overrun
from groundskeeper.model import Fact, Refused, Unavailable
from groundskeeper.subsystems.firewall.table import ADDED, NEWS, REMOVED, Ban, Table, elements_of
from groundskeeper.subsystems.firewall.types import SourceRefusal

ROOM = 1 << 20
AGAIN = timedelta(seconds=1)
LONG = timedelta(days=1)
SWEEP = 60.0


class RefusalSensor:
    """The kernel says nothing when a ban ends by time: `until` says that beforehand."""

    name = "refused sources"

    def __init__(self, clock: Clock, table: Table) -> None:
        self._clock, self._table = clock, table
        self._told: dict[str, SourceRefusal] = {}

    async def run(self, seen: Callable[[Fact], None]) -> None:
        try:
            news = Netlink(netlink.NETFILTER, groups=(NEWS,), room=ROOM)
        except PermissionError as problem:
            raise Refused("seeing what the firewall refuses needs root") from problem
        except OSError as problem:
            raise Refused("this kernel has no nftables") from problem
        with closing(news):
            lost = asyncio.get_running_loop().create_future()
            for source, ban in self._table.bans():
                self._say(source, ban, seen)
            loop = asyncio.get_running_loop()
            loop.add_reader(news.fileno(), self._hear, news, seen, lost)
            try:
                while not lost.done():
                    await asyncio.wait([lost], timeout=SWEEP)
                    self._forget(seen)
                lost.result()
            finally:
                loop.remove_reader(news.fileno())

    def _hear(self, news: Netlink, seen: Callable[[Fact], None], lost: asyncio.Future[None]) -> None:
        try:
            for message in news.receive():
                self._tell(message, seen)
        except Overrun as problem:
            if not lost.done():
                lost.set_exception(Unavailable(f"the firewall changed too fast to follow: {problem.strerror}", AGAIN))

    def _tell(self, message: Message, seen: Callable[[Fact], None]) -> None:
        if message.kind == ADDED:
            for source, ban in elements_of(message):
                self._say(source, ban, seen)
        elif message.kind == REMOVED:
            for source, _ in elements_of(message):
                self._say(source, Ban(timedelta(), ""), seen)

    def _say(self, source: str, ban: Ban, seen: Callable[[Fact], None]) -> None:
        now = self._clock.now()
        refusal = SourceRefusal(source=source, since=now, until=now + ban.left)
        self._told[source] = refusal
        seen(refusal)

    def _forget(self, seen: Callable[[Fact], None]) -> None:
        """The last words about those that were let in again a day ago."""
        long_ago = self._clock.now() - LONG
        for source, refusal in list(self._told.items()):
            if refusal.until < long_ago:
                del self._told[source]
                seen(SourceRefusal(source=source, since=refusal.since, until=refusal.until, forgotten=True))
