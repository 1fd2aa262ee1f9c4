"""The envelope alone: calls that overlap, callers that go away."""

import asyncio
from datetime import timedelta

from groundskeeper.engine.envelope import Envelope
from groundskeeper.knowledge.ledger import MemoryLedger
from groundskeeper.model import (
    Change,
    ChangeId,
    DeviceId,
    Finding,
    Incident,
    IncidentId,
    Order,
    Phase,
    ProbeResult,
    Result,
    Severity,
    Stage,
    Unavailable,
)
from groundskeeper.subsystems.firewall.types import EnsureSourceAdmitted
from groundskeeper.testing import Answer, FakeClock, SimulatedHost

DEVICE = DeviceId("web-1")
ACTION = EnsureSourceAdmitted(device=DEVICE, source="203.0.113.9")


class Bench:
    """An envelope on a made-up host, with one intent in its ledger."""

    def __init__(self, ledger: MemoryLedger | None = None, answer: Answer | None = None) -> None:
        self.clock = FakeClock()
        self.ledger = ledger or MemoryLedger()
        self.host = SimulatedHost(self.clock, lambda fact: None, [answer or Answer(action="*", takes=1.0)])
        self.envelope = Envelope(self.ledger, self.host, self.clock)

    async def intend(self, id: str = "c") -> Order:
        now = self.clock.now()
        trouble = Finding(
            rule=f"rule of {id}", device=DEVICE, subject="s", severity=Severity.WARNING, reason="it is broken"
        )
        incident = Incident(
            id=IncidentId(f"incident of {id}"),
            finding=trouble,
            phase=Phase.OPEN,
            since=now,
            moved_at=now,
            reason="it is broken",
        )
        change = Change(
            id=ChangeId(id), incident=incident.id, fingerprint=trouble.fingerprint, runbook="r", action=ACTION,
            by="reflex", policy="p", stage=Stage.INTENT, intended_at=now, moved_at=now, reason="because",
        )  # fmt: skip
        await self.ledger.open(incident)
        await self.ledger.intend(incident.move(Phase.MITIGATING, now, "a plan"), [change], [])
        return Order(change=change.id, device=DEVICE, action=ACTION, incident=incident.id, by="reflex", policy="p")

    async def stage(self) -> Stage:
        change = await self.ledger.change(ChangeId("c"))
        assert change
        return change.stage


async def test_two_who_order_the_same_change_get_one_carrying_out() -> None:
    bench = Bench()
    order = await bench.intend()
    both = asyncio.gather(bench.envelope.perform(order), bench.envelope.perform(order))
    await bench.clock.advance(timedelta(seconds=5))
    assert [outcome.result for outcome in await both] == [Result.CONFIRMED] * 2
    assert bench.host.applied.total() == 1


async def test_a_change_goes_on_without_the_caller_and_can_be_taken_back_afterwards() -> None:
    bench = Bench()
    caller = asyncio.ensure_future(bench.envelope.perform(await bench.intend()))
    await bench.clock.advance(timedelta(seconds=0.5))
    caller.cancel()
    await bench.clock.advance(timedelta(seconds=5))
    assert await bench.stage() is Stage.CONFIRMED
    outcome = await bench.envelope.undo(ChangeId("c"), "ada")
    assert outcome.result is Result.REVERTED
    assert not bench.host.so


async def test_an_undo_in_the_moment_of_confirmation_is_carried_out() -> None:
    class Overheard(MemoryLedger):
        """Whoever takes it back does so before the one who confirmed it has even heard that it is written."""

        undo: "asyncio.Future[object] | None" = None

        async def step(self, change: Change, probe: ProbeResult | None = None) -> bool:
            done = await super().step(change, probe)
            if change.stage is Stage.CONFIRMED:
                self.undo = asyncio.ensure_future(bench.envelope.undo(change.id, "ada"))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            return done

    bench = Bench(Overheard())
    order = asyncio.ensure_future(bench.envelope.perform(await bench.intend()))
    await bench.clock.advance(timedelta(seconds=5))
    await order
    assert await bench.stage() is Stage.REVERTED
    assert not bench.host.so


async def test_a_step_that_failed_and_is_there_all_the_same_is_not_a_race_that_was_lost() -> None:
    class Lying(MemoryLedger):
        """Says that the disk failed, once for each stage, though the line is written."""

        def __init__(self) -> None:
            super().__init__()
            self.lied: set[Stage] = set()

        async def step(self, change: Change, probe: ProbeResult | None = None) -> bool:
            done = await super().step(change, probe)
            if done and change.stage not in self.lied:
                self.lied.add(change.stage)
                raise Unavailable("the disk failed")
            return done

    bench = Bench(Lying())
    order = asyncio.ensure_future(bench.envelope.perform(await bench.intend()))
    await bench.clock.advance(timedelta(seconds=30))
    assert order.done() and (await order).result is Result.CONFIRMED
    assert bench.host.applied.total() == 1


async def test_two_changes_to_the_same_end_at_the_same_time_are_made_once() -> None:
    bench = Bench()
    orders = [await bench.intend("c1"), await bench.intend("c2")]
    both = asyncio.gather(*(bench.envelope.perform(order) for order in orders))
    await bench.clock.advance(timedelta(seconds=5))
    assert [outcome.result for outcome in await both] == [Result.CONFIRMED, Result.NOOP]
    assert bench.host.applied.total() == 1
