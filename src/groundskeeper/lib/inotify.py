"""inotify, the kernel's own news about files (inotify(7)), through the C library: no thread and no polling."""

import ctypes
import os
import struct
from pathlib import Path
from typing import NamedTuple

MODIFY, ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO = 0x2, 0x4, 0x8, 0x40, 0x80
CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x100, 0x200, 0x400, 0x800
OVERFLOW, IGNORED = 0x4000, 0x8000
"""News was lost: look at everything again. The watch has ended: its file is gone."""

_EVENT = struct.Struct("=iIII")
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_libc = ctypes.CDLL(None, use_errno=True)


class News(NamedTuple):
    """`name` is the entry's name where a folder is watched, "" where the file itself is."""

    watch: int
    mask: int
    name: str


class Inotify:
    """Watches over files and folders. Readable (`fileno`) when there is news. The maker closes it."""

    def __init__(self) -> None:
        """Raises OSError where the kernel gives no more of them (fs.inotify.max_user_instances)."""
        self._fd = _checked(_libc.inotify_init1(_FLAGS), "inotify_init1")

    def fileno(self) -> int:
        return self._fd

    def watch(self, path: Path, mask: int) -> int:
        """Hear of this from now on; the number under which it is told. A path watched already keeps its number."""
        return _checked(_libc.inotify_add_watch(self._fd, os.fsencode(path), mask), str(path))

    def unwatch(self, watch: int) -> None:
        """Hear no more of it. Nothing happens where the watch has ended already."""
        _libc.inotify_rm_watch(self._fd, watch)

    def read(self) -> list[News]:
        """What has happened since, without waiting."""
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return []
        news, at = [], 0
        while at + _EVENT.size <= len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            news.append(News(watch, mask, os.fsdecode(data[at : at + length].split(b"\0", 1)[0])))
            at += length
        return news

    def close(self) -> None:
        os.close(self._fd)


def _checked(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result
