"""Watches whether services that run also answer. systemd cannot tell: a stopped or stuck process is still "active".

The kernel has no event for it either, so the cheapest signs are looked at a few times a second, in microseconds:

1. a process of the service is paused (state T); looked at three times a second;
2. something waits at a socket on which it listens; looked at half as often.

Either (for the second: at two looks in a row) makes us ask the service at once, in its own language; without a sign it
is asked every few seconds. It is said not to answer only when it was asked and did not answer: at once where a process
is paused, otherwise twice. A process that stays paused while others of the service answer for it is told after two
seconds: its own clients wait.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from groundskeeper.lib.clock import Clock
from groundskeeper.model import Fact, GroundskeeperError, Refused
from groundskeeper.subsystems.process.machine import waited
from groundskeeper.subsystems.process.stat import stat
from groundskeeper.subsystems.systemd.bus import SERVICE, Bus, unit_path
from groundskeeper.subsystems.systemd.checks import learn, unanswered
from groundskeeper.subsystems.systemd.members import sockets
from groundskeeper.subsystems.systemd.roster import Roster
from groundskeeper.subsystems.systemd.sockets import Listener, Queues, Sockets
from groundskeeper.subsystems.systemd.types import Check, ServiceAnswers, Speaks
from groundskeeper.subsystems.systemd.watch import Watch

TICK = timedelta(milliseconds=300)
QUEUES_EVERY = 2
"""Ticks."""
MEMBERS_EVERY = 5.0
PACE = {Speaks.HTTP: 10.0, Speaks.POSTGRESQL: 10.0, Speaks.DNS: 5.0}
"""Seconds between questions without a sign. Who greets is not asked so: each question would be a line in its log."""
PAUSED_TOO_LONG = 2.0
FIRST, SECOND = timedelta(milliseconds=400), timedelta(seconds=1)
WHEN_PAUSED = timedelta(milliseconds=150)
A_MOMENT = timedelta(milliseconds=50)
NOBODY_LEFT = "cannot answer"
AGAIN_WHILE_FAILING = 0.25
REOPENS_WITHIN = timedelta(seconds=1)
LATE, STARVED_FOR = 0.3, 3.0
"""Seconds. Woken so much too late, we cannot tell a service that hangs from one that is not let run, for so long."""
CROWDED = 0.5
"""Share of the time in which somebody waited for the processor (PSI)."""
IN_DOUBT, ASK_AGAIN_IN_DOUBT = 10.0, 0.5
"""Seconds for which a service is asked again before it is said to hang on a machine like that."""
MOST_CHECKS = 6
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Moment(NamedTuple):
    """Seconds since boot, and seconds in which somebody waited for the processor until then (-1: not known)."""

    at: float
    waited: float


class AnswerSensor:
    """Facts: ServiceAnswers of every running service that listens."""

    name = "whether services answer"

    def __init__(self, bus: Bus, clock: Clock, roster: Roster) -> None:
        self._bus = bus
        self._clock = clock
        self._roster = roster

    async def run(self, seen: Callable[[Fact], None]) -> None:
        if not Path("/run/systemd/system").is_dir():
            raise Refused("this machine is not run by systemd, so which services listen cannot be learned")
        with closing(Sockets()) as questions, closing(Queues()) as queues:
            lookout = Lookout(self._bus, self._clock, self._roster, questions, queues, seen)
            try:
                await lookout.run()
            finally:
                lookout.close()


class Lookout:
    """One run of the sensor, from the first look until it is cancelled."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        roster: Roster,
        questions: Sockets,
        queues: Queues,
        seen: Callable[[Fact], None],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._roster = roster
        self._questions = questions
        self._queues = queues
        self._seen = seen
        self._watches: dict[str, Watch] = {}
        self._asides: set[asyncio.Task[None]] = set()
        self._looks = 0
        self._starved_until = 0.0
        self._faults: list[BaseException] = []

    async def run(self) -> None:
        self._roster.changed.set()
        while not self._faults:
            if self._roster.changed.is_set():
                self._roster.changed.clear()
                await self._follow_roster()
            if not self._watches:
                await self._roster.changed.wait()
                continue
            self._look()
            before = self._clock.elapsed()
            await self._clock.sleep(TICK)
            if self._clock.elapsed() - before > TICK.total_seconds() + LATE:
                self._starved_until = before + STARVED_FOR
        raise self._faults.pop()

    def close(self) -> None:
        for aside in self._asides:
            aside.cancel()
        for watch in self._watches.values():
            watch.close()

    async def _follow_roster(self) -> None:
        now = self._clock.elapsed()
        for unit, watch in list(self._watches.items()):
            if self._roster.running.get(unit) != watch.service:
                self._watches.pop(unit).close()
                self._follow()
        for unit, service in list(self._roster.running.items()):
            if unit not in self._watches:
                try:
                    group = str(await self._bus.get(unit_path(unit), SERVICE, "ControlGroup"))
                except GroundskeeperError:
                    continue  # It ended again; the roster will say so
                self._watches[unit] = Watch(service, group, now)

    def _follow(self) -> None:
        self._queues.follow(listener for watch in self._watches.values() for listener in watch.listeners)

    def _look(self) -> None:
        """One tick: microseconds for each process of each service that listens."""
        now, self._looks = self._clock.elapsed(), self._looks + 1
        queues = self._queues.look() if self._looks % QUEUES_EVERY == 0 else None
        for watch in self._watches.values():
            if watch.learning_due(now):
                watch.learned += 1
                self._aside(watch, self._learn(watch))
            elif watch.checks and not watch.asking:
                self._judge(watch, queues, now)

    def _judge(
        self,
        watch: Watch,
        queues: tuple[set[int], set[int]] | None,
        now: float,
    ) -> None:
        """Most often nothing is to be done, and this must be nothing too."""
        if now - watch.members_at >= MEMBERS_EVERY:
            watch.refresh_members(now)
        paused = watch.paused()
        watch.paused_since = (watch.paused_since or now) if paused else None
        waited = False
        if queues is not None:
            waiting, gone = queues
            queued = not waiting.isdisjoint(watch.inodes)
            waited, watch.queued = watch.queued and queued, queued
            if not gone.isdisjoint(watch.inodes):
                self._aside(watch, self._learn_anew(watch))
                return
        if paused or waited or now >= watch.ask_at:
            self._aside(watch, self._ask(watch, paused))

    async def _ask(self, watch: Watch, paused: tuple[int, ...]) -> None:
        before = Moment(self._clock.elapsed(), _waited())
        if paused:
            trouble = await self._when_paused(watch, paused)
        else:
            trouble = await self._when_silent(watch)
        now = self._clock.elapsed()
        watch.ask_at = now + watch.pace
        still = tuple(pid for pid in paused if (one := stat(pid)) and one.state == "T")
        if still and not trouble and watch.paused_since is not None and now - watch.paused_since < PAUSED_TOO_LONG:
            return
        if still:
            trouble = _paused(still, trouble)
        elif paused and trouble:
            watch.ask_at = now  # It went on meanwhile: ask again
            return
        elif trouble and self._doubtful(watch, before, now):
            watch.ask_at = now + ASK_AGAIN_IN_DOUBT
            return
        watch.doubted_since = None
        if trouble:
            watch.ask_at = now + AGAIN_WHILE_FAILING
        self._tell(watch, trouble, still)

    def _doubtful(self, watch: Watch, before: "Moment", now: float) -> bool:
        """Whether it may be starved of processor time rather than stuck: a restart would only want more of that.

        Where everybody waits for the processor, and where we ourselves are let run too late, it is given longer.
        """
        until = _waited()
        share = (until - before.waited) / (now - before.at) if until >= 0 and now > before.at else 0.0
        if share < CROWDED and now >= self._starved_until:
            return False
        watch.doubted_since = watch.doubted_since or before.at
        return watch.failing_since is None and now - watch.doubted_since < IN_DOUBT

    async def _when_silent(self, watch: Watch) -> str:
        trouble = await self._trouble(watch, FIRST)
        return await self._trouble(watch, SECOND) if trouble and watch.failing_since is None else trouble

    async def _when_paused(self, watch: Watch, paused: tuple[int, ...]) -> str:
        """Where all are paused nobody is left to ask; they are looked at once more, in case it was for a moment."""
        if len(paused) < len(watch.stats):
            return await self._trouble(watch, WHEN_PAUSED)
        await self._clock.sleep(A_MOMENT)
        return NOBODY_LEFT if len(watch.paused()) == len(watch.stats) else ""

    async def _trouble(self, watch: Watch, patience: timedelta) -> str:
        answers = await asyncio.gather(*(unanswered(check, patience) for check in watch.checks))
        return next((answer for answer in answers if answer), "")

    def _tell(self, watch: Watch, trouble: str, paused: tuple[int, ...]) -> None:
        now = self._clock.elapsed()
        if self._watches.get(watch.service.unit) is not watch:
            return
        watch.failing_since = (watch.failing_since or now) if trouble else None
        ago = timedelta(seconds=now - (watch.failing_since or now))
        fact = ServiceAnswers(
            unit=watch.service.unit,
            checks=watch.checks,
            ok=not trouble,
            reason=trouble or "; ".join(check.describe() for check in watch.checks),
            failing_since=self._clock.now() - ago if trouble else None,
            invocation=watch.service.invocation,
            paused=paused,
        )
        before = watch.told
        if before is None or (before.ok, before.checks, before.paused) != (fact.ok, fact.checks, fact.paused):
            watch.told = fact
            self._seen(fact)

    async def _learn_anew(self, watch: Watch) -> None:
        """It closed a socket. It may have other settings now; but one that is left without any is not well."""
        await self._clock.sleep(REOPENS_WITHIN)
        await self._learn(watch)
        if not watch.listeners and (trouble := await self._trouble(watch, FIRST)):
            watch.ask_at = self._clock.elapsed() + AGAIN_WHILE_FAILING
            self._tell(watch, trouble, ())

    async def _learn(self, watch: Watch) -> None:
        watch.refresh_members(self._clock.elapsed())
        held = sockets(watch.stats)
        everyone = [*self._questions.streams(), *(one for one in self._questions.datagrams() if one.port == 53)]
        mine = [listener for listener in everyone if listener.inode in held]
        watch.listeners = tuple(mine)
        watch.inodes = frozenset(listener.inode for listener in mine)
        self._follow()
        if not mine:
            return
        # What was learned stays; what showed nothing is tried again, since a busy machine may just have been slow.
        known = {
            (check.address, check.port, check.speaks is Speaks.DNS): check
            for check in watch.checks
            if check.speaks is not Speaks.NOTHING
        }
        checks: list[Check] = []
        for address, listener in _doors(mine)[:MOST_CHECKS]:
            check = known.get((address, listener.port, not listener.stream))
            if check is None:
                owner = stat(held[listener.inode])
                check = await _learned(address, listener, owner.name if owner else "")
            if check:
                checks.append(check)
        watch.checks = tuple(checks)
        watch.pace = min((PACE.get(check.speaks, math.inf) for check in checks), default=math.inf)
        watch.ask_at = min(watch.ask_at, self._clock.elapsed() + watch.pace)
        if watch.checks:
            self._tell(watch, "", ())

    def _aside(self, watch: Watch, work: Coroutine[Any, Any, None]) -> None:
        watch.asking = True
        task = asyncio.create_task(work)
        self._asides.add(task)
        task.add_done_callback(lambda done: self._done(watch, done))

    def _done(self, watch: Watch, task: asyncio.Task[None]) -> None:
        watch.asking = False
        self._asides.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            self._faults.append(fault)


