"""Is told by the kernel when work begins to wait for the processor, memory or disks (PSI triggers)."""

import asyncio
import errno
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from groundskeeper.lib.clock import Clock
from groundskeeper.lib.priority import PriorityFile
from groundskeeper.model import Fact, Refused, Unavailable
from groundskeeper.subsystems.pressure.types import Pressure

FOLDER = "/proc/pressure"
CONFIRM = timedelta(milliseconds=500)
"""The kernel's word is measured once more: to others than root it calls too early in a trigger's first windows."""
RECHECK = timedelta(seconds=2)
"""How often a resource under pressure is asked whether it is over: the kernel tells of the rise only."""


class Threshold(NamedTuple):
    """Pressure is high when some work stood still for `rises` of the time, and over below `ends`. Shares of one."""

    resource: str
    rises: float
    ends: float


THRESHOLDS = (Threshold("cpu", 0.60, 0.40), Threshold("io", 0.40, 0.20), Threshold("memory", 0.10, 0.05))

QUICK, FOR_ANYBODY = 1_000_000, 2_000_000
"""Windows in microseconds. Without CAP_SYS_RESOURCE the kernel takes multiples of two seconds and no others."""


class Stalled(NamedTuple):
    """For how long some work, or all of it at once, stood still: seconds, or shares of one."""

    some: float
    full: float


class PressureSensor:
    """Sensor of Pressure. `folder` holds the kernel's pressure files."""

    name = "pressure on processor, memory and disks"

    def __init__(self, clock: Clock, folder: str = FOLDER) -> None:
        self._clock = clock
        self._folder = folder

    async def run(self, seen: Callable[[Fact], None]) -> None:
        if not Path(self._folder).is_dir():
            raise Refused("this kernel does not measure pressure (it was built or started without PSI)")
        try:
            with ExitStack() as open_files:
                watches = [self._watch(threshold, seen, open_files) for threshold in THRESHOLDS]
                await asyncio.gather(*(watch.run() for watch in watches))
        except OSError as problem:
            if problem.errno == errno.EOPNOTSUPP:
                raise Refused("pressure is not measured here (the kernel was started with psi=0)") from problem
            raise Unavailable(f"the kernel's pressure files cannot be watched ({problem.strerror})") from problem

    def _watch(self, threshold: Threshold, seen: Callable[[Fact], None], open_files: ExitStack) -> "_Watch":
        risen = asyncio.Event()
        file = open_files.enter_context(self._opened(threshold, risen.set))
        return _Watch(self._clock, threshold, file, risen, seen)

    def _opened(self, threshold: Threshold, risen: Callable[[], None]) -> PriorityFile:
        path = f"{self._folder}/{threshold.resource}"
        try:
            return PriorityFile(path, risen, trigger=_trigger(threshold, QUICK))
        except OSError as problem:
            if problem.errno not in (errno.EINVAL, errno.EPERM):
                raise
            return PriorityFile(path, risen, trigger=_trigger(threshold, FOR_ANYBODY))


def _trigger(threshold: Threshold, window: int) -> bytes:
    return f"some {int(threshold.rises * window)} {window}\0".encode()


class _Watch:
    """One resource."""

    def __init__(
        self, clock: Clock, threshold: Threshold, file: PriorityFile, risen: asyncio.Event, seen: Callable[[Fact], None]
    ) -> None:
        self._clock = clock
        self._threshold = threshold
        self._file = file
        self._risen = risen
        self._seen = seen

    async def run(self) -> None:
        shares = await self._over(CONFIRM)
        while True:
            self._tell(False, shares)
            shares = await self._rise()
            self._tell(True, shares)
            while shares.some >= self._threshold.ends:
                shares = await self._over(RECHECK)

    async def _rise(self) -> Stalled:
        while True:
            self._risen.clear()
            await self._risen.wait()
            if (shares := await self._over(CONFIRM)).some >= self._threshold.rises:
                return shares

    async def _over(self, span: timedelta) -> Stalled:
        """The shares of the coming span of time."""
        began, before = self._clock.elapsed(), stalled(self._file.read())
        await self._clock.sleep(span)
        passed, after = self._clock.elapsed() - began, stalled(self._file.read())
        return Stalled((after.some - before.some) / passed, (after.full - before.full) / passed)

    def _tell(self, high: bool, shares: Stalled) -> None:
        self._seen(
            Pressure(
                resource=self._threshold.resource,
                high=high,
                some=round(100 * shares.some, 1),
                full=round(100 * shares.full, 1),
                since=self._clock.now(),
            )
        )


def stalled(text: str) -> Stalled:
    """The running totals in seconds: `some avg10=0.12 avg60=… total=1234567`, and `full` where the kernel has it."""
    totals = dict.fromkeys(("some", "full"), 0.0)
    for line in text.splitlines():
        kind, _, total = line.partition(" ")[0], *line.rpartition("total=")[1:]
        totals[kind] = int(total) / 1e6
    return Stalled(**totals)
