"""Watches filesystems: told by the kernel when one is mounted, asked in microseconds how full each is."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from groundskeeper.lib.clock import Clock
from groundskeeper.lib.priority import PriorityFile
from groundskeeper.model import Fact, Unavailable
from groundskeeper.subsystems.disk.asking import Patient, identity, read
from groundskeeper.subsystems.disk.kernel import why_read_only
from groundskeeper.subsystems.disk.mounts import Mount, mounted_writable_on_purpose, parse_mounts, worth_watching
from groundskeeper.subsystems.disk.openfiles import Identity, Writing, written_files
from groundskeeper.subsystems.disk.reclaiming import Reclaimer
from groundskeeper.subsystems.disk.selection import Lack
from groundskeeper.subsystems.disk.tracking import SLOWEST, Reading, Track
from groundskeeper.subsystems.disk.trend import is_low, lacks_bytes, lacks_inodes
from groundskeeper.subsystems.disk.types import EVERY_SOURCE, Filesystem, Growing, GrowingFile, Reclaimable

TABLE = "/proc/self/mountinfo"
REREAD = 3.0
"""Seconds between two readings of the mount table: no event tells that a filesystem stopped writing by itself."""
SURVEY_WAIT = 0.25
"""Seconds that news of a shortage waits for the figures of what could be freed."""
HELPS = 0.05
"""Share of the size that must be there to be freed, or it is a person's turn."""
GROWING_WAIT = 1.0
SURVEY_AGAIN = 60.0
SOON = timedelta(minutes=15)
GROWTH_SPAN = 0.3
GROWING = 5
"""Files named to a person."""


class FilesystemSensor:
    """Sensor of Filesystem, and of Reclaimable and Growing while one is short of space (root only)."""

    name = "filesystems"

    def __init__(self, clock: Clock, reclaimer: Reclaimer | None = None) -> None:
        self._clock = clock
        self._reclaimer = reclaimer or Reclaimer()

    async def run(self, seen: Callable[[Fact], None]) -> None:
        changed = asyncio.Event()
        watch = _Watch(self._clock, self._reclaimer, seen)
        try:
            with PriorityFile(TABLE, changed.set) as table:
                while True:
                    watch.table(table.read())
                    changed.clear()
                    await watch.until(changed, self._clock.elapsed() + REREAD)
        except OSError as problem:
            raise Unavailable(f"the table of mounted filesystems cannot be read ({problem.strerror})") from problem
        finally:
            watch.close()


