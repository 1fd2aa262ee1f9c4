"""The table `inet groundskeeper`, spoken to the kernel directly (nf_tables over netlink).

    prerouting, priority -300 (before connection tracking, so before anybody's "established: accept"):
        ip saddr @banned4                  goto refuse
        ip6 saddr @banned6                 goto refuse
        ip6 saddr & /64 @networks6         goto refuse
    refuse:
        TCP, up to 100 a second: reset     a person who is banned by mistake is told at once, not after a minute
        drop

One hook sees what is for this machine and what it forwards, so a gateway protects the network behind it. Nothing of
any other table is read or changed. Elements carry a timeout that the kernel itself keeps.
Attribute numbers: the kernel's `include/uapi/linux/netfilter/nf_tables.h`.
"""

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from groundskeeper.lib import netlink
from groundskeeper.lib.netlink import Message, Netlink, Request, attribute, nested, text
from groundskeeper.model import Refused, Unavailable

NAME = "groundskeeper"
HOOK, ANSWER = "prerouting", "refuse"
PRIORITY = -300
ROOM = 65536
"""Elements per set: about 10 MB of kernel memory at the very most."""

SETS = ("banned4", "banned6", "networks6")
NEWS = 7
"""The kernel's announcements of every change to nftables (NFNLGRP_NFTABLES)."""
ADDED, REMOVED = 10 << 8 | 12, 10 << 8 | 14
"""Announcements that elements were put into a set, or taken out."""

_INET = 1
_NEW_TABLE, _DELETE_TABLE, _NEW_CHAIN, _GET_CHAIN, _NEW_RULE, _GET_RULE, _DELETE_RULE = 0, 2, 3, 4, 6, 7, 8
_NEW_SET, _NEW_ELEMENT, _GET_ELEMENT, _DELETE_ELEMENT = 9, 12, 13, 14
_BEGIN, _END = 16, 17
_NFTABLES = 10
_TIMEOUT_FLAG = 0x10
_REGISTER, _VERDICT = 1, 0
_DROP, _GOTO = 0, -4
_RULES = 3
"""How many rules of ours are behind the hook."""


class Source(NamedTuple):
    """Where a source is kept: the set, and the bytes of its key."""

    set: str
    key: bytes


class Ban(NamedTuple):
    """A source as the kernel keeps it. `left` until it is let in again."""

    left: timedelta
    comment: str


def placed(source: str) -> Source:
    """The set and key of an address, or of an IPv6 /64. Raises Refused for what must not or cannot be banned whole."""
    try:
        network = ip_network(source)
    except ValueError as problem:
        raise Refused(f"{source!r} is not an address that can be refused") from problem
    first = network.network_address
    if first.is_loopback or first.is_unspecified or first.is_multicast:
        raise Refused(f"{source} is this machine itself, or nobody in particular; it is never refused")
    if isinstance(first, IPv4Address) and network.prefixlen == 32:
        return Source("banned4", first.packed)
    if isinstance(first, IPv6Address) and network.prefixlen == 128:
        return Source("banned6", first.packed)
    if isinstance(first, IPv6Address) and network.prefixlen == 64:
        return Source("networks6", first.packed)
    raise Refused(f"{source} is too wide: only single addresses and IPv6 /64 networks are refused")


