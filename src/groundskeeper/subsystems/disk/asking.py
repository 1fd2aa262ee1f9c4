"""Asking filesystems how full they are, the quick ones and the ones that may never answer."""

import os
import threading
from contextlib import suppress

from groundskeeper.subsystems.disk.tracking import Reading

EVERY = 30.0
"""Seconds between two questions to a filesystem that a server answers for."""
PATIENCE = 5.0
"""Seconds after which a filesystem that has not answered is said not to answer."""


def read(point: str) -> Reading:
    """Asks the filesystem mounted there. Blocks for ever where a server is gone. Raises OSError."""
    room = os.statvfs(point)
    return Reading(
        size=room.f_blocks * room.f_frsize,
        available=room.f_bavail * room.f_frsize,
        inodes=room.f_files,
        inodes_free=room.f_favail,
        read_only=bool(room.f_flag & os.ST_RDONLY),
    )


def identity(point: str) -> int:
    """The device number of the filesystem mounted there (st_dev), for as long as it is."""
    return os.stat(point).st_dev


class Patient:
    """Asks one filesystem that may never answer, from a thread that nobody waits for; never twice at a time.

    The thread is a daemon: one that hangs in the kernel must not keep the agent from stopping.
    """

    def __init__(self, point: str) -> None:
        self._point = point
        self._asked_at = float("-inf")
        self._answer: Reading | None = None
        self._waiting = False

    def turn(self, now: float) -> Reading | None:
        """The newest answer, once. Asks again when it is time."""
        if not self._waiting and now - self._asked_at >= EVERY:
            self._asked_at, self._waiting = now, True
            threading.Thread(target=self._ask, name=f"statvfs {self._point}", daemon=True).start()
        answer, self._answer = self._answer, None
        return answer

    def hangs(self, now: float) -> bool:
        return self._waiting and now - self._asked_at >= PATIENCE

    def _ask(self) -> None:
        with suppress(OSError):  # not ours to look at, or its server said no: it is not told of
            self._answer = read(self._point)
        self._waiting = False