async def _learned(address: str, listener: Listener, program: str) -> Check | None:
    if listener.stream:
        return await learn(address, listener.port, program)
    check = Check(address=address, port=listener.port, speaks=Speaks.DNS)
    return None if await unanswered(check) else check


def _doors(listeners: list[Listener]) -> list[tuple[str, Listener]]:
    """Where to ask: each port once, over IPv4 where it listens there; never a link-local address."""
    doors: dict[tuple[int, bool], tuple[str, Listener]] = {}
    for listener in sorted(listeners, key=lambda one: (":" in one.address, one.port)):
        address = _ANY.get(listener.address, listener.address)
        if not address.startswith("fe80"):
            doors.setdefault((listener.port, listener.stream), (address, listener))
    return list(doors.values())


def _paused(pids: tuple[int, ...], trouble: str) -> str:
    if trouble == NOBODY_LEFT:
        return "all of its processes are paused" if len(pids) > 1 else f"its process {pids[0]} is paused"
    who = f"its process {pids[0]} is" if len(pids) == 1 else f"{len(pids)} of its processes are"
    return f"{who} paused" + (f", and it {trouble}" if trouble else "")


def _waited() -> float:
    try:
        return waited(Path("/proc/pressure/cpu").read_bytes())
    except OSError:
        return -1.0
