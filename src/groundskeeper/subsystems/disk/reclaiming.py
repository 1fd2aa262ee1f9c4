"""Making room: source after source, oldest first, in small batches, no more than is wanted. Blocking: for a thread.

Nothing is written anywhere, so that it works on a disk without a free byte; and nothing is remembered, so that it can
be cut at any point and started again.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import NamedTuple

from groundskeeper.lib.figures import counted, size
from groundskeeper.subsystems.disk.openfiles import DeletedLog, Identity, busy_files, deleted_logs, empty, mapped_files
from groundskeeper.subsystems.disk.selection import (
    LOGS,
    PLACES,
    Candidate,
    Entry,
    Lack,
    Place,
    choose,
    in_order,
    may_go,
)
from groundskeeper.subsystems.disk.types import EnsureSpace, EnsureSpaceFromCaches, Share, Source
from groundskeeper.subsystems.disk.walk import Deleting, candidates

BATCH = 64
"""Files between two looks at what is free by now."""
NAMED = 3
"""How many of the largest are named to people."""
IN_VAIN = 16 << 20
"""So much deleted and not a tenth of it free after: something else keeps the blocks (a snapshot, a lower layer)."""

MOST = 20_000
"""Files of one source held in mind at a time: a million of them must not cost the agent its memory."""
ALL = Lack(1 << 62, 1 << 62)

Making = EnsureSpace | EnsureSpaceFromCaches
Lacking = Callable[[], Lack]
Stopped = Callable[[], bool]


class Freed(NamedTuple):
    """What was taken from one source. `largest` are paths with their sizes."""

    source: Source
    bytes: int
    files: int
    largest: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        names = ", ".join(f"{path} {size(count)}" for path, count in self.largest)
        return f"{size(self.bytes)} from {counted(self.files, 'file')} of {self.source.value} ({names})"


def lack_of(mount: str, bytes_free: int, inodes_free: int) -> Lack:
    """What is missing at the moment. A filesystem that counts no inodes lacks none."""
    room = os.statvfs(mount)
    inodes = inodes_free - room.f_favail if room.f_files else 0
    return Lack(bytes_free - room.f_bavail * room.f_frsize, inodes)


class Reclaimer:
    """Frees space on filesystems of this machine from the places it is given. Needs root to see what is in use."""

    def __init__(self, places: Sequence[Place] = PLACES, logs: str = LOGS) -> None:
        self._places = places
        self._logs = logs

    def survey(self, mount: str, sources: Sequence[Source], now: float, lack: Lack = ALL) -> tuple[Share, ...]:
        """What each source would give, as far down the list as it takes to cover the lack. Changes nothing."""
        search = _Search(self._places, self._logs, os.stat(mount).st_dev, now)
        shares: list[Share] = []
        for source in (source for source in Source if source in sources and lack):
            share = search.share(source, lack)
            lack = Lack(lack.bytes - share.bytes, lack.inodes - share.files)
            if share.files:
                shares.append(share)
        return tuple(shares)

    def free(self, action: Making, now: float, stopped: Stopped) -> list[Freed]:
        """Until the action's aim is met, nothing is left that may go, or `stopped` says so."""
        search = _Search(self._places, self._logs, os.stat(action.mount).st_dev, now)

        def lacking() -> Lack:
            return lack_of(action.mount, max(action.bytes_free, action.aim), action.inodes_free)

        freed = (_take(search, source, lacking, stopped) for source in Source if source in action.sources)
        return [each for each in freed if each.files]


class _Search:
    """One search of one filesystem. Who has what open is asked once: it is the dearest question of all."""

    def __init__(self, places: Sequence[Place], logs: str, device: int, now: float) -> None:
        self._places = places
        self._logs = logs
        self._device = device
        self._now = now

    @cached_property
    def _busy(self) -> frozenset[Identity]:
        return busy_files()

    @cached_property
    def _mapped(self) -> frozenset[Identity]:
        return mapped_files()

    def wanted(self, place: Place, entry: Entry) -> bool:
        # Most files fall to the cheap questions, and then nobody's open files need be asked for.
        if not may_go(place, entry, self._now, frozenset()):
            return False
        return (entry.device, entry.inode) not in self._in_use(place)

    def _in_use(self, place: Place) -> frozenset[Identity]:
        return self._busy | self._mapped if place.source is Source.TEMPORARY_FILES else self._busy

    def files(self, source: Source) -> Iterator[Candidate]:
        places = (place for place in self._places if place.source is source)
        return chain.from_iterable(candidates(place, self._device, self.wanted) for place in places)

    def logs(self, source: Source) -> list[DeletedLog]:
        return deleted_logs(self._device, self._logs) if source is Source.DELETED_LOGS else []

    def share(self, source: Source, lack: Lack) -> Share:
        """What the source would give, counted until the lack is covered."""
        total = files = 0
        found = chain((log.file.bytes for log in self.logs(source)), (one.entry.bytes for one in self.files(source)))
        for count in found:
            total, files = total + count, files + 1
            if total >= lack.bytes and files >= lack.inodes:
                break
        return Share(source=source, bytes=total, files=files)


def _take(search: _Search, source: Source, lacking: Lacking, stopped: Stopped) -> Freed:
    taken: list[tuple[str, int]] = []
    if lacking() and not stopped():
        taken += _empty_logs(search.logs(source), lacking, stopped)
    more = True
    while more and (lack := lacking()) and not stopped():
        found = in_order(islice(search.files(source), most := _held_in_mind(lack)))
        gone = list(_delete_files(found, search, lacking, stopped))
        taken += gone
        more = len(found) == most and bool(gone)
    largest = sorted(taken, key=lambda each: -each[1])[:NAMED]
    return Freed(source, sum(count for _, count in taken), len(taken), tuple(largest))


def _held_in_mind(lack: Lack) -> int:
    """From how many files the oldest are picked. Where inodes alone are short they are many, small, and urgent."""
    return MOST if lack.bytes > 0 else min(MOST, BATCH + 4 * lack.inodes)


def _empty_logs(logs: list[DeletedLog], lacking: Lacking, stopped: Stopped) -> Iterator[tuple[str, int]]:
    for log in logs:
        if stopped() or lacking().bytes <= 0:
            return
        if empty(log):
            yield log.name, log.file.bytes


def _delete_files(
    ordered: list[Candidate], search: _Search, lacking: Lacking, stopped: Stopped
) -> Iterator[tuple[str, int]]:
    while batch := choose(ordered, before := lacking(), BATCH):
        if stopped():
            return
        with Deleting(search.wanted) as deleting:
            gone = [candidate for candidate in batch if deleting.delete(candidate)]
        yield from ((candidate.path, candidate.entry.bytes) for candidate in gone)
        expected = sum(candidate.entry.bytes for candidate in gone)
        if expected >= IN_VAIN and before.bytes - _settled(lacking, before, expected).bytes < expected / 10:
            return
        ordered = ordered[ordered.index(batch[-1]) + 1 :]


def _settled(lacking: Lacking, before: Lack, expected: int) -> Lack:
    """What is lacking once the filesystem has counted what was freed: XFS does that in the background."""
    for _ in range(10):
        left = lacking()
        if before.bytes - left.bytes >= expected / 2:
            break
        time.sleep(0.02)
    return left
