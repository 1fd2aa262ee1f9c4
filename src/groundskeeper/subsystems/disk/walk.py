"""Listing and deleting below a folder that strangers may write to, without being led astray.

Every folder is opened by its name in the one before (openat), without following links (O_NOFOLLOW), and must be on the
same mount as the first: a name that is swapped for a link, a folder that is moved away, a bind mount of somebody's home
or another disk all end the walk there. A file is deleted by its name in the folder that is held open (unlinkat, which
follows nothing), after it was seen once more to be the very file that was chosen. What is left to a racing attacker is
to have one of his own names deleted.
"""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from groundskeeper.subsystems.disk.selection import Candidate, Entry, Place

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
Wanted = Callable[[Place, Entry], bool]


def open_place(place: Place) -> int:
    """The place's folder, each part of its path opened without following links. Raises OSError where it cannot be."""
    folder = os.open("/", FOLDER)
    for part in place.path.strip("/").split("/"):
        folder = _step(folder, part)
    return folder


def _step(folder: int, name: str) -> int:
    """Opens a folder within `folder`, and closes that."""
    try:
        return os.open(name, FOLDER, dir_fd=folder)
    finally:
        os.close(folder)


def mount_of(folder: int) -> bytes:
    """The id of the mount that an open folder is seen through. st_dev would not tell a bind mount of the same disk."""
    with open(f"/proc/self/fdinfo/{folder}", "rb", buffering=0) as info:
        return next((line for line in info.read(4096).splitlines() if line.startswith(b"mnt_id:")), b"")


def candidates(place: Place, device: int, wanted: Wanted) -> Iterator[Candidate]:
    """Every wanted file in the place, if the place is on this device (st_dev) and not in use."""
    try:
        folder = open_place(place)
    except OSError:
        return
    try:
        if os.fstat(folder).st_dev == device and not is_locked(place.lock):
            yield from _below(place, (), folder, mount_of(folder), wanted)
    finally:
        os.close(folder)


def _below(place: Place, folders: tuple[str, ...], folder: int, mount: bytes, wanted: Wanted) -> Iterator[Candidate]:
    with os.scandir(folder) as names:
        for name in names:
            if name.is_dir(follow_symlinks=False):
                if len(folders) < place.depth and not place.closed.fullmatch(name.name):
                    with _entered(folder, name.name, mount) as inner:
                        if inner is not None:
                            yield from _below(place, (*folders, name.name), inner, mount, wanted)
            elif (entry := _entry(folder, name.name)) and wanted(place, entry):
                yield Candidate(place, folders, entry)


@contextmanager
def _entered(folder: int, name: str, mount: bytes) -> Iterator[int | None]:
    """The folder within, or None where it is a link by now, on another mount, or locked by who uses it."""
    try:
        inner = os.open(name, FOLDER, dir_fd=folder)
    except OSError:
        yield None
        return
    try:
        yield inner if mount_of(inner) == mount and not _claimed(inner) else None
    finally:
        os.close(inner)


def _claimed(folder: int) -> bool:
    """tmpfiles.d(5): who holds a BSD lock on a folder keeps cleaners out of it."""
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(folder, fcntl.LOCK_UN)
    return False


def _entry(folder: int, name: str) -> Entry | None:
    # Called for each of perhaps a hundred thousand files while somebody waits: no keyword, no context manager.
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    used = max(seen.st_atime, seen.st_mtime)
    size = seen.st_blocks * 512
    return Entry(name, seen.st_mode, seen.st_nlink, seen.st_dev, seen.st_ino, size, seen.st_mtime, used, seen.st_ctime)


class Deleting:
    """Deletes chosen files. Use as a context manager: the folder of the last file stays open for the next one."""

    def __init__(self, still: Wanted) -> None:
        self._still = still
        self._where: tuple[Place, tuple[str, ...]] | None = None
        self._folder = -1

    def delete(self, candidate: Candidate) -> bool:
        """Delete the very file that was chosen, if it is still wanted. False where it is not, or is gone, or moved."""
        try:
            folder = self._opened(candidate)
            entry = _entry(folder, candidate.entry.name)
            if entry is None or (entry.device, entry.inode) != (candidate.entry.device, candidate.entry.inode):
                return False
            if not self._still(candidate.place, entry):
                return False
            os.unlink(entry.name, dir_fd=folder)
        except OSError:
            return False
        return True

    def _opened(self, candidate: Candidate) -> int:
        where = candidate.place, candidate.folders
        if self._where != where:
            self.close()
            self._folder, self._where = _reopened(candidate), where
        return self._folder

    def close(self) -> None:
        if self._where is not None:
            os.close(self._folder)
        self._where = None

    def __enter__(self) -> "Deleting":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _reopened(candidate: Candidate) -> int:
    """The file's folder, on the way by which it was found. Raises OSError where that is another way by now."""
    folder = open_place(candidate.place)
    mount = mount_of(folder)
    for name in candidate.folders:
        folder = _step(folder, name)
        if mount_of(folder) != mount:
            os.close(folder)
            raise FileNotFoundError(candidate.path)
    return folder


def is_locked(path: str) -> bool:
    """Does a process hold the whole file's record lock, as apt does while it works?"""
    if not path:
        return False
    try:
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(lock, fcntl.F_GETLK, asked)
        return bool(struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK)
    finally:
        os.close(lock)
