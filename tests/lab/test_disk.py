"""Making space, and watching it, on real filesystems in a mount namespace of the test's own: nothing is left behind."""

import asyncio
import ctypes
import errno
import fcntl
import mmap
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TypeVar

from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Already, DeviceId, Fact, Impossible, Needed, Stage
from groundskeeper.runbooks.disk_filling.rule import DiskFilling
from groundskeeper.runbooks.disk_filling.runbook import MakeRoom
from groundskeeper.subsystems.disk.effects import AskingSpace, MakingSpace
from groundskeeper.subsystems.disk.reclaiming import Reclaimer
from groundskeeper.subsystems.disk.selection import PLACES, Candidate, Entry, Place, may_go
from groundskeeper.subsystems.disk.sensor import FilesystemSensor
from groundskeeper.subsystems.disk.trend import is_low
from groundskeeper.subsystems.disk.types import (
    EnsureSpace,
    EnsureSpaceFromCaches,
    Filesystem,
    Growing,
    Reclaimable,
    Source,
    SpaceFree,
)
from groundskeeper.subsystems.disk.walk import Deleting, candidates

from .whole import Machine, at_home

F = TypeVar("F", bound=Fact)

WEB_1 = DeviceId("web-1")
LIBC = ctypes.CDLL(None, use_errno=True)
NEW_MOUNTS = 0x00020000
DAY = 86400.0
TODAY = SystemClock().now().timestamp()
MB = 1 << 20


def mount(*argv: str) -> None:
    subprocess.run(["mount", "--no-mtab", *argv], check=True)


