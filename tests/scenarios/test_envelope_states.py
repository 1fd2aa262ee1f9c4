"""The envelope under anything that may happen, in any order: orders, undos, ends, full disks, death."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from groundskeeper.engine.envelope import Envelope
from groundskeeper.knowledge.ledger import MemoryLedger
from groundskeeper.model import (
    Change,
    ChangeId,
    DeviceId,
    Finding,
    GroundskeeperError,
    Incident,
    IncidentId,
    Order,
    Phase,
    Severity,
    Stage,
    Stepped,
    Unavailable,
)
from groundskeeper.subsystems.firewall.types import EnsureSourceBanned
from groundskeeper.testing import Answer, FakeClock, SimulatedHost, crashing

DEVICE = DeviceId("web-1")
ANSWERS = (
    Answer(action="*", subject="helps", takes=0.3),
    Answer(action="*", subject="does not", helps=False, takes=0.3),
    Answer(action="*", subject="fails once", fails=1, takes=0.3),
    Answer(action="*", subject="hangs", hangs=True),
)
SUBJECTS = st.sampled_from([answer.subject for answer in ANSWERS])


class DiskMayBeFull:
    """Each call of the ledger fails as long as there are failures left to come."""

    struck, fatal = False, False

    def __init__(self) -> None:
        self.left = 0

    async def before(self, call: str) -> int:
        if self.left:
            self.left -= 1
            raise Unavailable("the disk is full")
        return 0

    async def after(self, number: int) -> None:
        pass


class AnythingMayHappen(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.clock = FakeClock()
        self.kept = MemoryLedger()
        self.disk = DiskMayBeFull()
        self.host = SimulatedHost(self.clock, lambda fact: None, ANSWERS)
        self.numbers = count(1)
        self.orders: list[Order] = []
        self._running: set[asyncio.Future[None]] = set()
        self.loop.run(self._start())

    async def _start(self) -> None:
        """A process of its own, which first settles what the one before left, as the engine has it do."""
        self.envelope = Envelope(crashing(self.kept, self.disk), self.host, self.clock)
        for change in await self.kept.changes(unsettled=True):
            self._begin(self._insisting(change.id))

    async def _insisting(self, id: ChangeId) -> None:
        while (change := await self.kept.change(id)) and not change.stage.settled:
            try:
                await self.envelope.recover(change)
            except GroundskeeperError:
                await self.clock.sleep(timedelta(seconds=1))

    def _begin(self, work: object) -> None:
        async def quietly() -> None:
            with suppress(GroundskeeperError):
                await work  # type: ignore[misc]

        self._running.add(asyncio.ensure_future(quietly()))

    @rule(subject=SUBJECTS)
    def order(self, subject: str) -> None:
        self.loop.run(self._order(subject))

    async def _order(self, subject: str) -> None:
        now, number = self.clock.now(), next(self.numbers)
        trouble = Finding(rule=f"r{number}", device=DEVICE, subject="s", severity=Severity.WARNING, reason="broken")
        incident = Incident(
            id=IncidentId(f"i{number}"), finding=trouble, phase=Phase.OPEN, since=now, moved_at=now, reason="broken"
        )
        action = EnsureSourceBanned(device=DEVICE, source=subject, duration=timedelta(minutes=10), reason="guessing")
        change = Change(
            id=ChangeId(f"c{number}"), incident=incident.id, fingerprint=trouble.fingerprint, runbook="r",
            action=action, by="reflex", policy="p", stage=Stage.INTENT, intended_at=now, moved_at=now, reason="because",
        )  # fmt: skip
        await self.kept.open(incident)
        await self.kept.intend(incident.move(Phase.MITIGATING, now, "a plan"), [change], [])
        order = Order(change=change.id, device=DEVICE, action=action, incident=incident.id, by="reflex", policy="p")
        self.orders.append(order)
        self._begin(self.envelope.perform(order))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def order_again(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.loop.run(self._do(self.envelope.perform(order)))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def a_person_takes_it_back(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.loop.run(self._do(self.envelope.undo(order.change, "ada")))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def its_time_is_over(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.loop.run(self._do(self.envelope.expire(order.change)))

    async def _do(self, work: object) -> None:
        self._begin(work)

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.31, 1.0, 12.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.loop.run(self.clock.advance(timedelta(seconds=seconds)))

    @rule(calls=st.integers(1, 4))
    def the_disk_is_full(self, calls: int) -> None:
        self.disk.left = calls

    @rule(reboot=st.booleans())
    def death(self, reboot: bool) -> None:
        self.loop.run(self._die(reboot))

    async def _die(self, reboot: bool) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if reboot:
            self.host.so.clear()
        await self._start()

    @invariant()
    def nothing_was_applied_twice(self) -> None:
        assert not +self.host.again

    def teardown(self) -> None:
        self.loop.run(self._come_to_rest())
        self.loop.close()

    async def _come_to_rest(self) -> None:
        self.disk.left = 0
        await self._die(reboot=False)
        await self.clock.advance(timedelta(minutes=3))
        changes = await self.kept.changes()
        assert all(change.stage.settled for change in changes), [change.stage for change in changes]
        owned = {("EnsureSourceBanned", change.action.subject) for change in changes if change.stage is Stage.CONFIRMED}
        assert self.host.so <= owned, "something is so, and no confirmed change says that it should be"
        for line in await self.kept.entries():
            if isinstance(line.event, Stepped) and line.event.stage is Stage.CONFIRMED:
                assert line.event.probe and line.event.probe.ok
        await self.kept.verify()


TestAnythingMayHappen = AnythingMayHappen.TestCase
TestAnythingMayHappen.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
