"""A clock that stands still until it is told to go on."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
YIELDS = 150
"""How often the loop may turn before the world counts as idle: more than any chain of awaits between two sleeps."""


class FakeClock:
    """`advance` runs what is due in order, each at its own time; a day takes as long as what happens in it."""

    def __init__(self, start: datetime = START) -> None:
        self._start = self._now = start
        self._set_by = timedelta()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now + self._set_by

    def set_by(self, span: timedelta) -> None:
        """Somebody sets the clock on the wall: forward, or back. No time goes by."""
        self._set_by += span

    def elapsed(self) -> float:
        return 1000.0 + (self._now - self._start).total_seconds()

    async def sleep(self, span: timedelta) -> None:
        if span <= timedelta():
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + span, next(self._order), wake))
        await wake

    async def advance(self, span: timedelta) -> None:
        """Let this much time go by."""
        end = self._now + span
        await self._idle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, wake = heapq.heappop(self._sleepers)
            if wake.cancelled():
                continue
            self._now = max(self._now, due)
            wake.set_result(None)
            await self._idle()
        self._now = end
        await self._idle()

    async def _idle(self) -> None:
        # A loop that shows who is ready to run is idle when that is nobody but us: ten times faster than yielding.
        ready = getattr(asyncio.get_running_loop(), "_ready", None)
        for _ in range(YIELDS):
            await asyncio.sleep(0)
            if ready is not None and not ready:
                return
