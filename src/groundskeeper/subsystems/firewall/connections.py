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
_EVERY_FAMILY, _DESTROY = 18, 21
"""The older request answers for both families in one walk over the kernel's table, which is what takes the time."""
_FILTER = 1
_FAR_ADDRESS = 8
_STATES = 0xFFF & ~(1 << 6 | 1 << 7 | 1 << 10)
"""All but TIME_WAIT, CLOSE and LISTEN."""
_IDENTITY = slice(4, 52)
"""Ports, addresses, interface and cookie, where the kernel's answer has them."""


def end_connections(source: str) -> int:
    """End every TCP connection with this address or network; how many there were. Takes some milliseconds.

    Raises PermissionError without root. On a kernel that cannot do it, nothing is ended and 0 is returned.
    """
    with Netlink(_SOCK_DIAG) as kernel:
        try:
            found = kernel.dump(_EVERY_FAMILY, _question() + attribute(_FILTER, _from(source)))
            return sum(_ended(kernel, answer.body) for answer in found)
        except OSError as problem:
            if problem.errno not in (errno.EOPNOTSUPP, errno.ENOENT, errno.EINVAL):
                raise
            return 0


def _ended(kernel: Netlink, found: bytes) -> bool:
    family, identity = found[0], found[_IDENTITY]
    try:
        kernel.ask(_DESTROY, struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, _STATES) + identity)
    except FileNotFoundError:
        return False  # It ended by itself in the meantime
    return True


def _question() -> bytes:
    """struct inet_diag_req: any family, any socket, in these states."""
    return struct.pack("=BBBB48xII", 0, 0, 0, 0, _STATES, 0)


def _from(source: str) -> bytes:
    """The filter program: one condition on the far side's address. The kernel sees through v4-in-v6 by itself."""
    network = ip_network(source)
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6
    condition = struct.pack("=BBxxi", family, network.prefixlen, -1) + network.network_address.packed
    length = 4 + len(condition)
    return struct.pack("=BBH", _FAR_ADDRESS, length, length + 4) + condition
