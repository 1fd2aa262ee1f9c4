"""Asks whether a link is connected and its gateway answers."""

import asyncio

from groundskeeper.model import Probe, ProbeResult
from groundskeeper.subsystems.network import kernel, reach
from groundskeeper.subsystems.network.rtnetlink import LOWER_UP, UP, LinkRow
from groundskeeper.subsystems.network.types import LinkIs, LinkReaches

_PATIENT = 0.004
"""An answer on the same network takes less; after that long it is asked for again."""
_ASKING = (0.0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)


class NetworkProber:
    """LinkReaches and LinkIs."""

    async def ask(self, probe: Probe) -> ProbeResult:
        assert isinstance(probe, LinkReaches | LinkIs)
        row = kernel.link(probe.link)
        if row is None:
            return ProbeResult(ok=False, reason=kernel.NO_LINK.format(probe.link))
        up = bool(row.flags & UP)
        if isinstance(probe, LinkIs):
            return ProbeResult(ok=up == probe.up, reason=f"{probe.link} is {'on' if up else 'off'}")
        carrier = bool(row.flags & LOWER_UP)
        if not probe.gateway or not up or not carrier:
            reason = f"{probe.link} is {'on' if up else 'off'}, its other end is {'there' if carrier else 'not there'}"
            return ProbeResult(ok=up and carrier, reason=reason)
        return await self._gateway(row, probe)

    async def _gateway(self, row: LinkRow, probe: LinkReaches) -> ProbeResult:
        answers, how = None, "it has not been asked"
        with kernel.opened() as asking:
            reach.poke(asking, row, probe.gateway)
            for pause in _ASKING:
                await asyncio.sleep(pause)
                answers, how = reach.verdict(row, kernel.neighbour(asking, row.ifindex, probe.gateway))
                if answers:
                    break
                if pause >= _PATIENT:
                    reach.poke_again(asking, row, probe.gateway)
        if answers is None:
            how = "it has not answered yet"
        return ProbeResult(ok=bool(answers), reason=f"{probe.gateway}: {how}")
