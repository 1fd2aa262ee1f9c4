"""Which files processes have open: what must not be deleted, and which deleted logs still fill the disk."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from groundskeeper.subsystems.disk.mounts import parse_mounts, within

Identity = tuple[int, int]
"""st_dev and st_ino: the same file under whatever name."""


class OpenFile(NamedTuple):
    """One descriptor of one process. `path` is the kernel's, " (deleted)" at its end included."""

    pid: int
    descriptor: str
    path: str
    device: int
    inode: int
    links: int
    bytes: int


def open_files(shun: Iterable[str]) -> Iterator[OpenFile]:
    """Every plain file that a process has open. `shun` are mounts that must not be touched: asking could hang."""
    shun = tuple(shun)
    for pid in _processes():
        folder = f"/proc/{pid}/fd"
        with suppress(OSError):  # the process ended, or belongs to somebody else
            for descriptor in os.listdir(folder):
                with suppress(OSError):
                    link = f"{folder}/{descriptor}"
                    path = os.readlink(link)
                    if path.startswith("/") and not within(path, shun):
                        seen = os.stat(link)
                        if stat.S_ISREG(seen.st_mode):
                            yield OpenFile(
                                pid, descriptor, path, seen.st_dev, seen.st_ino, seen.st_nlink, seen.st_blocks * 512
                            )


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def hanging_mounts() -> tuple[str, ...]:
    """Mount points that a server or another process answers for."""
    return tuple(mount.point for mount in parse_mounts(_text("/proc/self/mountinfo")) if _may_hang(mount.kind))


def _may_hang(kind: str) -> bool:
    return kind == "autofs" or kind.startswith(("nfs", "cifs", "smb", "fuse", "ceph", "afs", "9p", "gluster", "lustre"))


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="surrogateescape")
    except OSError:
        return ""


def busy_files() -> frozenset[Identity]:
    """Every file that a process has open, or the kernel: behind a loop device, or swapped to."""
    found = {(file.device, file.inode) for file in open_files(hanging_mounts())}
    return frozenset(found | _backing())


def mapped_files() -> frozenset[Identity]:
    """Mapped files below a temporary folder: a program may map one and close it (proc(5), maps).

    Dearer than all else here together, and programs do not map what lies in the other places.
    """
    found: set[Identity] = set()
    for pid in _processes():
        with suppress(OSError), open(f"/proc/{pid}/maps", "rb") as maps:
            for line in maps:
                if b"/tmp/" in line:
                    _, _, _, device, inode = line.split(None, 5)[:5]
                    major, minor = (int(part, 16) for part in device.split(b":"))
                    found.add((os.makedev(major, minor), int(inode)))
    return frozenset(found)


def _backing() -> set[Identity]:
    """Files that the kernel itself holds, in no process's list: disk images and swap files."""
    images = [_text(str(path)).strip() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    swaps = [line.split()[0] for line in _text("/proc/swaps").splitlines()[1:] if line.startswith("/")]
    found: set[Identity] = set()
    for path in images + swaps:
        with suppress(OSError):
            seen = os.stat(path)
            found.add((seen.st_dev, seen.st_ino))
    return found


class DeletedLog(NamedTuple):
    """A log file without a name, kept alive by the process that appends to it."""

    file: OpenFile

    @property
    def name(self) -> str:
        return self.file.path.removesuffix(" (deleted)")


def deleted_logs(device: int, logs: str) -> list[DeletedLog]:
    """Deleted files below the folder for logs, on this device, that nobody can read again. The largest first.

    A descriptor that appends (O_APPEND) or only writes (O_WRONLY) belongs to somebody who never looks back: emptying
    the file takes nothing from him. One that reads may be a database's, or a shipper's that is not through yet.
    """
    found: dict[int, DeletedLog] = {}
    depended_on: set[int] = set()
    for file in open_files(hanging_mounts()):
        if file.links == 0 and file.bytes and file.device == device and file.path.startswith(logs + "/"):
            found[file.inode] = DeletedLog(file)
            if not _never_looks_back(file):
                depended_on.add(file.inode)
    mute = [log for inode, log in found.items() if inode not in depended_on]
    return sorted(mute, key=lambda log: -log.file.bytes)


def _never_looks_back(file: OpenFile) -> bool:
    flags = re.search(r"^flags:\s*([0-7]+)", _text(f"/proc/{file.pid}/fdinfo/{file.descriptor}"), re.M)
    value = int(flags[1], 8) if flags else os.O_RDONLY
    appends = bool(value & os.O_APPEND) and value & os.O_ACCMODE != os.O_RDONLY
    return appends or value & os.O_ACCMODE == os.O_WRONLY


def empty(log: DeletedLog) -> bool:
    """Give the file's space back; the process goes on appending to it. False where it is another file by now."""
    link = f"/proc/{log.file.pid}/fd/{log.file.descriptor}"
    with suppress(OSError):
        # The pid may be another process by now: it must be the same nameless plain file, before it is opened (opening
        # a device can do things) and after.
        if not _is_the_log(os.stat(link), log.file):
            return False
        opened = os.open(link, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if _is_the_log(os.fstat(opened), log.file):
                os.ftruncate(opened, 0)
                return True
        finally:
            os.close(opened)
    return False


def _is_the_log(seen: os.stat_result, file: OpenFile) -> bool:
    same = (seen.st_dev, seen.st_ino) == (file.device, file.inode)
    return same and seen.st_nlink == 0 and stat.S_ISREG(seen.st_mode)


class Writing(NamedTuple):
    """A file that somebody writes to."""

    path: str
    process: str
    bytes: int


def written_files(device: int) -> dict[Identity, Writing]:
    """Files of a megabyte or more on this device that a process has open for writing."""
    found: dict[Identity, Writing] = {}
    for file in open_files(hanging_mounts()):
        if file.device == device and file.bytes >= 1 << 20 and _writes(file):
            found[file.device, file.inode] = Writing(file.path, _text(f"/proc/{file.pid}/comm").strip(), file.bytes)
    return found


def _writes(file: OpenFile) -> bool:
    with suppress(OSError):  # the link's own permission bits are the descriptor's: w where it may write
        return bool(os.lstat(f"/proc/{file.pid}/fd/{file.descriptor}").st_mode & stat.S_IWUSR)
    return False
