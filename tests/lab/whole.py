"""The whole loop on this machine, with a durable ledger, for one sensor and its runbook; and a client that feels it."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from groundskeeper.engine.cycle import Engine
from groundskeeper.engine.envelope import Envelope
from groundskeeper.engine.sensing import sense
from groundskeeper.knowledge.ledger.sqlite import SqliteLedger
from groundskeeper.lib.clock import SystemClock
from groundskeeper.lib.identity import random_id
from groundskeeper.model import (
    Action,
    Budgets,
    Change,
    DeviceId,
    Effect,
    Incident,
    Policy,
    Probe,
    Prober,
    ProbeResult,
    Rule,
    Runbook,
    Sensor,
    Sight,
)

DEVICE = DeviceId("here")


class Machine:
    """Effects and probers by the kind that they serve."""

    def __init__(self, effects: Mapping[type, Effect], probers: Mapping[type, Prober]) -> None:
        self._effects = effects
        self._probers = probers

    async def look(self, action: Action) -> Sight:
        return await self._effects[type(action)].look(action)

    async def apply(self, action: Action) -> str:
        return await self._effects[type(action)].apply(action)

    async def ask(self, probe: Probe) -> ProbeResult:
        return await self._probers[type(probe)].ask(probe)


class Home:
    def __init__(self, engine: Engine, ledger: SqliteLedger) -> None:
        self.engine = engine
        self.ledger = ledger

    async def incidents(self) -> list[Incident]:
        return await self.ledger.incidents(live=False)

    async def changes(self) -> list[Change]:
        return await self.ledger.changes()

    async def told(self) -> str:
        """Everything that was done, as a failing test should show it."""
        incidents = [f"{i.phase.value}: {i.finding.reason} | {i.reason}" for i in await self.incidents()]
        changes = [f"{c.stage.value}: {c.action.describe()} | {c.reason}" for c in await self.changes()]
        return "\n".join(incidents + changes)


@asynccontextmanager
async def at_home(
    folder: Path,
    sensor: Sensor,
    machine: Machine,
    reflexes: Sequence[tuple[Rule, Runbook]],
    standard_changes: frozenset[str] = frozenset(),
) -> AsyncIterator[Home]:
    clock = SystemClock()
    ledger = SqliteLedger(folder / "ledger.db")
    engine = Engine(DEVICE, ledger, Envelope(ledger, machine, clock), clock, random_id)
    budgets = Budgets(cooldown=timedelta(), repeats=1000)
    engine.adopt(Policy(version=1, budgets=budgets, standard_changes=standard_changes), "test", reflexes)
    tasks = [
        asyncio.ensure_future(engine.run()),
        asyncio.ensure_future(sense([sensor], DEVICE, clock, engine.observe)),
    ]
    try:
        yield Home(engine, ledger)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ledger.close()


class Client:
    """Sends a datagram each millisecond and notes when it was last answered. Runs in a thread of its own."""

    def __init__(self, sending: socket.socket, target: tuple[str, int]) -> None:
        self._socket = sending
        self._target = target
        self._stop = threading.Event()
        self.answered: list[float] = []

    def run(self) -> None:
        self._socket.settimeout(0.001)
        while not self._stop.is_set():
            try:
                self._socket.sendto(b"?", self._target)
                self._socket.recv(16)
                self.answered.append(time.monotonic())
            except OSError:
                pass
            time.sleep(0.001)

    def stop(self) -> None:
        self._stop.set()

    def gap_after(self, moment: float) -> float | None:
        """The longest time without an answer since just before that moment, in ms; None while there is none yet."""
        before = [at for at in self.answered if at <= moment][-1:]
        after = [at for at in self.answered if at > moment]
        steps = before + after
        gaps = [(later - earlier) * 1000 for earlier, later in pairwise(steps)]
        return max(gaps, default=None)


@contextmanager
def client(sending: socket.socket, target: tuple[str, int]) -> Iterator[Client]:
    made = Client(sending, target)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()
        sending.close()


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)

    def error_received(self, exc: Exception) -> None:
        """There is no way back to the client just now: that is what is being measured."""


ECHO_PORT = 7777


@asynccontextmanager
async def echoing(address: str) -> AsyncIterator[None]:
    """A service on this machine that answers every datagram."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=(address, ECHO_PORT))
    try:
        yield
    finally:
        transport.close()
