"""How fast a filesystem fills, and which change of it is news. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import NamedTuple

from groundskeeper.subsystems.disk.types import Filesystem

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

EVIDENCE = 30.0
"""Seconds of steady growth before a forecast is made: a copied file or an upgrade is over sooner."""
FEWEST = 8
"""Samples below which nothing is said of a trend."""
HORIZON = timedelta(days=1)
"""Forecasts further off than this are for the hub, which has history."""
BANDS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=10), timedelta(hours=1), HORIZON)


class Sample(NamedTuple):
    at: float
    """Seconds on a clock that does not jump."""
    available: int


class Trend(NamedTuple):
    growth: float = 0.0
    full_in: timedelta | None = None


def trend(samples: Sequence[Sample]) -> Trend:
    """Growth in bytes a second by the median of all pairwise slopes (Theil 1950, Sen 1968): one burst does not sway it.

    There is a forecast only where growth is seen for at least EVIDENCE seconds and its latter half goes on at no less
    than half the pace.
    """
    if len(samples) < FEWEST or samples[-1].at - samples[0].at < EVIDENCE:
        return Trend()
    growth = _slope(samples)
    if growth <= 0 or _slope(samples[len(samples) // 2 :]) < growth / 2:
        return Trend(max(growth, 0.0))
    left = samples[-1].available / growth
    return Trend(growth, timedelta(seconds=round(left)) if left < HORIZON.total_seconds() else None)


def _slope(samples: Sequence[Sample]) -> float:
    pairs = ((a, b) for i, a in enumerate(samples) for b in samples[i + 1 :] if b.at > a.at)
    return median((a.available - b.available) / (b.at - a.at) for a, b in pairs)


def is_low(seen: Filesystem) -> bool:
    """Short enough that it is watched closely and told in fine steps; well before any rule finds it wrong."""
    return lacks_bytes(seen) or lacks_inodes(seen)


def lacks_bytes(seen: Filesystem) -> bool:
    return seen.available < min(seen.size / 8, 12 * GIB)


def lacks_inodes(seen: Filesystem) -> bool:
    return bool(seen.inodes) and seen.inodes_free < seen.inodes / 10


def is_news(told: Filesystem, seen: Filesystem) -> bool:
    """Has it changed enough to be told again? In steps of 1 % of the size, finer when little is left."""
    if _state(told) != _state(seen) or is_low(told) != is_low(seen):
        return True
    low = is_low(seen)
    step = max(64 * KIB, told.available // 50) if low else max(MIB, seen.size // 100)
    inode_step = max(64, told.inodes_free // 50 if low else seen.inodes // 100)
    return abs(seen.available - told.available) >= step or abs(seen.inodes_free - told.inodes_free) >= inode_step


def _state(seen: Filesystem) -> tuple[object, ...]:
    imminent = sum(seen.full_in < band for band in BANDS) if seen.full_in else 0
    return (
        seen.read_only, seen.answers, seen.mounted, seen.meant_writable, seen.kernel_says, imminent,
        seen.size, seen.source, seen.available == 0,
    )  # fmt: skip


def is_plunging(before: Sample, after: Sample) -> bool:
    """Does it fall so fast between the two that it would be full within five seconds?"""
    fell = before.available - after.available
    return fell > 0 and after.available * (after.at - before.at) < 5 * fell
