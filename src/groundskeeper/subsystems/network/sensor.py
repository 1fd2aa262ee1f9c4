"""Watches the network: the kernel announces every change, and each announcement leads to a look at the whole.

Looking again at everything takes less than a millisecond and cannot miss anything; adding announcements up can (the
kernel does not announce the IPv4 routes that go with a link), and lost announcements need no special path.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from groundskeeper.lib import atomic
from groundskeeper.lib.clock import Clock
from groundskeeper.lib.netlink import ROUTE, Message, Netlink, Overrun
from groundskeeper.model import Fact, Refused
from groundskeeper.subsystems.network import baseline, configured, kernel, makers, rtnetlink
from groundskeeper.subsystems.network.baseline import Kept, Key, Limits, Moment, Stored
from groundskeeper.subsystems.network.gateways import Gateways
from groundskeeper.subsystems.network.rtnetlink import LOWER_UP, UP, LinkRow, Picture
from groundskeeper.subsystems.network.types import Address, Addresses, Link, NetworkBaseline, Routes

_ROOM = 1 << 20
_MOST_ROUTES = 256
_SETTLING = 0.002
_PASSING = (0.0, 0.002, 0.006, 0.012)
"""When to look whether the hand that took something away is still there; a command's is gone by the last."""
_HELD_AGAIN = 0.1
_BURST, _BREATH = 20, 0.1
_LONGEST_WORK = 60.0


class NetworkSensor:
    """`store` is a small file in which the baseline outlives the agent; None keeps it in memory only."""

    name = "network"

    def __init__(self, clock: Clock, store: Path | None, limits: Limits | None = None) -> None:
        self._clock = clock
        self._store = store
        self._limits = limits or Limits()

    async def run(self, seen: Callable[[Fact], None]) -> None:
        try:
            listening = Netlink(ROUTE, rtnetlink.GROUPS, room=_ROOM)
        except OSError as problem:
            raise Refused(f"the kernel does not tell of the network here ({problem.strerror})") from problem
        with listening, kernel.opened() as asking:
            await _Watch(listening, asking, self._clock, self._store, self._limits, seen).run()