class Table:
    """Our table in this network namespace. Calls take tens of microseconds. Not to be shared by threads.

    Every method raises Refused (no right to, or no nf_tables in this kernel) or Unavailable (try again).
    """

    def __init__(self) -> None:
        self._netlink: Netlink | None = None

    def close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def declare(self) -> None:
        """Make the table and all in it, or put right what somebody changed in it. Bans that are there stay."""
        with _explained():
            try:
                self._commit([*_sets(), *_chains(), _emptied(HOOK), _emptied(ANSWER), *_rules()])
            except OSError as problem:
                if problem.errno not in (errno.EEXIST, errno.EOPNOTSUPP, errno.EINVAL, errno.EBUSY):
                    raise
                self._commit([_dropped()])  # A table of our name in another shape: made anew
                self._commit([*_sets(), *_chains(), *_rules()])

    def ban(self, source: Source, span: timedelta, comment: str) -> None:
        """Refuse the source from now on for `span`, whatever was said of it before. Declares the table if need be."""
        element = _element(source, span, comment)
        fresh = Request(_kind(_NEW_ELEMENT), element, netlink.ACK | netlink.CREATE | netlink.EXCLUDE)
        with _explained():
            try:
                self._commit([fresh])
            except FileNotFoundError:
                self.declare()
                self._commit([fresh])
            except FileExistsError:
                # An older kernel keeps the old timeout of an element that is added again
                self._commit([_without(source), Request(_kind(_NEW_ELEMENT), element, netlink.ACK | netlink.CREATE)])

    def admit(self, source: Source) -> None:
        """Refuse the source no longer. Nothing happens where it was not refused."""
        with _explained():
            try:
                self._commit([_without(source)])
            except FileNotFoundError:
                return

    def banned(self, source: Source) -> Ban | None:
        """What the kernel's set says of the source; None where it is not in it, or where there is no table."""
        body = _element(source, None, "")
        with _explained():
            try:
                answers = self._socket().ask(_kind(_GET_ELEMENT), _family(body))
            except FileNotFoundError:
                return None
        return next((_read(answer) for answer in answers), None)

    def bans(self) -> list[tuple[str, Ban]]:
        """Every source that is in our sets now."""
        found: list[tuple[str, Ban]] = []
        with _explained():
            for name in SETS:
                try:
                    answers = self._socket().dump(_kind(_GET_ELEMENT), _family(text(1, NAME) + text(2, name)))
                except FileNotFoundError:
                    continue
                found += [element for answer in answers for element in elements_of(answer)]
        return found

    def in_force(self) -> bool:
        """Whether the kernel asks our chain for each packet, with all our rules in it."""
        chain = text(1, NAME) + text(3, HOOK)
        rules = text(1, NAME) + text(2, HOOK)
        with _explained():
            try:
                found = self._socket().ask(_kind(_GET_CHAIN), _family(chain))
                hooked = any(4 in netlink.attributes(answer.body, 4) for answer in found)
                return hooked and len(self._socket().dump(_kind(_GET_RULE), _family(rules))) == _RULES
            except FileNotFoundError:
                return False

    def remove_all(self) -> None:
        """Delete our table with all its bans, and nothing else."""
        with _explained():
            try:
                self._commit([_dropped()])
            except FileNotFoundError:
                return

    def _socket(self) -> Netlink:
        if self._netlink is None:
            self._netlink = Netlink(netlink.NETFILTER)
        return self._netlink

    def _commit(self, requests: Sequence[Request]) -> list[Message]:
        """All of them or none, in one transaction. Raises the first OSError."""
        framed = [_bracket(_BEGIN), *(r._replace(body=_family(r.body)) for r in requests), _bracket(_END)]
        return self._socket().batch(framed)


@contextmanager
def _explained() -> Iterator[None]:
    """The kernel's errors as sentences, named for what the caller does next."""
    try:
        yield
    except PermissionError as problem:
        raise Refused("changing the firewall needs root; this agent runs without it") from problem
    except TimeoutError as problem:
        raise Unavailable("the kernel's firewall did not answer within a second") from problem
    except OSError as problem:
        if problem.errno in (errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP):
            raise Refused("this kernel has no nftables") from problem
        raise Unavailable(f"the kernel's firewall said: {problem.strerror}") from problem


def _kind(message: int) -> int:
    return _NFTABLES << 8 | message


def _family(body: bytes) -> bytes:
    return struct.pack(">BBH", _INET, 0, 0) + body


def _bracket(kind: int) -> Request:
    """Begin or end of a transaction."""
    return Request(kind, struct.pack(">BBH", 0, 0, _NFTABLES), 0)


def _u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value & 0xFFFFFFFF))


def _u64(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">Q", value))


def _sets() -> list[Request]:
    """The table and its sets."""
    made = [Request(_kind(_NEW_TABLE), text(1, NAME) + _u32(2, 0), netlink.ACK | netlink.CREATE)]
    for number, (name, key_type, length) in enumerate(zip(SETS, (7, 8, 8), (4, 16, 16), strict=True), start=1):
        body = text(1, NAME) + text(2, name) + _u32(3, _TIMEOUT_FLAG) + _u32(4, key_type) + _u32(5, length)
        body += nested(9, _u32(1, ROOM)) + _u32(10, number)
        made.append(Request(_kind(_NEW_SET), body, netlink.ACK | netlink.CREATE))
    return made


def _chains() -> list[Request]:
    at = nested(4, _u32(1, 0), _u32(2, PRIORITY))  # hook 0: prerouting
    hook = text(1, NAME) + text(3, HOOK) + at + _u32(5, 1) + text(7, "filter")
    plain = text(1, NAME) + text(3, ANSWER)
    return [Request(_kind(_NEW_CHAIN), body, netlink.ACK | netlink.CREATE) for body in (plain, hook)]


