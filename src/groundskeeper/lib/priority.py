"""Kernel files that say "something happened" by POLLPRI: mount tables, pressure triggers."""

import asyncio
import os
import select
from collections.abc import Callable
from types import TracebackType


class PriorityFile:
    """An open file whose POLLPRI calls back on the running event loop. Use as a context manager; reads from the start.

    Such files are readable all the time, so an event loop that waits for POLLIN would spin: an epoll of our own that
    waits for POLLPRI alone stands in between, and becomes readable exactly when the file has something to say.
    """

    def __init__(self, path: str, happened: Callable[[], None], *, trigger: bytes = b"") -> None:
        """Opens it, and writes the trigger where it takes one. Raises OSError."""
        self._happened = happened
        self._file = os.open(path, (os.O_RDWR if trigger else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if trigger:
                os.write(self._file, trigger)
            self._epoll = select.epoll()
            self._epoll.register(self._file, select.EPOLLPRI)
        except OSError:
            os.close(self._file)
            raise

    def __enter__(self) -> "PriorityFile":
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._wake)
        return self

    def _wake(self) -> None:
        self._epoll.poll(0)
        self._happened()

    def read(self) -> str:
        """The whole text, as it is now."""
        parts, offset = [], 0
        while part := os.pread(self._file, 65536, offset):
            parts.append(part)
            offset += len(part)
        return b"".join(parts).decode(errors="surrogateescape")

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()
        os.close(self._file)
