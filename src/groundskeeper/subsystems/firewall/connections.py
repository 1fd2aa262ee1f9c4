"""Open TCP connections with a source, ended at our side (sock_diag, `SOCK_DESTROY`).

A packet filter only makes the far side unreachable: without this, the service goes on holding a place for it, sshd
for instance for two minutes. Numbers: the kernel's `include/uapi/linux/inet_diag.h`.
"""

import errno
import socket
import struct
from ipaddress import ip_network

from groundskeeper.lib.netlink import Netlink, attribute

_SOCK_DIAG = 4
_BY_FAMILY, _DESTROY = 20, 21
_FILTER = 1
_FAR_ADDRESS = 8
_STATES = 0xFFF & ~(1 << 6 | 1 << 7 | 1 << 10)
"""All but TIME_WAIT, CLOSE and LISTEN."""
_IDENTITY = slice(4, 52)
"""Ports, addresses, interface and cookie, where the kernel's answer has them."""


def end_connections(source: str) -> int:
    """End every TCP connection with this address or network; how many there were.

    Raises PermissionError without root. On a kernel that cannot do it, nothing is ended and 0 is returned.
    """
    ended = 0
    with Netlink(_SOCK_DIAG) as kernel:
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                found = kernel.dump(_BY_FAMILY, _request(family, b"\0" * 48) + attribute(_FILTER, _from(source)))
                ended += sum(_ended(kernel, family, answer.body[_IDENTITY]) for answer in found)
            except OSError as problem:
                if problem.errno not in (errno.EOPNOTSUPP, errno.ENOENT, errno.EINVAL):
                    raise
    return ended


def _ended(kernel: Netlink, family: int, identity: bytes) -> bool:
    try:
        kernel.ask(_DESTROY, _request(family, identity))
    except FileNotFoundError:
        return False  # It ended by itself in the meantime
    return True


def _request(family: int, identity: bytes) -> bytes:
    return struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, _STATES) + identity


def _from(source: str) -> bytes:
    """The filter program: one condition on the far side's address. The kernel sees through v4-in-v6 by itself."""
    network = ip_network(source)
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6
    condition = struct.pack("=BBxxi", family, network.prefixlen, -1) + network.network_address.packed
    length = 4 + len(condition)
    return struct.pack("=BBH", _FAR_ADDRESS, length, length + 4) + condition
