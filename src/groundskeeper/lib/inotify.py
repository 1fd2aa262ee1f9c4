"""inotify(7): the kernel tells when a file or a folder changes. Fifty microseconds, no thread, no polling."""

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
OVERFLOW, IGNORED = 0x4000, 0x8000
ONLYDIR = 0x1000000

REPLACED = CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF | ONLYDIR
"""A folder's file has other contents now; one that is still being written does not count yet."""

_EVENT = struct.Struct("=iIII")
_NONBLOCK, _CLOEXEC = 0x800, 0x80000
_libc = ctypes.CDLL(None, use_errno=True)


class Event(NamedTuple):
    """`name` is the file's name in the watched folder, "" for the thing itself. OVERFLOW: look at everything."""

    watch: int
    mask: int
    name: str


def events(data: bytes) -> Iterator[Event]:
    """The events of one read; ends quietly where the bytes are cut short."""
    at = 0
    while at + _EVENT.size <= len(data):
        watch, mask, _, length = _EVENT.unpack_from(data, at)
        at += _EVENT.size
        if at + length > len(data):
            return
        yield Event(watch, mask, os.fsdecode(data[at : at + length].split(b"\0", 1)[0]))
        at += length


class Inotify:
    """One inotify descriptor. The maker closes it; it fits `add_reader`."""

    def __init__(self) -> None:
        """Raises OSError where the user's limit of watchers is used up."""
        self._fd = _checked(_libc.inotify_init1(_NONBLOCK | _CLOEXEC), "inotify_init1")

    def fileno(self) -> int:
        return self._fd

    def watch(self, path: Path, mask: int = REPLACED) -> int:
        """Gives the watch's number; the same one where the thing is watched already. Raises OSError."""
        return _checked(_libc.inotify_add_watch(self._fd, os.fsencode(path), mask), str(path))

    def read(self) -> list[Event]:
        """What has happened since, without waiting."""
        try:
            return list(events(os.read(self._fd, 1 << 16)))
        except BlockingIOError:
            return []

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Inotify":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checked(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)
    return result
