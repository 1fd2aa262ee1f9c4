"""The change envelope on a device: intend, look, apply, probe; confirm, or take back.

A change is a row in the journal whose stage says how far it has come; each function here takes it one stage on, and
writes that down before the next begins. A crash resumes at the stage that was written:

    INTENT     nothing was touched. Look: so already → NOOP; cannot be → REFUSED; needed → APPLYING, with the undo
    APPLYING   the effect may be there, wholly, partly or not. Apply → APPLIED; it failed → REVERTING
    APPLIED    on probation. The probe passes (and holds) → CONFIRMED; not in time → REVERTING
    REVERTING  put back what was found → REVERTED; that fails → NEEDS_PERSON

After a crash: INTENT is withdrawn (the world may have moved: the loop plans again), APPLYING goes on only where the
effect is there in full and is taken back otherwise, APPLIED gets a new probation, REVERTING goes on.
"""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec

from groundskeeper.lib.clock import Clock
from groundskeeper.model import (
    Action,
    Already,
    Change,
    ChangeId,
    GroundskeeperError,
    Host,
    Impossible,
    Ledger,
    Needed,
    Order,
    Outcome,
    Probe,
    ProbeResult,
    Refused,
    Result,
    Sight,
    Stage,
    Stale,
    Unavailable,
)

T = TypeVar("T")

FIRST_PAUSE = timedelta(milliseconds=4)
LONGEST_PAUSE = timedelta(milliseconds=250)
LOOK_LIMIT = timedelta(seconds=10)
REVERT_TRIES = 5

RESULTS = {
    Stage.CONFIRMED: Result.CONFIRMED,
    Stage.REVERTED: Result.REVERTED,
    Stage.NOOP: Result.NOOP,
    Stage.REFUSED: Result.REFUSED,
    Stage.WITHDRAWN: Result.RETRY,
    Stage.FAILED: Result.FAILED,
    Stage.NEEDS_PERSON: Result.UNKNOWN,
}


