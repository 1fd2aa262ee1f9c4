"""The kernel's own word: what it announced since it was last asked, and what `ip` and `nft` say of it."""

import socket
import struct
import subprocess
from collections.abc import Sequence

ROUTE, NETFILTER = 0, 12


class Announcements:
    """Counts messages of some kinds that the kernel sends to everybody who listens in this network namespace."""

    def __init__(self, family: int, groups: Sequence[int], kinds: Sequence[int]) -> None:
        self._kinds = frozenset(kinds)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((0, 0))
        for group in groups:
            self._socket.setsockopt(270, 1, group)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
        self._socket.setblocking(False)
        self._count = 0

    def count(self) -> int:
        """How many there were since `forget`."""
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return self._count
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                self._count += kind in self._kinds
                data = data[(length + 3) & ~3 :]

    def forget(self) -> None:
        self.count()
        self._count = 0


def told(*words: str) -> str:
    """What a command says; nothing where it fails."""
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def done(*words: str) -> None:
    """Carry a command out. Raises CalledProcessError with what it said."""
    subprocess.run(words, check=True, capture_output=True)
