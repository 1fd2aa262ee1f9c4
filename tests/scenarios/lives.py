"""One story lived through by one process after another: each but the last dies, the next goes on from what is left."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar

from groundskeeper.engine.envelope import Envelope
from groundskeeper.knowledge.ledger import MemoryLedger, SqliteLedger
from groundskeeper.lib.clock import Clock
from groundskeeper.model import (
    Action,
    Budgets,
    Cause,
    Change,
    DeviceId,
    Fact,
    Finding,
    Host,
    Incident,
    Ledger,
    Observation,
    Phase,
    Policy,
    Refused,
    Severity,
    Snapshot,
    Stage,
    Stepped,
    Unavailable,
    Value,
    Watching,
)
from groundskeeper.runbooks import Reflex
from groundskeeper.subsystems.firewall.types import EnsureSourceAdmitted, EnsureSourceBanned
from groundskeeper.testing import Answer, FakeClock, Mishap, SimulatedHost, World, crashing

DEVICE = DeviceId("web-1")
STEP = 0.25
"""Simulated seconds between two looks at whether the process has died."""
SPAN = 5.0
"""How long a life lasts, in simulated seconds."""
SETTLED = 90.0
"""How long the last life may take to come to rest."""


class Broken(Value, tag=False):
    name: ClassVar[str] = "broken"
    watches: ClassVar[tuple[type[Fact], ...]] = (Watching,)
    causes: ClassVar[tuple[Cause, ...]] = ()

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, fact in snapshot.of(Watching):
            if not fact.possible:
                yield Finding(
                    rule=self.name, device=seen.device, subject=fact.what, severity=Severity.CRITICAL,
                    reason=fact.reason, evidence=(seen,),
                )  # fmt: skip


class Mend:
    name = "mend"

    def __init__(self, rule: Broken) -> None:
        pass

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action]:
        subject = incident.finding.subject
        if subject == "attacked":
            lasts = timedelta(seconds=3)
            return [EnsureSourceBanned(device=DEVICE, source="203.0.113.9", duration=lasts, reason="guessing")]
        return [EnsureSourceAdmitted(device=DEVICE, source=part) for part in subject.split("+")]


class Story(Value, tag=False):
    """What is broken at second 0, how the world answers, and whether a person takes it back at second 1."""

    name: str
    subject: str = "web"
    answers: tuple[Answer, ...] = ()
    undone: bool = False
    passes: bool = False
    """The trouble itself is over after a second, whatever is done."""

    @property
    def undoable(self) -> bool:
        return all(answer.undoable for answer in self.answers)


STORIES = (
    Story(name="mended"),
    Story(name="no help", answers=(Answer(action="*", helps=False),)),
    Story(name="second step no help", subject="web+db", answers=(Answer(action="*", subject="db", helps=False),)),
    Story(name="contained", subject="attacked", passes=True),
    Story(name="no undo", answers=(Answer(action="*", undoable=False),)),
    Story(name="no undo, no help", answers=(Answer(action="*", undoable=False, helps=False),)),
    Story(name="fails once", answers=(Answer(action="*", fails=1),)),
    Story(name="taken back", undone=True),
)

EnvelopeKind = Callable[[Ledger, Host, Clock], Envelope]


class Lives:
    """What outlives a process: the clock, the machine, the ledger's store."""

    def __init__(
        self,
        story: Story,
        file: Path | None = None,
        envelope: EnvelopeKind = Envelope,
        wrap: Callable[[Ledger], Ledger] = lambda ledger: ledger,
    ) -> None:
        self.story = story
        self.clock = FakeClock()
        self.began = self.clock.now()
        self.host = SimulatedHost(self.clock, self._tell, story.answers)
        self.rebooted_at = self.began
        self.echoes: list[int] = []
        """Which of the observations so far are heard once more, late."""
        self._heard: list[Observation] = []
        self._envelope = envelope
        self._wrap = wrap
        self._file = file
        self._memory = MemoryLedger()
        self._numbers = count(1)
        self._asked = False
        self._world: World | None = None
        self._told: bool | None = None

    def ledger(self) -> Ledger:
        return SqliteLedger(self._file) if self._file else self._memory

    def reboot(self) -> None:
        """Nothing that was made so at run time outlives this."""
        self.host.so.clear()
        self.rebooted_at = self.clock.now()

    async def live(self, mishap: Mishap | None = None) -> None:
        """One process, until it dies of the mishap; without a fatal one, until everything is at rest.

        A mishap that is not fatal strikes the ledger alone.
        """
        kept = self.ledger()
        ledger = self._wrap(crashing(kept, mishap) if mishap else kept)
        host = crashing(self.host, mishap) if mishap and mishap.fatal else self.host
        mortal = mishap is not None and mishap.fatal
        world = self._world = World(
            device=DEVICE, policy=Policy(version=1, budgets=BUDGETS), reflexes=(Reflex(Broken, Mend),), ledger=ledger,
            clock=self.clock, host=host, envelope=self._envelope, new_id=lambda: f"n{next(self._numbers)}",
        )  # fmt: skip
        running = asyncio.ensure_future(world.engine.run())
        self._told = None
        try:
            for _ in range(int((SPAN if mortal else SETTLED) / STEP)):
                self._sense()
                await self._undo(world, kept)
                await world.after(STEP)
                if running.done():
                    running.result()
                if (mortal and mishap.struck) or (not mortal and await self._rests(kept)):
                    break
        finally:
            await _end_all()
            await kept.close()

    def _tell(self, fact: Fact) -> None:
        if self._world:
            self._world.see(fact)

    def _sense(self) -> None:
        """The sensor: tells the present state when it starts, then each change."""
        names = self.story.subject.split("+")
        wanted = {(EnsureSourceAdmitted.__name__, name) for name in names}
        passed = self.story.passes and self.clock.now() - self.began >= timedelta(seconds=1)
        well = passed or wanted <= {mark for mark in self.host.so if self.host.helps(mark)}
        if well is not self._told:
            self._told = well
            fact = Watching(what=self.story.subject, possible=well, reason="fine" if well else "it is broken")
            self._heard.append(Observation(device=DEVICE, at=self.clock.now(), fact=fact))
            self._tell(fact)
        if self.echoes and self._world:
            self._world.engine.observe(self._heard[self.echoes.pop() % len(self._heard)])

    async def _undo(self, world: World, kept: Ledger) -> None:
        if not self.story.undone or self._asked or self.clock.now() - self.began < timedelta(seconds=1):
            return
        for change in reversed(await kept.changes()):
            if change.stage is Stage.CONFIRMED:
                self._asked = True
                asyncio.ensure_future(_ignoring_refusal(world.engine.undo(change.id, "ada")))  # noqa: RUF006
                return

    async def _rests(self, kept: Ledger) -> bool:
        if self.clock.now() - self.began < timedelta(seconds=5) or await kept.changes(unsettled=True):
            return False
        if not await kept.incidents(live=False) and not self.story.passes:
            return False
        moving = (Phase.PENDING, Phase.OPEN, Phase.MITIGATING)
        if any(incident.phase in moving for incident in await kept.incidents()):
            return False
        return not any(change.expires_at and change.stage is Stage.CONFIRMED for change in await kept.changes())

    async def broken_promises(self) -> list[str]:
        """Every promise that was not kept, in words. Empty is what it should be."""
        ledger = self.ledger()
        try:
            await ledger.verify()
            changes, incidents = await ledger.changes(), await ledger.incidents(live=False)
            steps = [line.event for line in await ledger.entries() if isinstance(line.event, Stepped)]
        finally:
            await ledger.close()
        found = [f"applied twice: {mark}" for mark, times in self.host.again.items() if times]
        found += [f"left unsettled: {change.id} {change.stage.value}" for change in changes if not change.stage.settled]
        found += self._unowned(changes)
        found += [
            f"confirmed without a probe that passed: {step.reason}"
            for step in steps
            if step.stage is Stage.CONFIRMED and not (step.probe and step.probe.ok)
        ]
        found += [
            f"left in {incident.phase.value}: {incident.reason}"
            for incident in incidents
            if incident.phase not in (Phase.WATCHING, Phase.RESOLVED, Phase.ESCALATED)
        ]
        if not incidents and not self.story.passes:
            found.append("the incident was lost")
        if self.story.undone and self._asked and self.host.so and any(change.undone_by for change in changes):
            found.append("a person took it back, and it is there")
        return found + await self._unhelpful(changes)

    def _unowned(self, changes: Sequence[Change]) -> list[str]:
        """What is so although no confirmed change says that it should be."""
        now = self.clock.now()
        owned = {
            (type(change.action).__name__, change.action.subject)
            for change in changes
            if (change.stage is Stage.CONFIRMED and not (change.expires_at and change.expires_at <= now))
            or (change.stage is Stage.FAILED and change.undo is None and not self.story.undoable)
        }
        return [f"left there, and no change says so: {mark}" for mark in self.host.so - owned]

    async def _unhelpful(self, changes: Sequence[Change]) -> list[str]:
        """Changes that count as confirmed, and are not what they should be. A reboot may end those before it."""
        found = []
        for change in changes:
            if change.stage is not Stage.CONFIRMED or change.moved_at < self.rebooted_at:
                continue
            if (type(change.action).__name__, change.action.subject) not in self.host.so:
                found.append(f"confirmed, and it is not so: {change.id}")
            elif not (await self.host.ask(change.action.probe())).ok:
                found.append(f"confirmed, and it does not help: {change.id}")
        return found


BUDGETS = Budgets(attempts=2, cooldown=timedelta(), repeats=100, at_once=9, watch=timedelta(seconds=1))


async def _ignoring_refusal(work: object) -> None:
    with suppress(Refused, Unavailable):
        await work  # type: ignore[misc]


async def _end_all() -> None:
    """Every task but this one is gone, as with its process."""
    for _ in range(3):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