class Envelope:
    """Carries out changes on one device (a Fleet of one). Two calls for one change end in one carrying-out."""

    def __init__(self, ledger: Ledger, host: Host, clock: Clock) -> None:
        self._ledger = ledger
        self._host = host
        self._clock = clock
        self._under_way: dict[ChangeId, asyncio.Future[Outcome]] = {}
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def perform(self, order: Order) -> Outcome:
        """Carry out the change whose intent is in the ledger, to its end. Raises Stale where there is no intent."""
        change = await self._ledger.change(order.change)
        if change is None:
            raise Stale(f"there is no intent {order.change} in the ledger: plan again")
        return await self._settle(change)

    async def recover(self, change: Change) -> Outcome:
        """Bring a change that a crash or a reboot left half-way to its end."""
        return await self._settle(change, resuming=True)

    async def undo(self, id: ChangeId, who: str) -> Outcome:
        """Take a confirmed change back because a person says so. Raises Refused, with the reason, where it cannot."""
        change = await self._ledger.change(id)
        if change is None:
            raise Refused(f"there is no change {id}: `groundskeeper changes` lists them")
        if change.stage is not Stage.CONFIRMED:
            raise Refused(f"change {id} is {change.stage.value.replace('_', ' ')}: there is nothing to take back")
        if change.undo is None:
            raise Refused(f"change {id} cannot be taken back: {change.action.describe()}")
        return await self._take_back(change, f"{who} took it back", who)

    async def expire(self, id: ChangeId) -> Outcome | None:
        """Take a confirmed change back because its time is over; None where it is not in force."""
        change = await self._ledger.change(id)
        if change is None or change.stage is not Stage.CONFIRMED:
            return None
        return await self._take_back(change, "its time is over", None)

    async def drain(self, limit: timedelta) -> None:
        """Wait, no longer than the limit, until no change is under way. What is left then goes on after a restart."""
        if self._under_way:
            alarm = asyncio.ensure_future(self._clock.sleep(limit))
            everything = asyncio.ensure_future(asyncio.wait(self._under_way.values()))
            await asyncio.wait([alarm, everything], return_when=asyncio.FIRST_COMPLETED)
            alarm.cancel()
            everything.cancel()

    async def withdraw(self, change: Change, reason: str) -> None:
        """Give up an intent that has not been begun."""
        await self._step(change, Stage.WITHDRAWN, reason)

    async def _take_back(self, change: Change, reason: str, who: str | None) -> Outcome:
        reverting = await self._step(change, Stage.REVERTING, reason, undone_by=who)
        return await self._settle(reverting)

    async def _settle(self, change: Change, *, resuming: bool = False) -> Outcome:
        """Drive it to its end; where somebody does already, wait for that, then go on from where it ended."""
        under_way = self._under_way.get(change.id)
        if under_way:
            outcome = await asyncio.shield(under_way)
            left = await self._ledger.change(change.id)
            return outcome if left is None or left.stage.settled else await self._settle(left)
        future = asyncio.ensure_future(self._alone(change, resuming))
        self._under_way[change.id] = future
        # Not in a `finally` of ours: whoever waits may be cancelled, and the change goes on without them.
        future.add_done_callback(lambda _: self._under_way.pop(change.id, None))
        return await asyncio.shield(future)

    async def _alone(self, change: Change, resuming: bool) -> Outcome:
        """Two changes to the same end wait for one another: the second then finds it so, and does nothing twice."""
        same = (type(change.action).__name__, change.action.subject)
        turn = self._turns.setdefault(same, asyncio.Lock())
        async with turn:
            return await self._drive(await self._resume(change) if resuming else change)

    async def _drive(self, change: Change) -> Outcome:
        probe: ProbeResult | None = None
        while not change.stage.settled:
            match change.stage:
                case Stage.INTENT:
                    change = await self._begin(change)
                case Stage.APPLYING:
                    change = await self._apply(change)
                case Stage.APPLIED:
                    change, probe = await self._watch(change)
                case _:
                    change = await self._revert(change)
        return Outcome(result=RESULTS[change.stage], reason=change.reason, probe=probe)

    async def _resume(self, change: Change) -> Change:
        """What a crash left, made ready to go on, or settled by that."""
        match change.stage:
            case Stage.INTENT:
                return await self._step(change, Stage.WITHDRAWN, "the agent stopped before anything was touched")
            case Stage.REVERTING:
                return change
        sight = await self._look(change.action)
        if isinstance(sight, Already):
            deadline = self._clock.now() + change.action.probation
            return await self._step(change, Stage.APPLIED, f"after a restart: {sight.reason}", deadline=deadline)
        found = sight.found if isinstance(sight, Needed) else sight.reason
        if change.undo is None:
            return await self._step(change, Stage.FAILED, f"the agent stopped half-way: {found}")
        return await self._step(change, Stage.REVERTING, f"the agent stopped half-way: {found}")

    async def _begin(self, change: Change) -> Change:
        sight = await self._look(change.action)
        match sight:
            case Already(reason=reason):
                return await self._step(change, Stage.NOOP, reason)
            case Impossible(reason=reason):
                return await self._step(change, Stage.REFUSED, reason)
            case Needed(found=found, undo=undo):
                return await self._intend(change, found, undo)

    async def _intend(self, change: Change, found: str, undo: Action | None) -> Change:
        now, action = self._clock.now(), change.action
        lasts = action.expires_after
        try:
            return await self._step(
                change,
                Stage.APPLYING,
                found,
                undo=undo,
                deadline=now + action.probation,
                expires_at=now + lasts if lasts else None,
            )
        except Unavailable:
            await self._clock.sleep(LONGEST_PAUSE)
            # Nothing was touched. As the ledger has it: not written, then look again, the world may have moved.
            return await self._ledger.change(change.id) or change

    async def _apply(self, change: Change) -> Change:
        try:
            said = await self._within(change.action.probation, self._host.apply(change.action))
        except (GroundskeeperError, OSError) as problem:
            if change.undo is None:
                return await self._step(change, Stage.FAILED, f"could not be done: {problem}")
            return await self._step(change, Stage.REVERTING, f"could not be done: {problem}")
        return await self._step(change, Stage.APPLIED, said)

    async def _watch(self, change: Change) -> tuple[Change, ProbeResult]:
        """Ask the probe until it passes and has held, or the deadline is over."""
        question, pause = change.action.probe(), FIRST_PAUSE
        end = self._clock.elapsed() + self._time_left(change)
        held_since: float | None = None
        while True:
            answer = await self._ask(question)
            held_since = (held_since or self._clock.elapsed()) if answer.ok else None
            if held_since and self._clock.elapsed() - held_since >= change.action.hold.total_seconds():
                return await self._step(change, Stage.CONFIRMED, answer.reason, answer), answer
            if answer.hopeless or self._clock.elapsed() >= end:
                break
            await self._clock.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        failed = f"not better{'' if answer.hopeless else ' in time'}: {answer.reason}"
        if change.undo is None:
            return await self._step(change, Stage.FAILED, failed, answer), answer
        return await self._step(change, Stage.REVERTING, failed, answer), answer

    def _time_left(self, change: Change) -> float:
        """Seconds of probation left. The wall clock may have jumped meanwhile: never more than a whole probation."""
        whole = change.action.probation.total_seconds()
        left = (change.deadline - self._clock.now()).total_seconds() if change.deadline else whole
        return min(max(left, 0.0), whole)

    async def _revert(self, change: Change) -> Change:
        """Put back what was found. The undo is an action like any other: so already is as good as done."""
        undo, why = change.undo, change.reason
        if undo is None:
            return await self._step(change, Stage.NEEDS_PERSON, f"{why}; it cannot be taken back: a person's turn")
        problem = ""
        for attempt in range(REVERT_TRIES):
            sight = await self._look(undo)
            if isinstance(sight, Already):
                return await self._step(change, Stage.REVERTED, f"{why}; taken back: {undo.describe()}")
            problem = sight.reason if isinstance(sight, Impossible) else await self._try(undo)
            if problem:
                await self._clock.sleep(LONGEST_PAUSE * 2**attempt)
        if isinstance(await self._look(undo), Already):
            return await self._step(change, Stage.REVERTED, f"{why}; taken back: {undo.describe()}")
        left = f"{why}; taking it back failed ({problem}): a person's turn"
        return await self._step(change, Stage.NEEDS_PERSON, left)

    async def _try(self, undo: Action) -> str:
        """Perform an undo; what went wrong, or nothing."""
        try:
            await self._within(undo.probation, self._host.apply(undo))
        except (GroundskeeperError, OSError) as problem:
            return str(problem)
        return ""

    async def _look(self, action: Action) -> Sight:
        try:
            return await self._within(LOOK_LIMIT, self._host.look(action))
        except (GroundskeeperError, OSError) as problem:
            return Impossible(reason=f"it cannot be seen how things stand: {problem}")

    async def _ask(self, probe: Probe) -> ProbeResult:
        try:
            return await self._within(LOOK_LIMIT, self._host.ask(probe))
        except (GroundskeeperError, OSError) as problem:
            return ProbeResult(ok=False, reason=f"the probe got no answer: {problem}")

    async def _within(self, limit: timedelta, work: Awaitable[T]) -> T:
        """The result of the work, or Unavailable where it takes longer than the limit on our clock."""
        task = asyncio.ensure_future(work)
        alarm = asyncio.ensure_future(self._clock.sleep(limit))
        try:
            await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Unavailable(f"it took longer than {limit.total_seconds():.3g} s")
            return task.result()
        except (GroundskeeperError, OSError, asyncio.CancelledError):
            raise
        except Exception as bug:
            raise Refused(f"a fault in Groundskeeper itself ({type(bug).__name__}: {bug})") from bug
        finally:
            task.cancel()
            alarm.cancel()

    async def _step(
        self, change: Change, stage: Stage, reason: str, probe: ProbeResult | None = None, **more: object
    ) -> Change:
        """Write the next stage down, durably. Raises Stale where somebody else has moved it on.

        A full disk is waited out: what is under way can neither be left undone nor done twice.
        """
        moved = msgspec.structs.replace(
            change, stage=stage, reason=reason, moved_at=self._clock.now(), generation=change.generation + 1, **more
        )
        pause = LONGEST_PAUSE
        while True:
            try:
                # A step that could not be written may have been, all the same: a disk that fails does not say.
                if await self._ledger.step(moved, probe) or await self._ledger.change(change.id) == moved:
                    return moved
            except Unavailable:
                if stage is Stage.APPLYING:
                    raise
                await self._clock.sleep(pause)
                pause = min(pause * 2, timedelta(seconds=5))
                continue
            raise Stale(f"change {change.id} was moved on by somebody else")
