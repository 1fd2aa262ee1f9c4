"""Watches resolv.conf, and asks its servers every two seconds whether they still answer."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from groundskeeper.lib.clock import Clock
from groundskeeper.lib.inotify import Inotify
from groundskeeper.model import Fact
from groundskeeper.subsystems.network import kernel
from groundskeeper.subsystems.resolver import candidates, conf, dns
from groundskeeper.subsystems.resolver.asking import Asked, ask_all
from groundskeeper.subsystems.resolver.memory import ResolverMemory
from groundskeeper.subsystems.resolver.types import NameServer, Resolver

WELL, FAILING = 2.0, 0.5
DOUBTFUL = 0.2
"""A first failure is asked again sooner."""
LARGEST = 1 << 16
"""A larger file is none that a person or a program wrote for this purpose."""
PROVEN = timedelta(seconds=10)
"""How long servers must have worked in use before they are remembered as good."""
PLAIN = Path("/etc/resolv.conf")
NOBODY = "127.0.0.1"
"""Whom the C library asks where no server is named."""


class File(NamedTuple):
    """resolv.conf as it is now. `target` is the file that its name leads to; None where there is none."""

    target: Path | None
    content: str

    @property
    def digest(self) -> str:
        told = f"{self.target}\0{self.content}".encode("utf-8", "surrogateescape")
        return hashlib.sha256(told).hexdigest()[:16]


def read(path: Path) -> File:
    """Whatever the name leads to: a device, a pipe or a dangling link are no file."""
    try:
        target = path.resolve(strict=True)
        if not target.is_file():
            return File(None, "")
        with target.open("rb") as file:
            return File(target, file.read(LARGEST + 1).decode("utf-8", "surrogateescape"))
    except (OSError, RuntimeError):
        return File(None, "")


class ResolverSensor:
    """`fallback` are servers that policy allows beside those that the machine knows of by itself."""

    name = "name resolution"

    def __init__(
        self,
        clock: Clock,
        memory: ResolverMemory,
        fallback: tuple[str, ...] = (),
        path: Path = PLAIN,
        port: int = dns.PORT,
        root: Path = Path("/"),
    ) -> None:
        self._clock = clock
        self._memory = memory
        self._fallback = fallback
        self._path = path
        self._port = port
        self._root = root
        self._wake = asyncio.Event()
        self._told: Resolver | None = None
        self._worked_at: datetime | None = None
        self._worked_as = ""

    async def run(self, seen: Callable[[Fact], None]) -> None:
        self._told = None
        try:
            watcher = Inotify()
        except OSError:  # The user's file watchers are used up: resolv.conf is then read with each question
            await self._watch(None, seen)
            return
        loop = asyncio.get_running_loop()
        with watcher:
            loop.add_reader(watcher.fileno(), self._changed, watcher)
            try:
                await self._watch(watcher, seen)
            finally:
                loop.remove_reader(watcher.fileno())

    async def _watch(self, watcher: Inotify | None, seen: Callable[[Fact], None]) -> None:
        while True:
            self._wake.clear()
            self._follow(watcher)
            fact = await self._look()
            pace = self._pace(fact)
            if fact != self._told:
                self._told = fact
                seen(fact)
            with suppress(TimeoutError):
                async with asyncio.timeout(pace):
                    await self._wake.wait()

    def _pace(self, fact: Resolver) -> float:
        if fact.working:
            return WELL
        return FAILING if self._told and not self._told.working else DOUBTFUL

    def _changed(self, watcher: Inotify) -> None:
        names = {self._path.name, self._target_name()}
        if any(event.name in names or not event.name for event in watcher.read()):
            self._wake.set()

    def _target_name(self) -> str:
        with suppress(OSError, RuntimeError):
            return self._path.resolve().name
        return self._path.name

    def _follow(self, watcher: Inotify | None) -> None:
        """Watch the folder of the name, and the one that it leads to."""
        if watcher is None:
            return
        with suppress(OSError, RuntimeError):  # A folder that is not there yet is tried again with the next look
            watcher.watch(self._path.parent)
            watcher.watch(self._path.resolve().parent)

    async def _look(self) -> Resolver:
        file = read(self._path)
        servers = conf.servers(file.content)
        asked = servers or (NOBODY,)
        known_good = tuple(server for server in self._memory.good if server not in asked)
        doubtful = self._changed_since_told(file) or not self._works_as_told()
        control = (*asked[1:], *(known_good[:2] if doubtful else ()))
        answers = await ask_all(asked, control, port=self._port)
        working = (
            self._memory.satisfied(answers[asked[0]]) if servers or self._memory.satisfied(answers[NOBODY]) else False
        )
        found = () if working else await self._candidates(asked, answers)
        self._remember(file, asked, answers, working)
        return Resolver(
            path=str(self._path),
            keeper=conf.keeper(file.target, file.content),
            digest=file.digest,
            servers=tuple(self._server(server, answers[server]) for server in servers),
            working=working,
            since=self._told.since if self._told and self._told.working == working else self._clock.now(),
            candidates=found,
            searched=not working,
        )

    def _changed_since_told(self, file: File) -> bool:
        return self._told is None or self._told.digest != file.digest

    def _works_as_told(self) -> bool:
        return self._told is None or self._told.working

    def _server(self, server: str, asked: Asked) -> NameServer:
        return NameServer(
            address=server,
            answers=self._memory.satisfied(asked),
            how=asked.how,
            sure=asked.sure,
            local=conf.is_local(server),
        )

    async def _candidates(self, asked: tuple[str, ...], answers: dict[str, Asked]) -> tuple[str, ...]:
        """Servers that answer now: those in use further down, then those known to be good, then what else is known."""
        others = [
            *asked,
            *self._memory.good,
            *candidates.known_on_this_machine(self._root),
            *_gateways(),
            *self._fallback,
        ]
        known = tuple(server for server in dict.fromkeys(others) if self._satisfies(server, answers))
        if known:
            return known
        unknown = [server for server in dict.fromkeys(others) if server not in answers]
        answers = await ask_all(unknown, unknown, port=self._port)
        return tuple(server for server in unknown if self._satisfies(server, answers))

    def _satisfies(self, server: str, answers: dict[str, Asked]) -> bool:
        return server in answers and self._memory.satisfied(answers[server])

    def _remember(self, file: File, asked: tuple[str, ...], answers: dict[str, Asked], working: bool) -> None:
        """Servers count as good once they have worked in use, under the same file, for a while."""
        now = self._clock.now()
        if not working or self._worked_at is None or self._worked_as != file.digest:
            self._worked_at, self._worked_as = (now if working else None), file.digest
        if self._worked_at is not None and (now - self._worked_at >= PROVEN or not self._memory.good):
            self._memory.proven(asked, answers)


def _gateways() -> tuple[str, ...]:
    try:
        with kernel.opened() as asking:
            picture = kernel.look(asking)
    except OSError:
        return ()
    return tuple(route.via for route in picture.routes if route.default and route.via)
