"""The journal's own forwarding: journald sends each line, as it comes, to a socket that a syslog daemon would bind.

Nobody waits and nothing is polled: a line is here a quarter of a millisecond after it was written. Where a syslog
daemon has the socket it keeps it. journald waits for nobody: of some thousand lines a second it drops those that are
not read at once, so that a flood is counted less than fully.
"""

import os
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from groundskeeper.model import Unavailable
from groundskeeper.subsystems.logs.origins import Heard

SOCKET = Path("/run/systemd/journal/syslog")
LOG = Path("/dev/log")
QUEUE = Path("/proc/sys/net/unix/max_dgram_qlen")
DEEP = 4096
"""Lines that may wait for us."""
PATIENCE = 1.0
ROOM = 4 << 20
AT_ONCE = 256
PEOPLE = range(1000, 60000)
"""User ids of people (Debian policy 9.2.2); services' own are outside."""
_CREDENTIALS = struct.Struct("=iII")
_ANCILLARY = socket.CMSG_SPACE(_CREDENTIALS.size)


class Forwarded:
    """Raises Unavailable, with the reason, where there is no journal, or somebody else listens, or nothing comes."""

    words = "failed sign-ins are seen as the journal passes them on, within a millisecond"
    pace: float | None = None
    behind = False

    def __init__(self, path: Path = SOCKET, log: Path = LOG, patience: float = PATIENCE) -> None:
        self._path = path
        if not path.parent.is_dir():
            raise Unavailable("systemd's journal does not run here")
        _refuse_if_taken(path)
        self._socket = _bound(path)
        self._identity = path.stat().st_ino
        try:
            self._try(log, patience)
        except (Unavailable, OSError):
            self.close()
            raise

    def _try(self, log: Path, patience: float) -> None:
        """Write a line of our own into the log and wait for it to come round: the only proof that journald forwards."""
        word = f"groundskeeper[{os.getpid()}]: looks after sign-ins from now on"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            try:
                mouth.sendto(f"<38>{word}".encode(), os.fspath(log))
            except OSError as problem:
                raise Unavailable(f"the system's log does not take a line ({log}: {problem.strerror})") from problem
        while select.select([self._socket], [], [], patience)[0]:
            if any(word in heard.text for heard in self.read()):
                return
        raise Unavailable("journald does not pass lines on (ForwardToSyslog=no)")

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> list[Heard]:
        heard = []
        for _ in range(AT_ONCE):
            try:
                data, ancillary, _, _ = self._socket.recvmsg(8192, _ANCILLARY)
            except BlockingIOError:
                break
            heard.append(Heard(data.decode("utf-8", "replace").rstrip("\n\0"), foreign=_by_a_person(ancillary)))
        return heard

    def lost(self) -> str | None:
        try:
            ours = self._path.stat().st_ino == self._identity
        except FileNotFoundError:
            ours = False
        return None if ours else "a syslog daemon took over the journal's forwarding"

    def close(self) -> None:
        if self.lost() is None:
            with suppress(FileNotFoundError):
                self._path.unlink()
        self._socket.close()


def _refuse_if_taken(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as knock:
        try:
            knock.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return  # nobody is there, or the socket of one who ended
        except PermissionError as problem:
            raise Unavailable("listening to the journal needs root") from problem
    raise Unavailable("a syslog daemon takes the journal's lines")


def _bound(path: Path) -> socket.socket:
    with _long_queue():
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        with suppress(FileNotFoundError):
            path.unlink()
        ear.bind(os.fspath(path))
    except PermissionError as problem:
        ear.close()
        raise Unavailable("listening to the journal needs root") from problem
    return ear


@contextmanager
def _long_queue() -> Iterator[None]:
    """A socket made meanwhile holds as many lines as systemd lets it on a whole machine; in a container it would be 10.

    The kernel looks at the setting only when a socket is made, so it is put back at once.
    """
    before = QUEUE.read_text()
    raised = int(before) < DEEP and _set_queue(str(DEEP))
    try:
        yield
    finally:
        if raised:
            _set_queue(before)


def _set_queue(depth: str) -> bool:
    try:
        QUEUE.write_text(depth)
    except OSError:  # not root, or /proc is read-only: bursts may then lose lines
        return False
    return True


def _by_a_person(ancillary: list[tuple[int, int, bytes]]) -> bool:
    """journald hands on who wrote the line; a person's own program could put any words into sshd's mouth."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS and len(data) >= _CREDENTIALS.size:
            return _CREDENTIALS.unpack_from(data)[1] in PEOPLE
    return False