def apart(body: Callable[[Path], None]) -> Callable[[Path], None]:
    """Run the test in a process and a mount namespace of its own, with a small ext4 at /var and a tmpfs at /tmp.

    The namespace takes every mount (and its loop device) with it, however the test ends.
    """

    @wraps(body)
    def test(tmp_path: Path) -> None:
        report = tmp_path / "report"
        if (child := os.fork()) == 0:
            try:
                inside(tmp_path, body)
                os._exit(0)
            except BaseException:  # noqa: BLE001 (the parent reports it)
                with suppress(OSError):
                    os.write(told, traceback.format_exc().encode())
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert status == 0, report.read_text()

    told = -1

    def inside(tmp_path: Path, body: Callable[[Path], None]) -> None:
        nonlocal told
        told = os.open(tmp_path / "report", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
        assert LIBC.unshare(NEW_MOUNTS) == 0
        mount("--make-rprivate", "/")
        image, outside = tmp_path / "var.ext4", tmp_path / "outside"
        outside.mkdir()
        with image.open("wb") as file:
            file.truncate(96 * MB)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-N", "4096", str(image)], check=True)
        keep = os.open(outside, os.O_RDONLY)  # /tmp is about to be hidden, and the image with it
        mount("-o", "loop,errors=remount-ro", str(image), "/var")
        mount("-t", "tmpfs", "-o", "size=16m,mode=1777", "gktest", "/tmp")
        for folder in ("log", "cache/apt/archives", "tmp", "lib/db", "lib/systemd/coredump"):
            Path("/var", folder).mkdir(parents=True)
        body(Path(f"/proc/self/fd/{keep}"))

    del test.__wrapped__  # pytest would look for the body's fixtures
    return test


def made(path: str, size: int, *, days: float = 40.0) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        if size:
            os.posix_fallocate(opened.fileno(), 0, size)
    age(file, days)
    return file


def age(path: Path, days: float = 40.0) -> None:
    then = TODAY - days * DAY
    os.utime(path, (then, then), follow_symlinks=False)


def fill(path: str) -> Path:
    """Somebody's data, until not a block is left."""
    with open(path, "ab", buffering=0) as file:
        for piece in (MB, 4096):
            with suppress(OSError):
                while True:
                    file.write(b"x" * piece)
    return Path(path)


def free(mount: str) -> int:
    room = os.statvfs(mount)
    return room.f_bavail * room.f_frsize


def database_writes() -> bool:
    try:
        with open("/var/lib/db/wal", "ab", buffering=0) as log:
            log.write(b"commit" * 1000)
            os.fsync(log.fileno())
    except OSError as problem:
        assert problem.errno == errno.ENOSPC
        return False
    return True


def wanted(
    bytes_free: int, *, mount: str = "/var", inodes: int = 0, sources: tuple[Source, ...] = tuple(Source)
) -> EnsureSpace:
    return EnsureSpace(device=WEB_1, mount=mount, bytes_free=bytes_free, inodes_free=inodes, sources=sources)


effect = MakingSpace(SystemClock())


@apart
def test_a_full_disk_takes_the_databases_writes_again_in_well_under_a_second(_: Path) -> None:
    for number in range(40):
        made(f"/var/cache/apt/archives/package_{number}.deb", MB)
    data = fill("/var/lib/db/table")
    before = data.stat().st_size
    assert not database_writes()
    action = EnsureSpaceFromCaches(device=WEB_1, mount="/var", bytes_free=20 * MB)
    started = time.perf_counter()
    found = asyncio.run(effect.look(action))
    assert isinstance(found, Needed) and "package caches" in found.found
    told = asyncio.run(effect.apply(action))
    assert database_writes()
    took = time.perf_counter() - started
    print(f"full → writable in {took * 1000:.1f} ms: {told}", file=sys.stderr)
    assert took < 0.5
    assert free("/var") + 3 * 4096 >= 20 * MB and free("/var") < 23 * MB, "no more than was wanted"
    assert data.stat().st_size == before
    assert isinstance(asyncio.run(effect.look(EnsureSpace(device=WEB_1, mount="/var", bytes_free=19 * MB))), Already)
    assert asyncio.run(AskingSpace().ask(wanted(19 * MB).probe())).ok
    assert not asyncio.run(AskingSpace().ask(wanted(40 * MB).probe())).ok


@apart
def test_least_regret_goes_first_and_data_never(_: Path) -> None:
    goes = [
        made("/var/cache/apt/archives/old.deb", 4 * MB),
        made("/var/lib/systemd/coredump/core.nginx.0.zst", 4 * MB),
        made("/var/log/journal/id/system@1-2.journal", 4 * MB),
        made("/var/log/nginx/access.log.2.gz", 4 * MB),
        made("/var/tmp/build/deep/object.o", 4 * MB),
    ]
    stays = [
        made("/var/log/mysql/mysql-bin.000001", MB), made("/var/log/auth.log.1", MB), made("/var/log/app.log", MB),
        made("/var/log/journal/id/system.journal", MB), made("/var/log/young.log.1", MB, days=0.1),
        made("/var/tmp/systemd-private-1-x/tmp/f", MB), made("/var/lib/db/file.1", MB), made("/var/spool/mail.1", MB),
    ]  # fmt: skip
    for expected in range(1, len(goes) + 1):
        asyncio.run(effect.apply(wanted(free("/var") + 3 * MB)))
        assert [path.exists() for path in goes] == [number >= expected for number in range(len(goes))]
    assert isinstance(asyncio.run(effect.look(wanted(95 * MB))), Impossible)
    asyncio.run(effect.apply(wanted(95 * MB)))
    assert all(path.exists() for path in stays)


@apart
def test_what_is_open_mapped_or_behind_a_disk_image_stays(_: Path) -> None:
    read, mapped, image = (made(f"/var/tmp/{name}", MB) for name in ("read", "mapped", "image"))
    with read.open("rb"), mapped.open("r+b") as file, mmap.mmap(file.fileno(), 0):
        file.close()
        loop = subprocess.run(
            ["losetup", "-f", "--show", image], check=True, capture_output=True, text=True
        ).stdout.strip()
        try:
            for each in (read, mapped, image):
                age(each)
            asyncio.run(effect.apply(wanted(95 * MB)))
            assert read.exists() and mapped.exists() and image.exists()
        finally:
            subprocess.run(["losetup", "-d", loop], check=True)
    for each in (read, mapped, image):
        age(each)
    asyncio.run(effect.apply(wanted(95 * MB)))
    assert not read.exists() and not mapped.exists() and not image.exists()


@apart
def test_a_deleted_log_is_emptied_and_its_writer_goes_on(_: Path) -> None:
    with open("/var/log/app.log", "ab", buffering=0) as log, open("/var/log/table", "w+b", buffering=0) as table:
        log.write(b"x" * 8 * MB)
        table.write(b"y" * 8 * MB)
        Path(log.name).unlink()
        Path(table.name).unlink()
        before = free("/var")
        told = asyncio.run(effect.apply(wanted(95 * MB)))
        assert free("/var") - before >= 8 * MB and "/var/log/app.log 8.4 MB" in told
        log.write(b"next line\n")
        assert os.fstat(log.fileno()).st_size == 10
        assert os.pread(table.fileno(), 3, 4 * MB) == b"yyy", "who reads what he wrote keeps it"


@apart
def test_no_link_leads_out_and_no_mount_is_entered(outside: Path) -> None:
    victim = made(f"{outside}/victim.1", MB)
    here = made("/var/lib/db/precious.1", MB)
    Path("/var/tmp/link").symlink_to(outside.resolve())
    Path("/var/tmp/file-link").symlink_to(victim)
    Path("/var/tmp/second-name").hardlink_to(here)
    Path("/var/log/linked").symlink_to("/var/lib/db")
    Path("/var/tmp/bound").mkdir()
    bound = made("/var/lib/home/letters", MB)
    mount("--bind", "/var/lib/home", "/var/tmp/bound")  # the same disk: st_dev does not tell
    Path("/var/tmp/other").mkdir()
    mount("-t", "tmpfs", "gktest", "/var/tmp/other")
    other = made("/var/tmp/other/file", MB)
    asyncio.run(effect.apply(wanted(95 * MB)))
    assert victim.exists() and here.exists() and bound.exists() and other.exists()
    assert isinstance(asyncio.run(effect.look(wanted(95 * MB))), Impossible), "they are not even counted"


@apart
def test_a_place_that_is_a_link_itself_is_left_alone(_: Path) -> None:
    victim = made("/var/lib/home/old", MB)
    Path("/var/tmp").rmdir()
    Path("/var/tmp").symlink_to("/var/lib/home")
    asyncio.run(effect.apply(wanted(95 * MB)))
    assert victim.exists()


@contextmanager
def racing(step: Callable[[], None]) -> Iterator[list[int]]:
    """Somebody else, as fast as he can, until the block ends."""
    over, rounds = threading.Event(), [0]

    def run() -> None:
        while not over.is_set():
            with suppress(OSError):
                step()
            rounds[0] += 1

    attacker = threading.Thread(target=run)
    attacker.start()
    try:
        yield rounds
    finally:
        over.set()
        attacker.join()


@apart
def test_an_attacker_who_swaps_folders_for_links_gains_nothing(_: Path) -> None:
    victims = [made(f"/var/lib/db/{number}", 4096) for number in range(20)]
    bait, aside = Path("/var/tmp/bait"), Path("/var/tmp/aside")
    bait.mkdir()

    def swap() -> None:
        bait.rename(aside)
        bait.symlink_to("/var/lib/db")
        time.sleep(random.random() / 5000)
        bait.unlink()
        aside.rename(bait)

    [place] = [place for place in PLACES if place.path == "/var/tmp"]
    device, gone = os.stat("/var/tmp").st_dev, 0
    ends = time.perf_counter() + 3.0
    with racing(swap) as rounds:
        while time.perf_counter() < ends:
            with suppress(OSError):
                for number in range(20):
                    made(f"/var/tmp/{random.choice(['bait', 'aside'])}/{number}", 0)
            for path in victims:
                age(path)
            for candidate in list(candidates(place, device, old)):
                gone += delete(candidate)
    print(f"{rounds[0]} swaps, {gone} of the attacker's own files deleted", file=sys.stderr)
    assert rounds[0] > 100 and gone > 100
    assert all(path.exists() for path in victims)


@apart
def test_a_folder_that_becomes_a_link_between_its_listing_and_its_opening_is_not_followed(_: Path) -> None:
    victims = [made(f"/var/lib/db/{number}", 4096) for number in range(20)]
    for number in range(20):  # some are listed before the bait, some after it
        made(f"/var/tmp/file-{number}", 4096)
    Path("/var/tmp/bait").mkdir()
    [place] = [place for place in PLACES if place.path == "/var/tmp"]

    def swap(place: Place, entry: Entry) -> bool:
        with suppress(OSError):
            Path("/var/tmp/bait").rmdir()
            Path("/var/tmp/bait").symlink_to("/var/lib/db")
        return old(place, entry)

    for candidate in list(candidates(place, os.stat("/var/tmp").st_dev, swap)):
        delete(candidate)
    assert Path("/var/tmp/bait").is_symlink() and os.listdir("/var/tmp") == ["bait"]
    assert all(path.exists() for path in victims)


@apart
def test_a_file_that_was_swapped_after_it_was_chosen_stays(_: Path) -> None:
    [place] = [place for place in PLACES if place.path == "/var/tmp"]
    chosen_path, other = made("/var/tmp/deep/chosen", 4096), made("/var/tmp/deep/other", 8192)
    [chosen] = [one for one in candidates(place, os.stat("/var/tmp").st_dev, old) if one.entry.name == "chosen"]
    other.rename(chosen_path)
    assert not delete(chosen)
    chosen_path.rename("/var/lib/db/kept")
    Path("/var/tmp/deep").rmdir()
    Path("/var/tmp/deep").symlink_to("/var/lib/db")
    Path("/var/lib/db/kept").rename("/var/lib/db/chosen")
    [now_there] = [os.stat("/var/lib/db/chosen")]
    assert not delete(chosen._replace(entry=chosen.entry._replace(inode=now_there.st_ino)))
    assert Path("/var/lib/db/chosen").exists()


def delete(candidate: Candidate) -> bool:
    with Deleting(old) as deleting:
        return deleting.delete(candidate)


def old(place: Place, entry: Entry) -> bool:
    return may_go(place, entry, TODAY, frozenset())


@apart
def test_a_claimed_folder_and_a_busy_package_manager_are_left_alone(_: Path) -> None:
    claimed, package = made("/var/tmp/claimed/file", MB), made("/var/cache/apt/archives/x.deb", MB)
    held, holding = os.pipe()
    if (holder := os.fork()) == 0:
        fcntl.flock(os.open("/var/tmp/claimed", os.O_RDONLY), fcntl.LOCK_EX)
        fcntl.lockf(os.open("/var/cache/apt/archives/lock", os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
        os.write(holding, b"!")
        signal.pause()
    try:
        os.read(held, 1)
        asyncio.run(effect.apply(wanted(95 * MB)))
        assert claimed.exists() and package.exists()
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    asyncio.run(effect.apply(wanted(95 * MB)))
    assert not claimed.exists() and not package.exists()


@apart
def test_killed_at_any_moment_it_tells_the_truth_and_can_be_done_again(_: Path) -> None:
    kept = made("/var/lib/db/kept.1", MB)
    killed_halfway = 0
    for _round in range(40):
        for number in range(300):
            made(f"/var/log/many/app.log.{number + 1}", 4096)
        total = 300
        if (child := os.fork()) == 0:
            Reclaimer().free(wanted(95 * MB), TODAY, lambda: False)
            os._exit(0)
        while len(os.listdir("/var/log/many")) == total:
            time.sleep(0.0005)
        time.sleep(random.random() * 0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        left = len(os.listdir("/var/log/many"))
        killed_halfway += 0 < left < total
        seen = asyncio.run(effect.look(wanted(free("/var") + 4096, sources=(Source.ROTATED_LOGS,))))
        assert isinstance(seen, Needed if left else Impossible)
        asyncio.run(effect.apply(wanted(95 * MB)))
        assert os.listdir("/var/log/many") == []
    assert kept.exists() and killed_halfway >= 3


@apart
def test_inodes_come_back_where_they_were_short(_: Path) -> None:
    number = 0
    with suppress(OSError):
        for number in range(10_000):
            made(f"/var/tmp/sess_{number}", 0)
    assert os.statvfs("/var").f_favail == 0
    started = time.perf_counter()
    asyncio.run(effect.apply(wanted(0, inodes=500)))
    took = time.perf_counter() - started
    print(f"500 of {number} inodes back in {took * 1000:.1f} ms", file=sys.stderr)
    assert 500 <= os.statvfs("/var").f_favail <= 501 and took < 1.0


# Watching


class Watched:
    """A sensor at work, and what it told with the moment at which it did."""

    def __init__(self) -> None:
        self.told: list[tuple[float, Fact]] = []
        self._more = asyncio.Event()

    def seen(self, fact: Fact) -> None:
        self.told.append((time.perf_counter(), fact))
        self._more.set()

    async def until(self, kind: type[F], wanted: Callable[[F], bool], seconds: float = 3.0) -> tuple[float, F]:
        async with asyncio.timeout(seconds):
            while True:
                for at, fact in self.told:
                    if isinstance(fact, kind) and wanted(fact):
                        return at, fact
                self._more.clear()
                await self._more.wait()


def watching(body: Callable[[Watched], Awaitable[None]]) -> None:
    async def run() -> None:
        watched = Watched()
        sensor = asyncio.ensure_future(FilesystemSensor(SystemClock()).run(watched.seen))
        try:
            await watched.until(Filesystem, lambda disk: disk.mount == "/var")
            watched.told.clear()
            await body(watched)
        finally:
            sensor.cancel()
            await asyncio.wait({sensor})
            assert sensor.cancelled()

    asyncio.run(run())


def about_var(watched: Watched) -> list[str]:
    """What was told of /var, in order, since it is short of space."""
    about = [fact for _, fact in watched.told if getattr(fact, "mount", "") == "/var"]
    return [type(fact).__name__ for fact in about if not isinstance(fact, Filesystem) or is_low(fact)]


@apart
def test_a_disk_that_fills_is_told_after_what_could_be_freed(_: Path) -> None:
    async def body(watched: Watched) -> None:
        made("/var/cache/apt/archives/x.deb", 8 * MB)
        started = time.perf_counter()
        await asyncio.to_thread(fill, "/var/lib/db/table")
        at, disk = await watched.until(Filesystem, lambda disk: disk.mount == "/var" and disk.available < MB)
        print(f"full → told {1000 * (at - started):.0f} ms after the filling began", file=sys.stderr)
        _, found = await watched.until(Reclaimable, lambda found: found.mount == "/var")
        assert found.bytes_from((Source.PACKAGE_CACHES,)) == 8 * MB
        assert about_var(watched).index("Reclaimable") < about_var(watched).index("Filesystem")
        assert disk.size > 80 * MB and "Growing" not in about_var(watched)

    watching(body)


@apart
def test_who_fills_a_disk_is_told_where_only_a_person_can_help(_: Path) -> None:
    async def body(watched: Watched) -> None:
        with open("/var/lib/db/growing", "ab", buffering=0) as file:
            await asyncio.to_thread(fill, "/var/lib/db/table")
            Path("/var/lib/db/table").write_bytes(b"")
            await asyncio.to_thread(file.write, b"x" * 80 * MB)
            for _ in range(100):
                await asyncio.to_thread(file.write, b"x" * 8192)
                await asyncio.sleep(0.01)
            _, growing = await watched.until(Growing, lambda growing: growing.mount == "/var")
        assert about_var(watched).index("Growing") < about_var(watched).index("Filesystem")
        [first] = [file for file in growing.files if file.path == "/var/lib/db/growing"]
        assert first == growing.files[0] and first.bytes >= 80 * MB and first.process.startswith("pytest")

    watching(body)


@apart
def test_mounts_come_change_and_go_without_being_asked_after(_: Path) -> None:
    async def body(watched: Watched) -> None:
        Path("/var/lib/x").mkdir()
        spans = []
        for change, seen in (
            (
                ("-t", "tmpfs", "-o", "size=8m", "gktest", "/var/lib/x"),
                lambda disk: disk.mounted and not disk.read_only,
            ),
            (("-o", "remount,ro", "/var/lib/x"), lambda disk: disk.read_only and disk.meant_writable),
        ):
            started = time.perf_counter()
            await asyncio.to_thread(mount, *change)
            at, _ = await watched.until(Filesystem, lambda disk, seen=seen: disk.mount == "/var/lib/x" and seen(disk))
            spans.append(f"{1000 * (at - started):.1f} ms")
        await asyncio.to_thread(subprocess.run, ["umount", "/var/lib/x"], check=True)
        await watched.until(Filesystem, lambda disk: disk.mount == "/var/lib/x" and not disk.mounted)
        print("mount, remount read-only →", spans, file=sys.stderr)
        wrong = [fact for _, fact in watched.told if isinstance(fact, Filesystem) and fact.mount == "/var/lib/x"]
        assert all(fact.size == 8 * MB for fact in wrong), "the filesystem below it answered in its place"

    watching(body)


@apart
def test_a_disk_that_stops_writing_after_an_error_is_told_with_the_kernels_reason(_: Path) -> None:
    async def body(watched: Watched) -> None:
        source = next(
            line for line in Path("/proc/self/mounts").read_text().splitlines() if " /var ext4" in line
        ).split()[0]
        Path(f"/sys/fs/ext4/{Path(source).name}/trigger_fs_error").write_text("injected by a test\n")
        _, disk = await watched.until(Filesystem, lambda disk: disk.mount == "/var" and disk.read_only, 6.0)
        print(f"kernel says: {disk.kernel_says}", file=sys.stderr)
        assert disk.meant_writable and "error" in disk.kernel_says and Path(source).name in disk.kernel_says

    watching(body)


@apart
def test_a_server_that_never_answers_holds_nobody_up(_: Path) -> None:
    fuse = os.open("/dev/fuse", os.O_RDWR)  # nobody reads it: whoever asks this filesystem waits for ever
    Path("/var/lib/hung").mkdir()
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
    assert LIBC.mount(b"gktest", b"/var/lib/hung", b"fuse.gktest", 0, options) == 0, os.strerror(ctypes.get_errno())
    started = time.perf_counter()

    async def body(watched: Watched) -> None:
        made("/var/tmp/new", 4 * MB)
        await watched.until(Filesystem, lambda disk: disk.mount == "/var", 1.0)
        _, hung = await watched.until(Filesystem, lambda disk: disk.mount == "/var/lib/hung", 7.0)
        assert not hung.answers

    watching(body)
    assert time.perf_counter() - started < 9
    assert any(thread.daemon for thread in threading.enumerate() if thread.name.startswith("statvfs"))


# The whole loop


async def healed(folder: Path, *, writes: Callable[[], bool]) -> tuple[float, str]:
    """Milliseconds from the moment at which the client's writes failed until they worked again, and what was done."""
    machine = Machine({EnsureSpace: effect, EnsureSpaceFromCaches: effect}, {SpaceFree: AskingSpace()})
    reflex = (DiskFilling(), MakeRoom(DiskFilling()))
    standard = frozenset({"EnsureSpace"})
    async with at_home(folder, FilesystemSensor(SystemClock()), machine, [reflex], standard) as home:
        await asyncio.sleep(1)
        fill("/var/lib/db/table")
        failed = time.perf_counter()
        assert not writes()
        while not (writes() and free("/var") > 4 * MB):  # not the ledger's own reserve alone
            assert time.perf_counter() - failed < 10, await home.told()
            await asyncio.sleep(0.002)
        took = (time.perf_counter() - failed) * 1000
        for _ in range(500):
            changes = await home.changes()
            if changes and all(change.stage is Stage.CONFIRMED for change in changes):
                return took, await home.told()
            await asyncio.sleep(0.01)
        raise AssertionError(await home.told())


@apart
def test_the_loop_frees_a_full_disk_before_anyone_notices(_: Path) -> None:
    for number in range(1, 41):
        made(f"/var/log/nginx/access.log.{number}", MB)
    took, told = asyncio.run(healed(Path("/tmp"), writes=database_writes))
    print(f"writes failed → work again in {took:.0f} ms\n{told}", file=sys.stderr)
    assert took < 1000 and "rotated logs" in told
    assert free("/var") < 12 * MB, "no more than was wanted"


@apart
def test_the_loop_works_with_its_own_ledger_on_the_full_disk(_: Path) -> None:
    made("/var/cache/apt/archives/linux-image.deb", 30 * MB)
    Path("/var/lib/groundskeeper").mkdir()
    took, told = asyncio.run(healed(Path("/var/lib/groundskeeper"), writes=database_writes))
    print(f"writes failed → work again in {took:.0f} ms\n{told}", file=sys.stderr)
    assert took < 2000 and "package caches" in told


def test_a_search_of_this_whole_machine_is_quick() -> None:
    started = time.perf_counter()
    Reclaimer().survey("/", tuple(Source), TODAY)
    took = time.perf_counter() - started
    print(f"survey of / took {took * 1000:.1f} ms", file=sys.stderr)
    assert took < 5
