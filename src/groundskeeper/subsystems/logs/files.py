"""Log files, read as they grow (inotify), across rotation, truncation and lines that are not finished yet."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from groundskeeper.lib.inotify import (
    ATTRIB,
    CREATE,
    DELETE_SELF,
    MODIFY,
    MOVE_SELF,
    MOVED_TO,
    Inotify,
)
from groundskeeper.model import Unavailable
from groundskeeper.subsystems.logs.origins import Heard

LONGEST = 1 << 16
"""Bytes of one line; a longer one is given in pieces."""
AT_ONCE = 1 << 18
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_OF_THE_FILE = MODIFY | ATTRIB | MOVE_SELF | DELETE_SELF
_OF_THE_FOLDER = CREATE | MOVED_TO


class Tail:
    """One file, from a place in it onwards. Raises OSError where it cannot be opened."""

    def __init__(self, path: Path, back: int | None = None) -> None:
        """`back`: how many bytes before the end to begin; None for the beginning of the file."""
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._fd)
        self.identity = (status.st_dev, status.st_ino)
        self._at = 0 if back is None else max(0, status.st_size - back)
        self._rest = b""
        if self._at:
            os.lseek(self._fd, self._at, os.SEEK_SET)
            self._skip = os.pread(self._fd, 1, self._at - 1) != b"\n"  # it begins in the middle of a line
        else:
            self._skip = False

    @property
    def deleted(self) -> bool:
        return os.fstat(self._fd).st_nlink == 0

    def read(self) -> list[bytes]:
        """The lines that were finished since. One that is not is kept until it is."""
        if os.fstat(self._fd).st_size < self._at:  # emptied in place (copytruncate)
            os.lseek(self._fd, 0, os.SEEK_SET)
            self._at, self._rest, self._skip = 0, b"", False
        data = os.read(self._fd, AT_ONCE)
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            lines, self._rest = [*lines, self._rest], b""
        if self._skip and lines:
            lines, self._skip = lines[1:], False
        return lines

    @property
    def behind(self) -> bool:
        """Whether there is more to read at once."""
        return os.fstat(self._fd).st_size > self._at

    def close(self) -> None:
        os.close(self._fd)


class Files:
    """Several log files. A file that is not there yet is read from its beginning once it comes.

    Raises Unavailable where none of the files can be read now.
    """

    pace: float | None = None

    def __init__(self, paths: dict[Path, str], back: int = 0) -> None:
        """`paths`: whose file it is, by path; "" for the system's log. `back`: bytes of the past to begin with."""
        self._services = paths
        if not any(path.exists() for path in paths):
            raise Unavailable(f"none of {', '.join(path.name for path in paths)} is there")
        self._inotify = _watcher()
        self._tails: dict[Path, list[Tail]] = {}
        self._watches: dict[int, Path] = {}
        self._dirty: set[Path] = set()
        self._past = back > 0
        problems = [problem for path in paths if (problem := self._begin(path, back))]
        if not self._tails:
            self._inotify.close()
            raise Unavailable("; ".join(problems) or "no log file is here")

    @property
    def words(self) -> str:
        return f"failed sign-ins are seen in {', '.join(map(str, self._tails))} as they are written"

    def _begin(self, path: Path, back: int) -> str | None:
        """Open the file and watch over it and its folder; why not, or None."""
        try:
            self._watches[self._inotify.watch(path.parent, _OF_THE_FOLDER)] = path.parent
            self._open(path, back)
        except FileNotFoundError:
            return f"{path} is not there"
        except PermissionError:
            return f"{path} may not be read without root"
        return None

    def _open(self, path: Path, back: int | None) -> None:
        tail = Tail(path, back)
        # Who writes may still finish a line in the file that was here before: both are read until that one is deleted
        older, before = self._tails.get(path, [])[:-1], self._tails.get(path, [])[-1:]
        for gone in older:
            gone.close()
        self._tails[path] = [*before, tail]
        self._watches[self._inotify.watch(path, _OF_THE_FILE)] = path
        self._dirty.add(path)

    def fileno(self) -> int:
        return self._inotify.fileno()

    def read(self) -> list[Heard]:
        for news in self._inotify.read():
            place = self._watches.get(news.watch)
            if place is None:
                self._dirty |= set(self._tails)
            elif news.name:
                self._appeared(place / news.name)
            else:
                self._dirty.add(place)
        heard: list[Heard] = []
        for path in [path for path in self._dirty if path in self._tails]:
            heard += self._read(path)
        self._past = False
        return heard

    def _appeared(self, path: Path) -> None:
        if path not in self._services:
            return
        with suppress(FileNotFoundError, PermissionError):
            status = path.stat()
            if not any(tail.identity == (status.st_dev, status.st_ino) for tail in self._tails.get(path, [])):
                self._open(path, None)

    def _read(self, path: Path) -> list[Heard]:
        lines = [line for tail in self._tails[path] for line in tail.read()]
        if not any(tail.behind for tail in self._tails[path]):
            self._dirty.discard(path)
        for tail in [tail for tail in self._tails[path][:-1] if tail.deleted]:
            self._tails[path].remove(tail)  # or its space on the disk would be held by us
            tail.close()
        return [self._heard(line.decode("utf-8", "replace"), path) for line in lines if line]

    def _heard(self, text: str, path: Path) -> Heard:
        return Heard(text, self._services[path], at=_written_at(text) if self._past else None)

    @property
    def behind(self) -> bool:
        """Whether `read` has more to give at once."""
        return bool(self._dirty)

    def lost(self) -> str | None:
        return None

    def close(self) -> None:
        for tails in self._tails.values():
            for tail in tails:
                tail.close()
        self._tails.clear()
        self._inotify.close()


def _watcher() -> Inotify:
    try:
        return Inotify()
    except OSError as problem:
        raise Unavailable("the kernel gives no more file watches (fs.inotify.max_user_instances)") from problem


def _written_at(text: str) -> datetime:
    """When the line says it was written (RFC 3339); long ago, where it does not say."""
    try:
        at = datetime.fromisoformat(text.split(" ", 1)[0])
    except ValueError:
        return _LONG_AGO
    return at if at.tzinfo else _LONG_AGO