class _Watch:
    """One run of the sensor, with its two sockets."""

    def __init__(
        self,
        listening: Netlink,
        asking: Netlink,
        clock: Clock,
        store: Path | None,
        limits: Limits,
        seen: Callable[[Fact], None],
    ) -> None:
        self._listening = listening
        self._asking = asking
        self._clock = clock
        self._store = store
        self._limits = limits
        self._seen = seen
        self._told: dict[tuple[type, str], Fact] = {}
        self._makers: dict[int, int] = {}
        self._names: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._gateways = Gateways(clock, asking, self._tell)
        self._life = makers.life()
        self._memory: dict[Key, Kept] = {}
        self._meant: frozenset[Key] = frozenset()
        self._held_since = 0.0
        self._recall()

    def _recall(self) -> None:
        """What was steady before the agent stopped. After a reboot the machine first gets the time to start."""
        self._saved: Stored | None = None
        self._judged_from = self._clock.now()
        if self._store is None:
            return
        with suppress(OSError, msgspec.DecodeError):  # None yet, or damaged: learned anew within a minute
            self._saved = msgspec.json.decode(self._store.read_bytes(), type=Stored)
            self._memory = baseline.recalled(self._saved, self._clock.elapsed(), self._limits)
            if self._saved.life != self._life:
                self._judged_from += self._limits.steady

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._listening.fileno(), self._heard)
        recent: deque[float] = deque(maxlen=_BURST)
        try:
            while True:
                self._wake.clear()
                recent.append(loop.time())
                again = await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(again):  # wait_for of 3.11 can swallow a cancellation here
                        await self._wake.wait()
                if len(recent) == _BURST and loop.time() - recent[0] < 1.0:
                    await asyncio.sleep(_BREATH)  # a storm of changes must not become one of looking
        finally:
            loop.remove_reader(self._listening.fileno())

    def _heard(self) -> None:
        try:
            messages = self._listening.receive()
        except Overrun:
            self._wake.set()
            return
        for message in messages:
            self._note(message)

    def _note(self, message: Message) -> None:
        if message.kind in (rtnetlink.NEWNEIGH, rtnetlink.DELNEIGH):
            row = rtnetlink.neighbour_row(message)
            if row and self._gateways.concerns(row.address):
                self._gateways.check()
            return
        index = rtnetlink.about(message)
        if message.port and index:
            self._makers[index] = message.port
        self._wake.set()

    async def _look(self) -> float | None:
        """Look at everything and tell what is new; gives the seconds until time alone calls for another look."""
        picture = await self._settled()
        taken_by, self._makers = self._makers, {}
        lost = self._lost(picture)
        removed = await self._removed(lost, taken_by) if lost else frozenset()
        missing = bool(lost) or any(kept.gone is not None for kept in self._memory.values())
        held_by = self._at_work() if missing else ""
        self._learn(picture, removed, held_by)
        self._names |= {row.name: row.ifindex for row in picture.links.values()}
        due = [_HELD_AGAIN if held_by else None, self._gateways.due()]
        due.append(baseline.next_change(self._memory, self._clock.elapsed(), self._limits))
        return min((after for after in due if after is not None), default=None)

    def _at_work(self) -> str:
        """Who is changing the network just now; one that has been at it for a minute is stuck and holds up nothing."""
        name, now = makers.at_work(), self._clock.elapsed()
        self._held_since = (self._held_since or now) if name else 0.0
        return name if now - self._held_since < _LONGEST_WORK else ""

    async def _settled(self) -> Picture:
        """The picture, once what took something away has finished: a link goes down before its routes do."""
        picture = kernel.look(self._asking)
        for _ in range(8):
            if not self._lost(picture):
                break
            await asyncio.sleep(_SETTLING)
            before, picture = picture, kernel.look(self._asking)
            if picture == before:
                break
        return picture

    def _lost(self, picture: Picture) -> set[Key]:
        present = baseline.things(picture, self._clock.now())
        return {key for key, kept in self._memory.items() if kept.gone is None and key not in present}

    async def _removed(self, lost: set[Key], taken_by: Mapping[int, int]) -> frozenset[Key]:
        """Of what was lost, what somebody took away who may."""
        hands = {taken_by[index] for index in map(self._index, lost) if index in taken_by}
        for pause in _PASSING:
            await asyncio.sleep(pause)
            hands = {port for port in hands if makers.still_open(port)}
            if not hands:
                break
        given = {key for key in lost if taken_by.get(self._index(key)) in hands or makers.put_down(key[1])}
        return frozenset(given)

    def _index(self, key: Key) -> int:
        return self._names.get(key[1], 0)

    def _learn(self, picture: Picture, removed: frozenset[Key], held_by: str) -> None:
        now, elapsed = self._clock.now(), self._clock.elapsed()
        moment = Moment(elapsed, now, self._gateways.works(picture.routes), removed, self._named(picture))
        self._memory = baseline.learn(self._memory, picture, moment, self._limits)
        if all(kept.gone is None for kept in self._memory.values()):
            self._judged_from = min(self._judged_from, now)  # it has started: everything is there
        expected = baseline.expected(self._memory, moment, self._limits, self._judged_from, held_by)
        self._tell(expected)
        self._save(expected)
        self._report(picture)
        self._gateways.follow(picture, expected.routes)

    def _named(self, picture: Picture) -> frozenset[Key]:
        """What the settings name of what is there; they are read when something new has come."""
        present = baseline.things(picture, self._clock.now())
        if any(key not in self._memory for key in present):
            things = [(key, what) for key, (what, _) in present.items()]
            self._meant = configured.meant(things, configured.words())
        return self._meant

    def _save(self, expected: NetworkBaseline) -> None:
        kept = baseline.stored(expected, self._life)
        if self._store is None or kept == self._saved or self._clock.now() < self._judged_from:
            return
        with suppress(OSError):  # A full or read-only disk: it is learned anew after a restart
            atomic.write(self._store, msgspec.json.encode(kept))
            self._saved = kept

    def _report(self, picture: Picture) -> None:
        names = picture.names
        self._tell(Routes(routes=picture.routes[:_MOST_ROUTES]))
        held: dict[str, list[Address]] = {}
        for row in picture.addresses:
            held.setdefault(names.get(row.ifindex, ""), []).append(row.address)
        links = {row.name: row for row in picture.links.values()}
        before = {fact.name for fact in self._told.values() if isinstance(fact, Link) and fact.present}
        for name in sorted(before | {row.name for row in links.values() if row.flags & UP}):
            addresses = sorted(held.get(name, ()), key=lambda address: address.address)
            self._tell(Addresses(link=name, addresses=tuple(addresses)))
            self._tell(_link(links[name], names) if name in links else _gone(name))

    def _tell(self, fact: Fact) -> None:
        """Pass a fact on, if it says something new."""
        key = (type(fact), fact.subject)
        if self._told.get(key) != fact:
            self._told[key] = fact
            self._seen(fact)


def _link(row: LinkRow, names: Mapping[int, str]) -> Link:
    return Link(
        name=row.name,
        up=bool(row.flags & UP),
        carrier=bool(row.flags & UP and row.flags & LOWER_UP),
        mtu=row.mtu,
        kind=row.kind,
        master=names.get(row.master, ""),
    )


def _gone(name: str) -> Link:
    return Link(name=name, up=False, carrier=False, present=False)
