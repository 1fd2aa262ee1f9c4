"""Disks that fill up, by everything that fills disks, and one that can no longer be written to.

The files are real and of the right kind, names and age: only their content is empty space that the file system
reserved.
"""

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from groundskeeper.lab.faults.fault import Fault, hurts
from groundskeeper.lab.faults.services import running_again
from groundskeeper.lab.felt import Service
from groundskeeper.lab.lab import Lab

MONTH_OLD = 40 * 86400
PIECE = 48 << 20
HOLDER = "nightly-report"
HOLD = """
import os, time
log = open("/var/log/nightly-report.log", "wb")
size = piece = 1 << 24
while piece >= 4096:
    try:
        os.posix_fallocate(log.fileno(), size - piece, piece)
        size += piece
    except OSError:
        piece //= 2
        size -= piece
os.unlink(log.name)
time.sleep(3600)
"""


def fill(paths: Iterable[Path]) -> None:
    """Make files until not a block is left, the blocks kept for root included."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            full = not _grow(file.fileno(), PIECE)
            if full:
                _take_what_is_given_back(partial(_grow, file.fileno(), 4096))
        age(path)
        if full:
            return


def _take_what_is_given_back(take: Callable[[], object]) -> None:
    """A temporary file that was there while the disk filled is deleted a moment later; its place would be enough."""
    for _ in range(20):
        take()
        time.sleep(0.005)


def age(path: Path) -> None:
    """Make a file look as if nobody had touched it for more than a month."""
    then = path.stat().st_mtime - MONTH_OLD
    os.utime(path, (then, then))


def _grow(fd: int, target: int) -> bool:
    """Reserve up to `target` bytes at the end of the file; False when the disk is full before."""
    size, piece = os.fstat(fd).st_size, target
    end = size + target
    while size < end and piece >= 1024:
        try:
            os.posix_fallocate(fd, size, min(piece, end - size))
        except OSError:
            piece //= 2
            continue
        size += min(piece, end - size)
    return size >= end


def _names(folder: str, pattern: str) -> Callable[[Path], Iterable[Path]]:
    return lambda root: (root / folder / pattern.format(number) for number in range(1, 100))


def _filled(machine: str, names: Callable[[Path], Iterable[Path]]) -> Callable[[Lab], None]:
    return lambda lab: fill(names(lab.machine(machine).root))


def _emptied(machine: str, names: Callable[[Path], Iterable[Path]]) -> Callable[[Lab], None]:
    def heal(lab: Lab) -> None:
        for path in names(lab.machine(machine).root):
            path.unlink(missing_ok=True)
        _services_again(machine, lab)

    return heal


def _services_again(machine: str, lab: Lab) -> None:
    if machine == "db-1":
        running_again("db-1", "postgresql@15-main.service", "postgres")(lab)


def _journal_files(root: Path) -> list[Path]:
    [folder] = (root / "var/log/journal").iterdir()
    return sorted(folder.glob("system@*.journal"))


def _journal_grown(lab: Lab) -> None:
    """Archived journals, as many as fit: copies of a real one under the names journald would have given them."""
    web = lab.machine("web-1")
    web.run("journalctl", "--rotate")
    model = _journal_files(web.root)[0]
    stem, sequence, begun = model.stem.rsplit("-", 2)
    for number in range(1, 200):
        copy = model.with_name(f"{stem}-{int(sequence, 16) + number:016x}-{int(begun, 16) + number:016x}.journal")
        try:
            shutil.copyfile(model, copy)
        except OSError:
            with copy.open("ab") as file:
                _grow(file.fileno(), PIECE)
            age(copy)
            return
        age(copy)


def _journal_cut(lab: Lab) -> None:
    for path in _journal_files(lab.machine("web-1").root):
        path.unlink(missing_ok=True)


def _inodes_used_up(lab: Lab) -> None:
    folder = lab.machine("web-1").root / "var/tmp/sessions"
    folder.mkdir()
    names = (folder / f"sess_{number:06d}" for number in itertools.count())
    while _made(next(names)):
        pass
    _take_what_is_given_back(lambda: _made(next(names)))
    age(folder)


def _made(path: Path) -> bool:
    try:
        path.touch()
    except OSError:
        return False
    age(path)
    return True


def _inodes_freed(lab: Lab) -> None:
    shutil.rmtree(lab.machine("web-1").root / "var/tmp/sessions", ignore_errors=True)


def _held_by_a_process(lab: Lab) -> None:
    web = lab.machine("web-1")
    before = _free(web.root / "var")
    web.run("systemd-run", "-q", "--collect", f"--unit={HOLDER}", "/usr/bin/python3", "-c", HOLD)
    lab.control.wait(lambda: _free(web.root / "var") < before // 100, "the disk did not fill", 10)


def _holder_stopped(lab: Lab) -> None:
    lab.machine("web-1").run("systemctl", "stop", HOLDER, check=False)


def _free(path: Path) -> int:
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


def _read_only(lab: Lab) -> None:
    """New files can no longer be made below /var, as after an error of the disk."""
    web = lab.machine("web-1")
    web.run("mount", "--bind", "/var", "/var")
    remount = ("mount", "-o", "remount,bind,ro", "/var")  # is refused while somebody is just writing a file
    lab.control.wait(lambda: web.run(*remount, check=False).returncode == 0, "/var stayed writable", 5)


def _writable(lab: Lab) -> None:
    web = lab.machine("web-1")
    if "ro" in web.run("findmnt", "-n", "-o", "OPTIONS", "/var").stdout.splitlines()[-1].split(","):
        web.run("umount", "-l", "/var")


def _filling(name: str, machine: str, what: str, service: Service, names: Callable[[Path], Iterable[Path]]) -> Fault:
    return Fault(
        name=name, machine=machine, what=what, hurts=hurts(service),
        inject=_filled(machine, names), heal=_emptied(machine, names),
    )  # fmt: skip


UPLOAD, DB = Service.UPLOAD, Service.DB
FAULTS = (
    _filling(
        "disk-full-of-logs", "web-1", "rotated logs fill the disk", UPLOAD,
        _names("var/log/nginx", "access.log.{}"),
    ),
    _filling(
        "disk-full-of-packages", "db-1", "the cache of downloaded packages fills the disk", DB,
        _names("var/cache/apt/archives", "linux-image-6.1.0-{}-amd64_6.1.0_amd64.deb"),
    ),
    _filling(
        "disk-full-of-old-files", "db-1", "old temporary files fill the disk", DB,
        _names("var/tmp", "export-{}.tmp"),
    ),
    Fault(
        name="disk-full-of-journals", machine="web-1", hurts=hurts(UPLOAD), inject=_journal_grown, heal=_journal_cut,
        what="the system's own journal fills the disk",
    ),
    Fault(
        name="disk-full-of-a-deleted-file", machine="web-1", hurts=hurts(UPLOAD), settles=True,
        inject=_held_by_a_process, heal=_holder_stopped,
        what="a file that was deleted but is still open in a process fills the disk",
    ),
    Fault(
        name="inodes-used-up", machine="web-1", hurts=hurts(UPLOAD), inject=_inodes_used_up, heal=_inodes_freed,
        what="old temporary files use up every inode of the file system, with plenty of space left",
    ),
    Fault(
        name="disk-read-only", machine="web-1", hurts=hurts(UPLOAD), inject=_read_only, heal=_writable, settles=False,
        what="the file system can only be read, as after an error of the disk",
    ),
)  # fmt: skip