class _Watch:
    """The filesystems of one run of the sensor."""

    def __init__(self, clock: Clock, reclaimer: Reclaimer, seen: Callable[[Fact], None]) -> None:
        self._clock = clock
        self._reclaimer = reclaimer
        self._seen = seen
        self._text = ""
        self._tracks: dict[str, Track] = {}
        self._patients: dict[str, Patient] = {}
        self._surveyed: dict[str, float] = {}
        self._devices: dict[str, int] = {}
        self._tasks: set[asyncio.Future[int]] = set()

    def table(self, text: str) -> None:
        if text == self._text:
            return
        self._text = text
        mounts = {mount.point: mount for mount in worth_watching(filter(_is_folder, parse_mounts(text)))}
        for point in self._tracks.keys() - mounts.keys():
            self._drop(point)
        for mount in mounts.values():
            self._follow(mount)

    def _drop(self, point: str) -> None:
        fact = self._tracks.pop(point).gone()
        self._patients.pop(point, None)
        self._surveyed.pop(point, None)
        if fact:
            self._seen(fact)

    def _follow(self, mount: Mount) -> None:
        track = self._tracks.get(mount.point)
        if track is None or track.mount.device != mount.device:
            self._tracks[mount.point] = Track(mount, mount.point in mounted_writable_on_purpose(_fstab()))
            self._patients.pop(mount.point, None)
            if mount.local:
                self._identify(mount.point)
        else:
            track.mount = mount

    def _identify(self, point: str) -> None:
        with suppress(OSError):
            self._devices[point] = identity(point)

    async def until(self, changed: asyncio.Event, at: float) -> None:
        """Look again and again until the mount table changes, or until `at`."""
        while not changed.is_set() and (now := self._clock.elapsed()) < at:
            for track in list(self._tracks.values()):
                if fact := self._look(track, now):
                    await self._tell(fact, track)
                elif track.told and is_low(track.told):
                    await self._survey(track.told, track)
            paces = [track.pace(now) for track in self._tracks.values() if track.mount.local]
            with suppress(TimeoutError):
                async with asyncio.timeout(min(paces, default=SLOWEST)):
                    await changed.wait()

    def _look(self, track: Track, now: float) -> Filesystem | None:
        reading = self._read(track.mount, now)
        if reading is not None:
            return track.take(reading, now, partial(why_read_only, track.mount.device))
        patient = self._patients.get(track.mount.point)
        return track.silent() if patient and patient.hangs(now) else None

    def _read(self, mount: Mount, now: float) -> Reading | None:
        if mount.local:
            with suppress(OSError):  # not ours to look at, or gone this instant: the table will tell
                reading, device = read(mount.point), identity(mount.point)
                # Unmounted this instant, its place would answer for the filesystem below.
                return reading if device == self._devices.get(mount.point) else None
            return None
        return self._patients.setdefault(mount.point, Patient(mount.point)).turn(now)

    async def _tell(self, fact: Filesystem, track: Track) -> None:
        """What could be freed comes before the shortage itself, so that whoever decides has the figures."""
        if is_low(fact) or (fact.full_in is not None and fact.full_in < SOON):
            await self._survey(fact, track)
        self._seen(fact)

    async def _survey(self, fact: Filesystem, track: Track) -> None:
        now = self._clock.elapsed()
        pointless = fact.read_only or not fact.answers or not track.mount.local or os.geteuid() != 0
        if pointless or now - self._surveyed.get(fact.mount, float("-inf")) < SURVEY_AGAIN:
            return
        self._surveyed[fact.mount] = now
        found = self._keep(self._find_reclaimable(fact))
        await asyncio.wait({found}, timeout=SURVEY_WAIT)
        if not is_low(fact) or (found.done() and found.result() < fact.size * HELPS):
            # A person will have to look, and wants to know who fills it; nothing is lost by asking first.
            await asyncio.wait({self._keep(self._find_growing(fact.mount))}, timeout=GROWING_WAIT)

    async def _find_reclaimable(self, fact: Filesystem) -> int:
        today = self._clock.now().timestamp()
        with suppress(OSError):
            shares = await asyncio.to_thread(self._reclaimer.survey, fact.mount, EVERY_SOURCE, today, plenty(fact))
            self._seen(Reclaimable(mount=fact.mount, shares=shares))
            return sum(share.bytes for share in shares)
        return 0

    async def _find_growing(self, mount: str) -> int:
        with suppress(OSError):
            device = identity(mount)
            before = await asyncio.to_thread(written_files, device)
            await asyncio.sleep(GROWTH_SPAN)
            after = await asyncio.to_thread(written_files, device)
            files = fastest(before, after, GROWTH_SPAN)
            self._seen(Growing(mount=mount, files=files))
            return len(files)
        return 0

    def _keep(self, work: Coroutine[None, None, int]) -> asyncio.Future[int]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()


def fastest(before: dict[Identity, Writing], after: dict[Identity, Writing], span: float) -> tuple[GrowingFile, ...]:
    """The files that grew fastest between two looks, then the largest."""
    found = [
        GrowingFile(path=file.path, process=file.process, bytes=file.bytes, growth=growth)
        for key, file in after.items()
        for growth in [max(0.0, (file.bytes - before[key].bytes) / span) if key in before else 0.0]
    ]
    return tuple(sorted(found, key=lambda file: (-file.growth, -file.bytes))[:GROWING])


def plenty(fact: Filesystem) -> Lack:
    """As much as any plan could want of what is short: nobody waits for the rest to be counted."""
    inodes = fact.inodes // 4 if lacks_inodes(fact) else 0
    return Lack(0 if inodes and not lacks_bytes(fact) else fact.size // 2, inodes)


def _is_folder(mount: Mount) -> bool:
    """Containers are given single files of their host's disk (/etc/hosts): that disk is watched on the host."""
    return not mount.local or mount.root == "/" or Path(mount.point).is_dir()


def _fstab() -> str:
    try:
        return Path("/etc/fstab").read_text(errors="surrogateescape")
    except OSError:
        return ""
