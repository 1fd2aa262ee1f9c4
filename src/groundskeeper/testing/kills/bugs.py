"""Envelopes with a bug planted, which the trials have to find; and the real one."""

from groundskeeper.engine.envelope import Envelope
from groundskeeper.model import Change, Needed, Stage
from groundskeeper.testing.kills.life import EnvelopeKind


class EffectFirst(Envelope):
    """Applies first and writes everything down afterwards, as a step of a workflow engine does."""

    async def _begin(self, change: Change) -> Change:
        sight = await self._look(change.action)
        if not isinstance(sight, Needed):
            return await super()._begin(change)
        said = await self._host.apply(change.action)
        begun = await self._intend(change, sight.found, sight.undo)
        return await self._step(begun, Stage.APPLIED, said)


class AppliesAgain(Envelope):
    """After a crash it does not look what is there: it begins anew."""

    async def _resume(self, change: Change) -> Change:
        return change


KINDS: dict[str, EnvelopeKind] = {kind.__name__: kind for kind in (Envelope, EffectFirst, AppliesAgain)}
