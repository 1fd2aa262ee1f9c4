"""Bugs planted on purpose: each breaks one rule of the envelope, and the harness has to see it."""

from groundskeeper.engine.envelope import Envelope
from groundskeeper.model import Already, Change, Ledger, Needed, Outcome, ProbeResult, Result, Stage


class EffectFirst(Envelope):
    """Applies, and writes down afterwards that it was going to."""

    async def _begin(self, change: Change) -> Change:
        if isinstance(await self._look(change.action), Needed):
            await self._host.apply(change.action)
        return await super()._begin(change)


class NeverAsks(Envelope):
    """Calls a change confirmed as soon as it is applied."""

    async def _watch(self, change: Change) -> tuple[Change, ProbeResult]:
        answer = ProbeResult(ok=True, reason="it should be fine")
        return await self._step(change, Stage.CONFIRMED, answer.reason, answer), answer


class AppliesAgain(Envelope):
    """After a crash it does not look what is there: it begins anew."""

    async def _resume(self, change: Change) -> Change:
        return change


class ForgetsTheUndo(Envelope):
    """Writes the inverse down with the success, not before the attempt."""

    async def _step(self, change, stage, reason, probe=None, **more):  # type: ignore[no-untyped-def]
        if stage is Stage.APPLYING:
            self._undo = more.pop("undo")
        if stage is Stage.APPLIED and change.undo is None and hasattr(self, "_undo"):
            more["undo"] = self._undo
        return await super()._step(change, stage, reason, probe, **more)


class NeverRecovers(Envelope):
    """Leaves what a crash left."""

    async def recover(self, change: Change) -> Outcome:
        return Outcome(result=Result.UNKNOWN, reason="somebody else will see to it")


class TakesItsWord(Envelope):
    """Calls a change taken back once the undo was tried, without a look."""

    async def _revert(self, change: Change) -> Change:
        return await self._step(change, Stage.REVERTED, "it was tried")


class TrustsAnOldLook(Envelope):
    """After a crash it takes APPLIED for granted, though the machine was started anew."""

    async def _resume(self, change: Change) -> Change:
        if change.stage is Stage.APPLIED and not isinstance(await self._look(change.action), Already):
            return await self._step(change, Stage.CONFIRMED, "it was applied before the restart")
        return await super()._resume(change)


class Forgetful:
    """A ledger that says "written" one step too early: what it holds back dies with the process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._held: list[tuple[Change, ProbeResult | None]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    async def step(self, change: Change, probe: ProbeResult | None = None) -> bool:
        held, self._held = self._held, []
        for one, answer in held:
            await self._ledger.step(one, answer)
        if change.stage is Stage.APPLYING:
            self._held.append((change, probe))
            return True
        return await self._ledger.step(change, probe)
