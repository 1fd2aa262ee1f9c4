"""Watches whether the clock is kept right, and whether somebody sets it."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from groundskeeper.lib.clock import Clock
from groundskeeper.model import Fact, Refused, Unavailable
from groundskeeper.subsystems.timekeeping.kernel import Discipline, arm, discipline, set_alarm, was_set
from groundskeeper.subsystems.timekeeping.services import installed_service, owner_of_the_clock
from groundskeeper.subsystems.timekeeping.types import ClockSync

LOOK = 10.0
"""Seconds between two questions to the kernel, which has no event for "nobody keeps the clock any more"."""
JUMP = timedelta(milliseconds=100)
"""Less than this between two looks is the ordinary work of a time service."""
NOT_LONGER = 300.0
"""Seconds after which it is looked again which time service is installed."""


class ClockSensor:
    """Sensor of ClockSync. `root` is where the machine's files are."""

    name = "clock"

    def __init__(self, clock: Clock, root: Path = Path("/")) -> None:
        self._clock = clock
        self._root = root

    async def run(self, seen: Callable[[Fact], None]) -> None:
        changed, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            alarm = set_alarm()
            loop.add_reader(alarm, changed.set)
            try:
                await self._watch(seen, changed, alarm)
            finally:
                loop.remove_reader(alarm)
                os.close(alarm)
        except OSError as problem:
            if owner := owner_of_the_clock(self._root):
                raise Refused(f"the clock belongs to {owner}, and is looked after there") from problem
            raise Unavailable(f"the kernel does not tell of its clock ({problem.strerror})") from problem

    async def _watch(self, seen: Callable[[Fact], None], changed: asyncio.Event, alarm: int) -> None:
        keeping = Keeping()
        looked_at = float("-inf")
        while True:
            elapsed = self._clock.elapsed()
            if elapsed - looked_at >= NOT_LONGER:
                keeping.belongs(installed_service(self._root), owner_of_the_clock(self._root))
                looked_at = elapsed
            if fact := keeping.take(discipline(), self._clock.now(), elapsed):
                seen(fact)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await changed.wait()
            if changed.is_set():
                changed.clear()
                if was_set(alarm):
                    arm(alarm)


class Keeping:
    """The clock over time: looks in, facts out. `elapsed` is in seconds on a clock that nobody can set."""

    def __init__(self) -> None:
        self._told: ClockSync | None = None
        self._since = 0.0
        self._began: datetime | None = None
        self._jump: tuple[timedelta, float] | None = None
        self._service: str | None = None
        self._owner: str | None = None

    def belongs(self, service: str | None, owner: str | None) -> None:
        self._service, self._owner = service, owner

    def take(self, seen: Discipline, now: datetime, elapsed: float) -> ClockSync | None:
        """The fact, where it is news."""
        began = now - timedelta(seconds=elapsed)
        if self._began is not None and abs(began - self._began) >= JUMP:
            self._jump = began - self._began, elapsed
        self._began = began
        if self._told is None or self._told.synchronised is not seen.synchronised:
            self._since = elapsed
        fact = self._fact(seen, began)
        if self._told is not None and _gist(fact) == _gist(self._told):
            return None
        self._told = fact
        return fact

    def _fact(self, seen: Discipline, began: datetime) -> ClockSync:
        # Moments are counted from the clock as it is now: one from before a jump would be off by the jump.
        jump, jumped = self._jump or (None, None)
        return ClockSync(
            synchronised=seen.synchronised,
            since=began + timedelta(seconds=self._since),
            offset=seen.offset,
            error_estimate=seen.bound if seen.synchronised else None,
            service=self._service,
            belongs_to=self._owner,
            last_jump=jump,
            jumped_at=None if jumped is None else began + timedelta(seconds=jumped),
        )


def _gist(fact: ClockSync) -> tuple[object, ...]:
    """What makes it news. The offset changes at every look and is told along."""
    return fact.synchronised, fact.service, fact.belongs_to, fact.last_jump
