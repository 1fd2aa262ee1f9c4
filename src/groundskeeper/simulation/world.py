"""The real engine in a made-up world."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import count

from groundskeeper.engine.cycle import Engine
from groundskeeper.engine.envelope import Envelope
from groundskeeper.knowledge.ledger import MemoryLedger
from groundskeeper.lib.clock import Clock
from groundskeeper.model import DeviceId, Fact, Host, Ledger, Observation, Policy
from groundskeeper.runbooks import REFLEXES, Reflex, made
from groundskeeper.simulation.clock import FakeClock
from groundskeeper.simulation.host import Answer, SimulatedHost
from groundskeeper.simulation.script import Script

HOME = DeviceId("web-1")


class World:
    """An engine that runs, and hands on the clock and the host. Use as `async with`; leaving it is a crash."""

    def __init__(
        self,
        *,
        device: DeviceId = HOME,
        policy: Policy | None = None,
        answers: Sequence[Answer] = (),
        reflexes: Sequence[Reflex] = REFLEXES,
        ledger: Ledger | None = None,
        clock: FakeClock | None = None,
        host: SimulatedHost | None = None,
        envelope: Callable[[Ledger, Host, Clock], Envelope] = Envelope,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        """`new_id` for worlds that follow one another on one ledger: each by itself begins to count anew."""
        self.device = device
        self.clock = clock or FakeClock()
        self.ledger: Ledger = ledger or MemoryLedger()
        self.host = host or SimulatedHost(self.clock, self.see, answers)
        self.stopped: str | None = None
        numbers = count(1)
        self.engine = Engine(
            device,
            self.ledger,
            envelope(self.ledger, self.host, self.clock),
            self.clock,
            new_id or (lambda: f"{self.clock.now():%H%M%S}{next(numbers)}"),
            lambda: self.stopped,
        )
        self._reflexes = reflexes
        self.adopt(policy or Policy(version=1, name="simulated"))

    def adopt(self, policy: Policy) -> None:
        """This policy holds from now on."""
        self.engine.adopt(policy, policy.name, made(self._reflexes, policy.rules))

    def see(self, fact: Fact) -> None:
        """This is seen now."""
        self.engine.observe(Observation(device=self.device, at=self.clock.now(), fact=fact))

    async def after(self, seconds: float) -> None:
        """Let time go by."""
        await self.clock.advance(timedelta(seconds=seconds))

    async def __aenter__(self) -> "World":
        self._task = asyncio.ensure_future(self.engine.run())
        return self

    async def __aexit__(self, *problem: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def simulate(script: Script, ledger: Ledger) -> None:
    """Play the script from its start to its `until`; what happened is in the ledger afterwards."""
    world = World(device=script.device, policy=script.policy, answers=script.answers, ledger=ledger)
    async with world:
        gone = 0.0
        for scene in sorted(script.scenes, key=lambda scene: scene.at):
            await world.after(scene.at - gone)
            gone = scene.at
            for mark in scene.undoes:
                kind, _, subject = mark.partition(" ")
                world.host.so.discard((kind, subject))
            world.see(scene.fact)
        await world.after(max(0.0, script.until - gone))
