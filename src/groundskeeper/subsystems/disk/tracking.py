"""One filesystem over time: samples in, facts out. Pure, so that a recorded disk can be played again."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from groundskeeper.subsystems.disk.mounts import Mount
from groundskeeper.subsystems.disk.trend import Sample, Trend, is_low, is_news, is_plunging, trend
from groundskeeper.subsystems.disk.types import Filesystem

SPACING = 4.0
"""Seconds between the samples that a trend is made of."""
KEPT = 24
QUICKEST, STEADY, SLOWEST = 0.05, 0.3, 1.0
"""Seconds between two looks, which cost some microseconds each: the kernel has no event for a filling disk."""
FASTEST_DISK = 8e9
"""Bytes a second: what no single disk of today writes."""
RECENT = 5.0
"""So many seconds after the last change a low filesystem is looked at quickly."""


class Reading(NamedTuple):
    """What statvfs(3) says, in bytes."""

    size: int
    available: int
    inodes: int
    inodes_free: int
    read_only: bool


class Track:
    """Follows one mount. `now` is in seconds on a clock that does not jump."""

    def __init__(self, mount: Mount, meant_writable: bool) -> None:
        self.mount = mount
        self.told: Filesystem | None = None
        self._meant_writable = meant_writable
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._trend = Trend()
        self._last: Sample | None = None
        self._changed_at = float("-inf")
        self._quiet: tuple[Reading, bool] | None = None
        self._plunging = False

    def take(self, reading: Reading, now: float, why: Callable[[], str]) -> Filesystem | None:
        """The fact, where it is news. `why` is asked for what the kernel says when the filesystem stops writing."""
        read_only = reading.read_only or self.mount.read_only
        if (reading, read_only) == self._quiet and now - self._samples[-1].at < SPACING:
            return None
        self._quiet = (reading, read_only)
        self._meant_writable |= not read_only
        self._follow(reading.available, now)
        fact = self._fact(reading, read_only)
        if self.told is not None and not is_news(self.told, fact):
            return None
        stopped = read_only and self._meant_writable
        self.told = self._fact(reading, read_only, self._reason(why) if stopped else "")
        return self.told

    def _reason(self, why: Callable[[], str]) -> str:
        return self.told.kernel_says if self.told and self.told.read_only and self.told.kernel_says else why()

    def _fact(self, reading: Reading, read_only: bool, kernel_says: str = "") -> Filesystem:
        mount = self.mount
        return Filesystem(
            mount=mount.point, source=mount.source, kind=mount.kind, size=reading.size, available=reading.available,
            inodes=reading.inodes, inodes_free=reading.inodes_free, read_only=read_only,
            meant_writable=self._meant_writable, growth=self._trend.growth, full_in=self._trend.full_in,
            kernel_says=kernel_says,
        )  # fmt: skip

    def _follow(self, available: int, now: float) -> None:
        if self._last is None or available != self._last.available:
            sample = Sample(now, available)
            self._plunging = self._last is not None and is_plunging(self._last, sample)
            self._changed_at, self._last = now, sample
        if not self._samples or now - self._samples[-1].at >= SPACING:
            self._samples.append(Sample(now, available))
            still = all(sample.available == available for sample in self._samples)
            self._trend = Trend() if still else trend(tuple(self._samples))

    def pace(self, now: float) -> float:
        """Seconds until the next look: soon enough that even the fastest disk cannot fill up unseen."""
        if self.told is None or self.told.read_only:
            return SLOWEST
        if now - self._changed_at < RECENT and (self._plunging or is_low(self.told)):
            return QUICKEST
        return min(SLOWEST, max(STEADY, self.told.available / FASTEST_DISK))

    def silent(self) -> Filesystem | None:
        """The fact that it does not answer, where that is news. Its sizes are the last that were seen."""
        return self._retell(answers=False)

    def gone(self) -> Filesystem | None:
        """The fact that it is not mounted any more."""
        return self._retell(mounted=False)

    def _retell(self, *, answers: bool = True, mounted: bool = True) -> Filesystem | None:
        last = self.told
        mount = self.mount
        fact = Filesystem(
            mount=mount.point, source=mount.source, kind=mount.kind, size=last.size if last else 0,
            available=last.available if last else 0, meant_writable=self._meant_writable, answers=answers,
            mounted=mounted,
        )  # fmt: skip
        if last is not None and (last.answers, last.mounted) == (answers, mounted):
            return None
        self.told = fact
        return fact
