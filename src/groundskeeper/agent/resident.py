"""The agent, put together and running."""

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from groundskeeper import wire
from groundskeeper.agent.control import serve
from groundskeeper.agent.home import Home
from groundskeeper.agent.host import LocalHost
from groundskeeper.agent.notify import notify, watchdog_pause
from groundskeeper.agent.policy import Effective, PolicySource
from groundskeeper.agent.status import Status
from groundskeeper.agent.wiring import Drivers, drivers
from groundskeeper.engine.cycle import Engine
from groundskeeper.engine.envelope import Envelope
from groundskeeper.engine.sensing import sense
from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.lib.clock import SystemClock
from groundskeeper.lib.identity import random_id
from groundskeeper.model import ChangeId, DeviceId, IncidentId, Refused, Unavailable, Watching
from groundskeeper.reasoning.policy import most
from groundskeeper.runbooks import REFLEXES, made

KEEP = timedelta(days=400)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LAST_WORDS = timedelta(seconds=15)
"""How long a stop waits for changes that are on probation."""


class Resident:
    """One agent. `run` returns when it was told to stop; whatever kills it, the next start goes on from the ledger."""

    def __init__(self, home: Home, device: DeviceId | None = None) -> None:
        self.home = home
        self.device = device or DeviceId(socket.gethostname())
        self._clock = SystemClock()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Raises Refused where another agent has this home, Corrupt or Unavailable where the ledger cannot be used."""
        self.home.make()
        with _only_one(self.home.lock):
            async with AsyncExitStack() as stack:
                await self._run(stack)

    async def _run(self, stack: AsyncExitStack) -> None:
        ledger = SqliteLedger(self.home.ledger)
        stack.push_async_callback(ledger.close)
        parts = drivers(self.home, self._clock)
        source = PolicySource(self.home, self._clock)
        envelope = Envelope(ledger, LocalHost(parts.effects, parts.probers), self._clock)
        engine = Engine(self.device, ledger, envelope, self._clock, random_id, source.stopped)
        self._since, self._source, self._engine = self._clock.now(), source, engine
        self._adopt(await source.load())
        server = await serve(self.home.socket, self._answers())
        stack.callback(self.home.socket.unlink, missing_ok=True)
        stack.callback(server.close)
        self._listen_for_signals()
        await self._work(engine, envelope, parts, ledger)

    async def _work(self, engine: Engine, envelope: Envelope, parts: Drivers, ledger: SqliteLedger) -> None:
        jobs = [
            engine.run(),
            sense(parts.sensors, self.device, self._clock, engine.observe),
            self._every(SECOND, self._look_at_policy),
            self._every(HOUR, lambda: ledger.forget(self._clock.now() - KEEP)),
            self._sign_of_life(),
        ]
        tasks = [asyncio.ensure_future(job) for job in jobs]
        stopping = asyncio.ensure_future(self._stop.wait())
        notify("READY=1")
        ended, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        notify("STOPPING=1")
        for task in [*tasks, stopping]:
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)
        await envelope.drain(LAST_WORDS)
        for task in ended - {stopping}:
            task.result()  # a job never ends by itself: what ended it is shown, and the next start goes on

    def _listen_for_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)

    async def _every(self, span: timedelta, call: Callable[[], Awaitable[object]]) -> None:
        while True:
            await self._clock.sleep(span)
            with suppress(Unavailable):  # a full disk passes; the next time does it
                await call()

    async def _sign_of_life(self) -> None:
        pause = watchdog_pause()
        while True:
            await asyncio.sleep(pause or 3600)
            if pause:
                notify("WATCHDOG=1")

    # -- policy -------------------------------------------------------------------------------------------------------

    def _adopt(self, effective: Effective) -> None:
        self._effective = effective
        reflexes = made(REFLEXES, effective.policy.rules)
        self._engine.adopt(effective.policy, effective.digest, reflexes)

    async def _look_at_policy(self) -> None:
        if self._source.changed():
            self._adopt(await self._source.load())

    # -- the door -----------------------------------------------------------------------------------------------------

    def _answers(self) -> Mapping[str, Callable[[Mapping[str, str]], Coroutine[Any, Any, Any]]]:
        return {
            "status": self._status,
            "facts": self._facts,
            "undo": self._undo,
            "approve": self._approve,
            "release": self._release,
        }

    async def _status(self, asked: Mapping[str, str]) -> Any:
        engine, policy = self._engine, self._engine.policy
        status = Status(
            device=self.device,
            pid=os.getpid(),
            since=self._since,
            policy=policy.name,
            policy_version=policy.version,
            policy_digest=engine.policy_hash,
            policy_problem=self._effective.problem,
            stopped=self._source.stopped(),
            autonomy={risk.value: level.value for risk, level in most(policy).items()},
            watching=tuple(fact for _, fact in engine.snapshot.of(Watching)),
            incidents=len(await engine.ledger.incidents()),
            unsettled_changes=len(await engine.ledger.changes(unsettled=True)),
        )
        return wire.plain(status)

    async def _facts(self, asked: Mapping[str, str]) -> Any:
        return [wire.plain(seen) for seen in self._engine.snapshot]

    async def _undo(self, asked: Mapping[str, str]) -> Any:
        outcome = await self._engine.undo(ChangeId(asked.get("change", "")), asked.get("who", "a person"))
        return wire.plain(outcome)

    async def _approve(self, asked: Mapping[str, str]) -> Any:
        await self._engine.approve(IncidentId(asked.get("incident", "")), asked.get("who", "a person"))
        return "begun"

    async def _release(self, asked: Mapping[str, str]) -> Any:
        return await self._engine.release(asked.get("who", "a person"))


class _only_one:
    """Holds the home's lock while the agent runs; the kernel lets go of it however the agent ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> None:
        self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            self._file.close()
            raise Refused("an agent looks after this machine already: `groundskeeper watch` shows it") from problem

    def __exit__(self, *problem: object) -> None:
        with suppress(OSError):
            if self._file:
                self._file.close()
