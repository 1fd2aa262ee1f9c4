"""Who listens, and how many clients wait to be accepted: asked of the kernel directly (sock_diag(7)).

Only listening sockets are asked for, so that ten thousand open connections cost nothing.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from groundskeeper.lib.netlink import REQUEST, Netlink, pack

SOCK_DIAG = 4
_BY_FAMILY = 20
_INET, _INET6 = 2, 10
_TCP, _UDP = 6, 17
_LISTEN, _UNCONNECTED = 1 << 10, 1 << 7
_HEAD = struct.Struct("=BBBBI")
_PORT = struct.Struct("!H")
_WAITING = struct.Struct("=I")
_INODE = struct.Struct("=I")
_ANSWER = struct.Struct("=4xH2xI60xI")
"""Of a whole answer, header and all: its kind, its number, and how much waits."""
_NO_COOKIE = b"\xff" * 8
MOST = 32
"""Sockets followed at a time."""
_ID = 48
"""Bytes of the part that names a socket: two ports, two addresses, interface, cookie."""


class Listener(NamedTuple):
    """A socket that waits for clients. `waiting`: connections not accepted yet; over UDP, bytes not read yet."""

    inode: int
    address: str
    port: int
    waiting: int
    stream: bool = True


class Queues:
    """How much waits at some listening sockets, again and again: one send, and 3 µs for each socket.

    It keeps its messages ready-made and reads the answers at fixed places, since this runs a few times a second for
    ever: through `Netlink` the same costs twenty times as much.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, SOCK_DIAG)
        self._socket.bind((0, 0))
        self._socket.settimeout(0.1)
        self._buffer = bytearray(4096)
        self._questions = b""
        self._listeners: list[Listener] = []

    def close(self) -> None:
        self._socket.close()

    def follow(self, listeners: Iterable[Listener]) -> None:
        """From now on, ask about these; but not about those that cannot be found so (bound to one network card)."""
        self._ask_about(list(listeners)[:MOST])
        _, unknown = self.look()
        if unknown:
            self._ask_about([one for one in self._listeners if one.inode not in unknown])

    def look(self) -> tuple[set[int], set[int]]:
        """The inodes of those at which something waits, and of those that are gone. OSError where nothing answers."""
        waiting: set[int] = set()
        gone: set[int] = set()
        if self._questions:
            self._socket.send(self._questions)
        for _ in self._listeners:
            self._socket.recv_into(self._buffer)
            kind, at, queue = _ANSWER.unpack_from(self._buffer)
            if kind != _BY_FAMILY:
                gone.add(self._listeners[at].inode)
            elif queue:
                waiting.add(self._listeners[at].inode)
        return waiting, gone

    def _ask_about(self, listeners: list[Listener]) -> None:
        self._listeners = listeners
        self._questions = b"".join(pack(_BY_FAMILY, REQUEST, at, _exactly(one)) for at, one in enumerate(listeners))


class Sockets:
    """Questions to sock_diag, in the network namespace in which this was made. Raises OSError where it is forbidden."""

    def __init__(self) -> None:
        self._netlink = Netlink(SOCK_DIAG)

    def close(self) -> None:
        self._netlink.close()

    def streams(self) -> list[Listener]:
        """Every listening TCP socket."""
        return self._dump(_INET, _TCP, _LISTEN) + self._dump(_INET6, _TCP, _LISTEN)

    def datagrams(self) -> list[Listener]:
        """Every UDP socket that has no peer. Dearer: the kernel walks a large table for it."""
        return self._dump(_INET, _UDP, _UNCONNECTED) + self._dump(_INET6, _UDP, _UNCONNECTED)

    def _dump(self, family: int, protocol: int, states: int) -> list[Listener]:
        request = _HEAD.pack(family, protocol, 0, 0, states) + bytes(_ID)
        answers = self._netlink.dump(_BY_FAMILY, request)
        return [found for answer in answers if (found := parse(answer.body, protocol == _TCP))]


def parse(body: bytes, stream: bool) -> Listener | None:
    """One inet_diag_msg; None where it is cut short."""
    if len(body) < 72:
        return None
    port = _PORT.unpack_from(body, 4)[0]
    address = body[8:12] if body[0] == _INET else body[8:24]
    waiting = _WAITING.unpack_from(body, 56)[0]
    return Listener(_INODE.unpack_from(body, 68)[0], str(ipaddress.ip_address(address)), port, waiting, stream)


def _exactly(listener: Listener) -> bytes:
    """The question about this one socket. For UDP the kernel takes the local end in the fields of the far one."""
    address = ipaddress.ip_address(listener.address)
    here = _PORT.pack(listener.port), address.packed.ljust(16, b"\0")
    nowhere = bytes(2), bytes(16)
    near, far = (here, nowhere) if listener.stream else (nowhere, here)
    family, protocol = (_INET if address.version == 4 else _INET6), (_TCP if listener.stream else _UDP)
    return _HEAD.pack(family, protocol, 0, 0, 0xFFFF) + near[0] + far[0] + near[1] + far[1] + bytes(4) + _NO_COOKIE
