"""The loop: observe → judge → relate → decide → allow → do → verify or revert → remember.

Claim, intent, effect, outcome, in that order; every way out says why. Observations come in by `observe`; a cycle
judges the rules that watch what changed; each incident that is the loop's turn is worked on in a task of its own, so
that a slow probe never delays another reflex.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from groundskeeper.engine.envelope import Envelope
from groundskeeper.lib.clock import Clock
from groundskeeper.model import (
    Change,
    ChangeId,
    Decided,
    Decline,
    DeviceId,
    Incident,
    IncidentId,
    Judged,
    Ledger,
    Observation,
    Order,
    Outcome,
    Phase,
    Plan,
    Policy,
    Refused,
    Result,
    Rule,
    Ruling,
    Runbook,
    Said,
    Seen,
    Snapshot,
    Stage,
    Stale,
    Unavailable,
    Verdict,
)
from groundskeeper.reasoning.analysis import FAULTY, judge
from groundskeeper.reasoning.correlation import relate
from groundskeeper.reasoning.guarding import DAY, Situation, guard
from groundskeeper.reasoning.planning import plan_for

T = TypeVar("T")

TICK = timedelta(seconds=1)
GOOD = (Result.CONFIRMED, Result.DONE, Result.NOOP)


class _Begun(NamedTuple):
    """A plan that may run: its incident as claimed, its changes as intended."""

    incident: Incident
    intents: list[Change]


class Engine:
    """One home of the loop. `rules` and `runbooks` go by the rule's name; `stopped` says why automation is stopped."""

    def __init__(
        self,
        device: DeviceId,
        ledger: Ledger,
        envelope: Envelope,
        clock: Clock,
        new_id: Callable[[], str],
        stopped: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.device = device
        self.ledger = ledger
        self.clock = clock
        self._began = clock.now()
        self.snapshot = Snapshot(clock.now())
        self.policy = Policy(version=0, name="nothing is allowed", autonomy={})
        self.policy_hash = ""
        self._envelope = envelope
        self._new_id = new_id
        self._stopped = stopped
        self._rules: Mapping[str, Rule] = {}
        self._runbooks: Mapping[str, Runbook] = {}
        self._policy_changed = False
        self._changed: set[type] = set()
        self._unrecorded: list[Observation] = []
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deciding = asyncio.Lock()
        self._not_before: dict[IncidentId, float] = {}
        self._said: dict[IncidentId, str] = {}
        self._expiring: dict[ChangeId, float] = {}

    def adopt(self, policy: Policy, digest: str, reflexes: Sequence[tuple[Rule, Runbook]]) -> None:
        """Obey this policy from now on, with the rules and runbooks as it sets them."""
        if policy != self.policy:
            self._policy_changed = bool(self._rules)
            self._not_before.clear()  # what the old policy held back until tonight, the new one may allow now
        self.policy, self.policy_hash = policy, digest
        self._rules = {rule.name: rule for rule, _ in reflexes}
        self._runbooks = {rule.name: runbook for rule, runbook in reflexes}
        self._judge_all()
        self._wake.set()

    def observe(self, seen: Observation) -> None:
        """Take an observation in. One that is older than what is known of the thing, or the same again, is left out."""
        known_at = self.snapshot.at(seen.key)
        if known_at and known_at > self.clock.now():
            # Nothing is seen in the future: the clock was set back, and all that is news now would look old.
            self.snapshot.set_back(seen.at)
        same = self.snapshot.get(type(seen.fact), seen.fact.subject, seen.device) == seen.fact
        if self.snapshot.put(seen):
            self._changed.add(type(seen.fact))
            self._wake.set()
            if not same:  # a fact that is told again is news to the rules, and no line in the ledger
                self._unrecorded.append(seen)

    async def recover(self) -> None:
        """After a start: begin to settle what was left half-way. Nothing else waits for a probation to be over."""
        for change in await self.ledger.changes(since=self.clock.now() - 30 * DAY):
            self._note_expiry(change)
        claimed = {incident.id for incident in await self.ledger.incidents() if incident.phase is Phase.MITIGATING}
        for mine in claimed:
            self._start(mine, self._insist(lambda of=mine: self._recover_plan(of)))  # type: ignore[misc]
        for change in await self.ledger.changes(unsettled=True):
            if change.incident not in claimed:
                self._start(f"recover {change.id}", self._insist(lambda of=change.id: self._recover_change(of)))  # type: ignore[misc]

    async def _recover_plan(self, id: IncidentId) -> None:
        """Settle the plan that was being carried out, then put its incident back where the loop finds it."""
        incident = await self.ledger.incident(id)
        if incident is None or incident.phase is not Phase.MITIGATING:
            return
        for change in await self.ledger.changes(incident=id, unsettled=True):
            await self._recover_change(change.id)
        phase, reason = _after_recovery(await self.ledger.changes(incident=id))
        await self.ledger.advance(incident.move(phase, self.clock.now(), reason))

    async def _recover_change(self, id: ChangeId) -> None:
        change = await self.ledger.change(id)
        if change and not change.stage.settled:
            await self._envelope.recover(change)
        await self._note_end(id)

    async def _note_end(self, id: ChangeId) -> None:
        change = await self._insist(lambda: self.ledger.change(id))
        if change:
            self._note_expiry(change)

    def _note_expiry(self, change: Change) -> None:
        """Remember when it ends, in elapsed time: the wall clock may jump, and a ban must still end when it is due."""
        lasts = change.action.expires_after
        if change.stage is Stage.CONFIRMED and change.expires_at and lasts:
            left = min(max(change.expires_at - self.clock.now(), timedelta()), lasts)
            self._expiring[change.id] = self.clock.elapsed() + left.total_seconds()

    async def run(self) -> None:
        """The loop, until cancelled."""
        await self._insist(self.recover)
        ticker = asyncio.ensure_future(self._tick())
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._safely(self.cycle())
        finally:
            for task in [ticker, *self._tasks.values()]:
                task.cancel()
            await asyncio.gather(ticker, *self._tasks.values(), return_exceptions=True)

    async def _tick(self) -> None:
        while True:
            await self.clock.sleep(TICK)
            await self._safely(self.tick())

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        """A full disk, or a race that was lost, is no reason to stop looking: the next cycle finds the work again."""
        try:
            await work
        except (Unavailable, Stale):
            self._judge_all()
            self._alarm(self.clock.now() + TICK)

    async def tick(self) -> None:
        """Once a second: judge by time what is live, end what has had its time, write the observations down."""
        now = self.clock.now()
        for change, at in list(self._expiring.items()):
            if at <= self.clock.elapsed():
                del self._expiring[change]
                self._start(f"expire {change}", self._expire(change))
        if self._unrecorded:
            seen = self._unrecorded[:]
            await self.ledger.record(now, [Seen(observation=one) for one in seen])
            del self._unrecorded[: len(seen)]
        if await self.ledger.incidents():
            self._judge_all()
            self._wake.set()

    def _judge_all(self) -> None:
        self._changed.update(kind for rule in self._rules.values() for kind in rule.watches)

    async def cycle(self) -> None:
        """Judge what changed, relate it to what is known, and start work on what is the loop's turn."""
        now, changed = self.clock.now(), self._changed
        self._changed = set()
        rules = [rule for rule in self._rules.values() if not changed.isdisjoint(rule.watches)]
        findings = judge(rules, self.snapshot, now, self.device)
        incidents = await self.ledger.incidents()
        if self._policy_changed:
            self._policy_changed = False
            incidents = [await self._reconsidered(incident, now) for incident in incidents]
        related = relate(
            findings,
            incidents,
            self.snapshot,
            now,
            judged={rule.name for rule in rules} | ({FAULTY} if len(rules) == len(self._rules) else set()),
            causes={rule.name: rule.causes for rule in self._rules.values()},
            watch=self.policy.budgets.watch,
            new_id=self._new_id,
        )
        current = {incident.id: incident for incident in incidents}
        for incident in related.opened:
            if await self.ledger.open(incident):
                current[incident.id] = incident
        for step in related.moved:
            if step.incident in current and await self.ledger.advance(step):
                current[step.incident] = current[step.incident].after(step)
        for incident in current.values():
            self._consider(incident, now)

    async def _reconsidered(self, incident: Incident, now: datetime) -> Incident:
        """The incident, given back to the loop where it was policy alone that gave it to a person."""
        if incident.phase is not Phase.ESCALATED:
            return incident
        said = [line.event for line in await self.ledger.entries(incident=incident.id)]
        verdict = next((event.verdict for event in reversed(said) if isinstance(event, Judged)), None)
        if verdict is None or verdict.ruling is Ruling.RUN or verdict.reason != incident.reason:
            return incident
        step = incident.move(Phase.OPEN, now, "policy has changed: it is looked at anew")
        return incident.after(step) if await self.ledger.advance(step) else incident

    def _consider(self, incident: Incident, now: datetime) -> None:
        if incident.phase is Phase.PENDING:
            self._alarm(incident.since + incident.finding.lasts)
        due = self._not_before.get(incident.id, 0.0) <= self.clock.elapsed()
        if incident.phase is Phase.OPEN and incident.cause is None and due and self._is_seen(incident, now):
            self._start(incident.id, self._mitigate(incident, ()))

    def _is_seen(self, incident: Incident, now: datetime) -> bool:
        """Whether this process saw what it is about. After a start the sensors are given time to tell."""
        evidence = incident.finding.evidence
        told = not evidence or any(self.snapshot.has(seen.key) for seen in evidence)
        return told or now - self._began >= self.policy.budgets.watch

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if name in self._tasks:
            work.close()
            return
        task = asyncio.ensure_future(self._safely(work))
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._ended(name))

    def _ended(self, name: str) -> None:
        self._tasks.pop(name, None)
        self._wake.set()

    def _alarm(self, at: datetime) -> None:
        name = f"alarm {at.isoformat()}"
        if name not in self._tasks:
            self._start(name, self._ring(at - self.clock.now() + timedelta(milliseconds=1)))

    async def _ring(self, after: timedelta) -> None:
        """Look at everything again then: a finding is believed, or a refusal over, by time alone."""
        await self.clock.sleep(after)
        self._judge_all()

    async def _mitigate(self, incident: Incident, approved_by: tuple[str, ...]) -> None:
        begun = await self._decide(incident, approved_by)
        if isinstance(begun, _Begun):
            await self._carry_out(begun.incident, begun.intents, approved_by)

    async def _decide(self, incident: Incident, approved_by: tuple[str, ...]) -> _Begun | str:
        """The plan, claimed and written down; or why there is none now. One at a time.

        Between counting what is under way and writing down what is added to it, nobody else may do the same: when ten
        services stop in one moment, each would find that nothing is under way yet.
        """
        async with self._deciding:
            now = self.clock.now()
            plan = plan_for(incident, self.snapshot, self._runbooks)
            if isinstance(plan, Decline):
                await self.ledger.record(now, [Decided(decision=plan)], incident.id)
                await self.ledger.advance(incident.move(Phase.ESCALATED, now, plan.reason))
                return plan.reason
            changes = tuple(await self.ledger.changes(since=now - DAY))
            situation = Situation(now=now, changes=changes, stopped=self._stopped(), approved_by=approved_by)
            verdict = guard(plan, incident, self.policy, situation)
            if verdict.ruling is not Ruling.RUN:
                await self._hand_over(incident, plan, verdict, now)
                return verdict.reason
            intents = self._intents(incident, plan, now, approved_by)
            claim = incident.move(Phase.MITIGATING, now, plan.reason)
            if not await self.ledger.intend(claim, intents, [Decided(decision=plan), Judged(verdict=verdict)]):
                return "it is being dealt with already"
            self._said.pop(incident.id, None)
            return _Begun(incident.after(claim), intents)

    async def _hand_over(self, incident: Incident, plan: Plan, verdict: Verdict, now: datetime) -> None:
        """Keep it for later where the refusal ends by itself; give it to a person where not. Said once."""
        if verdict.retry_at:
            self._not_before[incident.id] = self.clock.elapsed() + (verdict.retry_at - now).total_seconds()
            self._alarm(verdict.retry_at)
        if self._said.get(incident.id) != verdict.reason.split(":")[0]:
            self._said[incident.id] = verdict.reason.split(":")[0]
            await self.ledger.record(now, [Decided(decision=plan), Judged(verdict=verdict)], incident.id)
        if not verdict.retry_at:
            await self.ledger.advance(incident.move(Phase.ESCALATED, now, verdict.reason))

    def _intents(self, incident: Incident, plan: Plan, now: datetime, approved_by: tuple[str, ...]) -> list[Change]:
        return [
            Change(
                id=ChangeId(self._new_id()),
                incident=incident.id,
                fingerprint=incident.finding.fingerprint,
                runbook=plan.runbook,
                action=action,
                by=f"approved by {', '.join(approved_by)}" if approved_by else "reflex",
                policy=self.policy_hash,
                stage=Stage.INTENT,
                intended_at=now,
                moved_at=now,
                reason=plan.reason,
            )
            for action in plan.actions
        ]

    async def _carry_out(self, incident: Incident, intents: Sequence[Change], approved_by: tuple[str, ...]) -> None:
        try:
            outcome = await self._perform_all(intents, approved_by)
        except Stale as problem:
            outcome = Outcome(result=Result.RETRY, reason=str(problem))
        except Exception as bug:  # noqa: BLE001 - a claim that is left lying is never found; a person is told of it
            reason = f"a fault in Groundskeeper itself ({type(bug).__name__}: {bug}): it needs a person"
            outcome = Outcome(result=Result.UNKNOWN, reason=reason)
        phase, reason = _after(outcome)
        await self._insist(lambda: self.ledger.advance(incident.move(phase, self.clock.now(), reason)))

    async def _perform_all(self, intents: Sequence[Change], approved_by: tuple[str, ...]) -> Outcome:
        """Each action in turn; the first that does not end well ends the plan."""
        outcome = Outcome(result=Result.NOOP, reason="there was nothing to do")
        for place, intent in enumerate(intents):
            order = self._order(intent, approved_by)
            outcome = await self._insist(lambda of=order: self._envelope.perform(of))  # type: ignore[misc]
            if outcome.result not in GOOD:
                for rest in intents[place + 1 :]:
                    await self._envelope.withdraw(rest, f"the step before it did not end well: {outcome.reason}")
                break
            await self._note_end(intent.id)
        return outcome

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """The call's result, however long the ledger cannot be written: a claim that is left lying is never found."""
        while True:
            try:
                return await call()
            except Unavailable:
                await self.clock.sleep(TICK)

    def _order(self, intent: Change, approved_by: tuple[str, ...]) -> Order:
        return Order(
            change=intent.id,
            device=self.device,
            action=intent.action,
            incident=intent.incident,
            by=intent.by,
            policy=intent.policy,
            approvals=approved_by,
        )

    async def _expire(self, id: ChangeId) -> None:
        await self._insist(lambda: self._envelope.expire(id))

    # -- what a person says -------------------------------------------------------------------------------------------

    async def approve(self, id: IncidentId, who: str) -> None:
        """Begin to carry out the plan for an incident that waits for a person.

        Raises Refused, with the reason, where none waits, or where it may not be done now all the same.
        """
        incident = await self.ledger.incident(id)
        if incident is None or incident.phase is not Phase.ESCALATED:
            raise Refused(f"incident {id} does not wait for an approval: `groundskeeper incidents` lists those that do")
        await self.ledger.record(self.clock.now(), [Said(who=who, what="approved")], id)
        self._said.pop(id, None)
        begun = await self._decide(incident, (who,))
        if isinstance(begun, str):
            raise Refused(f"it is not done now: {begun}")
        self._start(f"approved {id}", self._carry_out(begun.incident, begun.intents, (who,)))

    async def undo(self, id: ChangeId, who: str) -> Outcome:
        """Take a change back. Raises Refused, with the reason, where it cannot be."""
        change = await self.ledger.change(id)
        outcome = await self._envelope.undo(id, who)
        await self.ledger.record(
            self.clock.now(), [Said(who=who, what=f"took change {id} back")], change.incident if change else None
        )
        self._wake.set()
        return outcome

    async def release(self, who: str) -> int:
        """Take back every containment that is still in force, whatever time it has left; how many there were."""
        count = 0
        for held in list(self._expiring):
            del self._expiring[held]
            change = await self.ledger.change(held)
            if change and change.stage is Stage.CONFIRMED:
                await self.undo(held, who)
                count += 1
        return count


def _after(outcome: Outcome) -> tuple[Phase, str]:
    match outcome.result:
        case Result.CONFIRMED | Result.DONE | Result.NOOP:
            return Phase.WATCHING, outcome.reason
        case Result.UNKNOWN | Result.REFUSED:
            return Phase.ESCALATED, outcome.reason
        case _:
            return Phase.OPEN, outcome.reason


def _after_recovery(changes: Sequence[Change]) -> tuple[Phase, str]:
    """From how the changes of the latest attempt ended."""
    last = [change for change in changes if change.intended_at == changes[-1].intended_at]
    if any(change.stage is Stage.NEEDS_PERSON for change in last):
        return Phase.ESCALATED, "after a restart: a change could be neither confirmed nor taken back"
    if last and all(change.stage in (Stage.CONFIRMED, Stage.NOOP) for change in last):
        return Phase.WATCHING, f"after a restart: {last[-1].reason}"
    return Phase.OPEN, "the agent was started again: it is looked at anew"
