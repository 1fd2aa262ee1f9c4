"""This machine as the envelope sees it: every effect and prober behind one door."""

from collections.abc import Mapping

from groundskeeper.model import (
    Action,
    Effect,
    Impossible,
    Probe,
    Prober,
    ProbeResult,
    Refused,
    Sight,
)


class LocalHost:
    """Hands each action and probe to the driver of its kind. A kind without a driver is refused, with the reason."""

    def __init__(self, effects: Mapping[type[Action], Effect], probers: Mapping[type[Probe], Prober]) -> None:
        self._effects = effects
        self._probers = probers

    async def look(self, action: Action) -> Sight:
        effect = self._effects.get(type(action))
        if effect is None:
            return Impossible(reason=f"this agent does not know how to do that: {action.describe()}")
        return await effect.look(action)

    async def apply(self, action: Action) -> str:
        effect = self._effects.get(type(action))
        if effect is None:
            raise Refused(f"this agent does not know how to do that: {action.describe()}")
        return await effect.apply(action)

    async def ask(self, probe: Probe) -> ProbeResult:
        prober = self._probers.get(type(probe))
        if prober is None:
            return ProbeResult(ok=False, reason=f"this agent does not know how to ask: {probe.describe()}")
        return await prober.ask(probe)
