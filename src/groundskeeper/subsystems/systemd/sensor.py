"""Watches services through systemd's signals: no polling, one connection, about nothing while nothing happens."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from dbus_fast import Message
from msgspec import structs

from groundskeeper.lib.clock import Clock
from groundskeeper.model import Fact, Refused, Stale, Unavailable
from groundskeeper.subsystems.systemd.bus import (
    PROPERTIES,
    SERVICE,
    UNIT,
    Bus,
    bare,
    unit_name,
    unit_path,
)
from groundskeeper.subsystems.systemd.life import DOWN, KEPT, RUNNING, Life, Nature
from groundskeeper.subsystems.systemd.roster import Roster, Running
from groundskeeper.subsystems.systemd.types import UnitState

_NATURE = (
    (SERVICE, "Type"),
    (UNIT, "UnitFileState"),
    (UNIT, "Transient"),
    (UNIT, "TriggeredBy"),
    (SERVICE, "BusName"),
)
_OF_SERVICE = frozenset({"Result", "MainPID", "NRestarts", "ExecMainCode", "ExecMainStatus"})
_STATE = tuple((SERVICE if name in _OF_SERVICE else UNIT, name) for name in (*KEPT, "Job"))
_AGAIN = timedelta(seconds=60)
_QUIET = timedelta(seconds=0.5)
_LINES, _LINE = 5, 300
"""Last words: so many lines, each at most so long."""


class UnitSensor:
    """Facts: UnitState of every service that is meant to last, UnitFailures of those that failed."""

    name = "services"

    def __init__(self, bus: Bus, clock: Clock, roster: Roster) -> None:
        self._bus = bus
        self._clock = clock
        self._roster = roster
        self._lives: dict[str, Life] = {}
        self._ignored: set[str] = set()
        self._told: dict[str, UnitState] = {}
        self._asides: set[asyncio.Task[None]] = set()

    async def run(self, seen: Callable[[Fact], None]) -> None:
        if not Path("/run/systemd/system").is_dir():
            self._roster.refusal = "this machine is not run by systemd, so its services cannot be watched or restarted"
            raise Refused(self._roster.refusal)
        self._told.clear()
        try:
            async with self._bus.signals(_concerns_services) as queue:
                await self._first_look(seen)
                while (message := await queue.get()) is not None:
                    await self._hear(message, seen)
        finally:
            for aside in self._asides:
                aside.cancel()
        raise Unavailable("the connection to the system bus was lost", timedelta(milliseconds=200))

    async def _first_look(self, seen: Callable[[Fact], None]) -> None:
        """Every loaded service. One that was known before keeps its failures, but not what it was told."""
        [listed] = await self._bus.call("ListUnitsByPatterns", "asas", [], ["*.service"])
        units = {row[0] for row in listed if row[2] not in ("not-found", "masked")}
        for unit in (self._lives.keys() | self._ignored) - units:
            self._forget(unit)
        for unit in units:
            await self._meet(unit)
            self._tell(unit, seen)

    async def _meet(self, unit: str) -> None:
        """Learn what a unit is and how it is now."""
        path = unit_path(unit)
        try:
            type_, file_state, transient, triggered_by, bus_name = await self._bus.gets(path, *_NATURE)
            nature = Nature(str(type_), str(file_state), bool(transient), tuple(triggered_by), str(bus_name))
            if not nature.lasts(unit):
                self._ignored.add(unit)
                return
            *told, job = await self._bus.gets(path, *_STATE)
        except Stale:
            return
        state = dict(zip(KEPT, told, strict=True))
        if state["LoadState"] == "not-found":
            # Gone since it was listed (a transient unit), or only mentioned by another.
            return
        before, life = self._lives.get(unit), Life(unit, nature, state, int(job[0]))
        if before is not None:
            life.resume(before)
        self._lives[unit] = life

    async def _hear(self, message: Message, seen: Callable[[Fact], None]) -> None:
        now = self._clock.now()
        match message.member:
            case "PropertiesChanged":
                unit = unit_name(message.path or "")
                if unit in self._ignored:
                    return
                if unit not in self._lives:
                    await self._meet(unit)
                    self._tell(unit, seen)
                    return
                whole, failed = message.body[0] == UNIT, False
                changed = {name: bare(value) for name, value in message.body[1].items()}
                failed = self._lives[unit].hear(changed, now)
                if whole:
                    # systemd tells the service's own half just before: only now are both of the same moment.
                    self._tell(unit, seen, failed)
            case "JobNew" if (life := self._lives.get(message.body[2])) is not None:
                life.job_opened(int(message.body[0]))
            case "JobRemoved" if (life := self._lives.get(message.body[2])) is not None:
                failed = life.job_closed(int(message.body[0]), message.body[3], now)
                self._tell(life.unit, seen, failed)
            case "UnitFilesChanged":
                self._ignored.clear()
                await self._refresh(seen)
            case _:
                pass

    async def _refresh(self, seen: Callable[[Fact], None]) -> None:
        """Unit files changed: what is enabled or masked may be another set now."""
        for unit, life in list(self._lives.items()):
            try:
                file_state, load = await self._bus.gets(unit_path(unit), (UNIT, "UnitFileState"), (UNIT, "LoadState"))
            except Stale:
                self._forget(unit)
                continue
            life.nature = life.nature._replace(file_state=file_state)
            life.hear({"LoadState": load}, self._clock.now())
            self._tell(unit, seen)

    def _tell(self, unit: str, seen: Callable[[Fact], None], failed: bool = False) -> None:
        life = self._lives.get(unit)
        state = life.state if life else None
        if life is None or state is None:
            return
        if failed:
            # Before the state: whoever would start it again must know by then that it fails again and again.
            seen(life.failures)
            if life.failed_within(_AGAIN, self._clock.now()) > 1:
                self._aside(self._listen_to_last_words(life, seen))
        told = self._told.get(unit)
        if told is None or structs.replace(told, since=state.since) != state:
            # A time alone is no news: systemd sets it anew when it reads its unit files again.
            self._told[unit] = state
            seen(state)
        if state.active in RUNNING:
            self._roster.put(Running(unit, state.invocation, state.main_pid))
        else:
            self._roster.drop(unit)

    def _forget(self, unit: str) -> None:
        self._lives.pop(unit, None)
        self._ignored.discard(unit)
        self._roster.drop(unit)

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def _listen_to_last_words(self, life: Life, seen: Callable[[Fact], None]) -> None:
        if life.active in DOWN:
            # Not now: starting a process takes the very milliseconds in which the service is to be started again.
            await self._clock.sleep(_QUIET)
        words = await last_words(life.unit)
        if words and words != life.last_words:
            life.last_words = words
            seen(life.failures)


def _concerns_services(message: Message) -> bool:
    """Cuts away, before anything is decoded further, what is no service: mounts, timers, sessions."""
    if message.interface == PROPERTIES:
        return str(message.path).endswith("_2eservice") and message.body[0] in (UNIT, SERVICE)
    return message.member == "UnitFilesChanged" or str(message.body[2]).endswith(".service")


async def last_words(unit: str) -> tuple[str, ...]:
    """The newest lines of a unit's log, oldest first; empty where the journal cannot be read."""
    argv = ("journalctl", "--quiet", "--no-pager", f"--unit={unit}", f"--lines={_LINES}", "--output=cat")
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return ()
    try:
        async with asyncio.timeout(5):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ()
    return tuple(line[:_LINE] for line in out.decode(errors="replace").splitlines() if line.strip())