def _rules() -> list[Request]:
    refuse = _expression("immediate", _u32(1, _VERDICT), _verdict(2, _GOTO, ANSWER))
    rules = [
        (HOOK, _protocol(socket.AF_INET) + _loaded(12, 4) + _found_in("banned4") + refuse),
        (HOOK, _protocol(socket.AF_INET6) + _loaded(8, 16) + _found_in("banned6") + refuse),
        (HOOK, _protocol(socket.AF_INET6) + _loaded(8, 16) + _masked() + _found_in("networks6") + refuse),
        (ANSWER, _equal(16, socket.IPPROTO_TCP) + _at_most(100) + _expression("reject", _u32(1, 1))),
        (ANSWER, _expression("immediate", _u32(1, _VERDICT), _verdict(2, _DROP))),
    ]
    flags = netlink.ACK | netlink.CREATE | netlink.APPEND
    return [
        Request(_kind(_NEW_RULE), text(1, NAME) + text(2, chain) + nested(4, steps), flags) for chain, steps in rules
    ]


def _emptied(chain: str) -> Request:
    return Request(_kind(_DELETE_RULE), text(1, NAME) + text(2, chain))


def _dropped() -> Request:
    return Request(_kind(_DELETE_TABLE), text(1, NAME))


def _expression(name: str, *parts: bytes) -> bytes:
    return nested(1, text(1, name), nested(2, *parts))


def _verdict(kind: int, code: int, chain: str = "") -> bytes:
    return nested(kind, nested(2, _u32(1, code), text(2, chain) if chain else b""))


def _equal(meta: int, value: int) -> bytes:
    """Go on only where this property of the packet (one byte) has this value."""
    compare = _expression("cmp", _u32(1, _REGISTER), _u32(2, 0), nested(3, attribute(1, bytes([value]))))
    return _expression("meta", _u32(1, _REGISTER), _u32(2, meta)) + compare


def _protocol(family: int) -> bytes:
    """Only packets of this address family: NFPROTO_IPV4 and NFPROTO_IPV6 have the numbers of AF_INET and AF_INET6."""
    return _equal(15, family)


def _loaded(offset: int, length: int) -> bytes:
    """The packet's source address, into the register."""
    return _expression("payload", _u32(1, _REGISTER), _u32(2, 1), _u32(3, offset), _u32(4, length))


def _masked() -> bytes:
    mask = nested(4, attribute(1, b"\xff" * 8 + b"\0" * 8))
    nothing = nested(5, attribute(1, b"\0" * 16))
    return _expression("bitwise", _u32(1, _REGISTER), _u32(2, _REGISTER), _u32(3, 16), mask, nothing)


def _found_in(name: str) -> bytes:
    return _expression("lookup", text(1, name), _u32(2, _REGISTER))


def _at_most(rate: int) -> bytes:
    """Go on for so many packets a second."""
    return _expression("limit", _u64(1, rate), _u64(2, 1), _u32(3, rate), _u32(4, 0))


def _element(source: Source, span: timedelta | None, comment: str) -> bytes:
    parts = [nested(1, attribute(1, source.key))]
    if span is not None:
        parts.append(_u64(4, max(1, round(span.total_seconds() * 1000))))
    if comment:
        words = comment.encode()[:120].decode("utf-8", "ignore").encode() + b"\0"
        parts.append(attribute(6, bytes([0, len(words)]) + words))  # user data: type 0 is the comment
    return text(1, NAME) + text(2, source.set) + nested(3, nested(1, *parts))


def _without(source: Source) -> Request:
    return Request(_kind(_DELETE_ELEMENT), _element(source, None, ""))


def _read(answer: Message) -> Ban:
    return next(ban for _, ban in elements_of(answer))


def elements_of(answer: Message) -> Iterator[tuple[str, Ban]]:
    """The sources that a message tells of, with what it tells; none where it is of somebody else's table."""
    about = netlink.attributes(answer.body, 4)
    if netlink.string(about.get(1, b"")) != NAME:
        return
    name = netlink.string(about.get(2, b""))
    for _, element in netlink.each_attribute(about.get(3, b"")):
        parts = netlink.attributes(element)
        key = netlink.attributes(parts.get(1, b"")).get(1, b"")
        left = int.from_bytes(parts.get(5) or parts.get(4, b""), "big")
        note = parts.get(6, b"")
        comment = netlink.string(note[2:]) if note[:1] == b"\0" else ""
        source = str(ip_address(key)) + ("/64" if name == "networks6" else "")
        yield source, Ban(timedelta(milliseconds=left), comment)
