"""Netlink, the kernel's own message protocol: framing, attributes, and a small socket. No family's words appear here.

RFC 3549 and the kernel's `Documentation/userspace-api/netlink/intro.rst`. Integers are in the machine's byte order
unless a family says otherwise. A request to the kernel is answered inside `send` itself, so that asking takes tens of
microseconds and may be done on the event loop; only a dump reads on in several turns.
"""

import errno
import os
import select
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

ROUTE = 0
CONNECTOR = 11
NETFILTER = 12

REQUEST, MULTI, ACK = 0x1, 0x2, 0x4
INTERRUPTED = 0x10
"""A dump during which the state changed: what it told may be neither the old nor the new."""
REPLACE, EXCLUDE, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
DUMP = 0x300

NOOP, ERROR, DONE, OVERRUN = 1, 2, 3, 4

NESTED, NET_BYTE_ORDER = 0x8000, 0x4000

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_KIND_MASK = 0x3FFF
_DATAGRAM = 1 << 16
_SOL_NETLINK = 270
_ADD_MEMBERSHIP, _CAP_ACK, _EXT_ACK, _STRICT = 1, 10, 11, 12
_CAPPED, _ACK_TLVS = 0x100, 0x200
_ERROR_TEXT = 1
_SO_RCVBUFFORCE = 33


class Message(NamedTuple):
    """One message as it came. `body` is all that follows the 16 bytes of the header."""

    kind: int
    flags: int
    sequence: int
    port: int
    body: bytes


class Request(NamedTuple):
    """One message to send. The socket gives it its number; `flags` come on top of REQUEST."""

    kind: int
    body: bytes
    flags: int = ACK


class Overrun(OSError):
    """Messages were lost because they came faster than they were read: ask for the whole state again."""


def pack(kind: int, flags: int, sequence: int, body: bytes, port: int = 0) -> bytes:
    """A message with its header, padded to a multiple of four bytes so that another may follow it."""
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, port) + body + b"\0" * (-len(body) % 4)


def unpack(data: bytes) -> Iterator[Message]:
    """The messages of one datagram. Ends quietly at the first that is cut short or malformed."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, flags, sequence, port = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            return
        yield Message(kind, flags, sequence, port, data[at + _HEADER.size : at + length])
        at += length + (-length % 4)


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute, padded. `data` may be at most 65,531 bytes; struct.error says so where it is more."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + b"\0" * (-len(data) % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    """An attribute made of attributes."""
    return attribute(kind | NESTED, b"".join(parts))


def text(kind: int, value: str) -> bytes:
    """An attribute holding a string, ended by a zero byte."""
    return attribute(kind, value.encode() + b"\0")


def u8(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=B", value))


def u16(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=H", value))


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def each_attribute(data: bytes, at: int = 0) -> Iterator[tuple[int, bytes]]:
    """(kind without its flags, data) in order, from offset `at`; ends quietly where the bytes are malformed."""
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size or at + length > len(data):
            return
        yield kind & _KIND_MASK, data[at + _ATTRIBUTE.size : at + length]
        at += length + (-length % 4)


def attributes(data: bytes, at: int = 0) -> dict[int, bytes]:
    """The attributes by kind; of several of one kind the last, as the kernel itself reads them."""
    return dict(each_attribute(data, at))


def string(data: bytes) -> str:
    """The text of a string attribute, whatever bytes it holds."""
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")


def number(data: bytes) -> int:
    """The unsigned integer of an attribute of 1, 2, 4 or 8 bytes, in the machine's byte order; 0 for no bytes."""
    return int.from_bytes(data, sys.byteorder)


def failure(message: Message) -> OSError | None:
    """What an ERROR message says; None where it is an acknowledgement, or no ERROR message at all."""
    if message.kind != ERROR or len(message.body) < 4:
        return None
    code = -int(struct.unpack_from("=i", message.body)[0])
    if code == 0:
        return None
    return OSError(code, _explained(message) or os.strerror(code))


def _explained(message: Message) -> str:
    """The kernel's own sentence about the error, where it gave one (extended acknowledgement)."""
    if not message.flags & _ACK_TLVS or len(message.body) < 4 + _HEADER.size:
        return ""
    length = _HEADER.unpack_from(message.body, 4)[0] if not message.flags & _CAPPED else _HEADER.size
    return string(attributes(message.body, 4 + length + (-length % 4)).get(_ERROR_TEXT, b""))


class Netlink:
    """A socket to one netlink family, in the network namespace where it was made. Not to be shared by threads.

    With `groups` it hears the kernel's announcements (`receive`); ask over another socket than the one that listens,
    or announcements that arrive while an answer is awaited are lost. The maker closes it.
    """

    def __init__(self, family: int, groups: Sequence[int] = (), *, room: int = 0, strict: bool = False) -> None:
        """`room`: bytes of announcements that the kernel may keep for us. `strict`: dumps obey the asked-for filter.

        Raises OSError where the family is missing here, or a group is forbidden.
        """
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._sequence = 0
        try:
            self._prepare(groups, room, strict)
        except OSError:
            self._socket.close()
            raise

    def _prepare(self, groups: Sequence[int], room: int, strict: bool) -> None:
        self._socket.bind((0, 0))
        for option in (_CAP_ACK, _EXT_ACK) + ((_STRICT,) if strict else ()):
            with suppress(OSError):  # An older kernel: answers are then longer, or say less
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
        if room:
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, room)
            except PermissionError:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        for group in groups:
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Netlink":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def receive(self, datagrams: int = 64) -> list[Message]:
        """What has been announced since, without waiting; of at most so many datagrams. Raises Overrun."""
        heard: list[Message] = []
        for _ in range(datagrams):
            data = self._read()
            if data is None:
                break
            heard += unpack(data)
        return heard

    def _read(self) -> bytes | None:
        """The next datagram from the kernel; None where none is waiting. Other processes' are thrown away."""
        while True:
            try:
                data, sender = self._socket.recvfrom(_DATAGRAM)
            except BlockingIOError:
                return None
            except OSError as problem:
                if problem.errno == errno.ENOBUFS:
                    raise Overrun(errno.ENOBUFS, "the kernel had more to tell than was read in time") from problem
                raise
            if sender[0] == 0:
                return data

    def ask(self, kind: int, body: bytes, flags: int = ACK) -> list[Message]:
        """Send one request and return its answers; an acknowledgement alone is an empty list.

        Raises OSError with the kernel's errno, TimeoutError where nothing answers within a second.
        """
        return self.batch((Request(kind, body, flags),))

    def dump(self, kind: int, body: bytes) -> list[Message]:
        """The whole of a table. One that changed while it was read is read again, a few times; then Overrun."""
        for _ in range(8):
            answers = self.batch((Request(kind, body, DUMP),))
            if not any(answer.flags & INTERRUPTED for answer in answers):
                return answers
        raise Overrun(errno.EINTR, "the table went on changing while it was read")

    def batch(self, requests: Sequence[Request]) -> list[Message]:
        """Send them in one datagram, and return the answers once every one that asks for an answer has it.

        Asking for an answer is having ACK among its flags, or being a dump (one to a batch). Raises the first OSError
        after reading every answer; what the others did stands, unless the family has transactions of its own.
        """
        numbered = [(self._next(), request) for request in requests]
        waiting = {number for number, request in numbered if request.flags & (ACK | DUMP)}
        known = {number for number, _ in numbered}
        self._drain()
        self._socket.send(b"".join(pack(r.kind, r.flags | REQUEST, number, r.body) for number, r in numbered))
        return self._answers(known, waiting)

    def _answers(self, known: set[int], waiting: set[int]) -> list[Message]:
        answers: list[Message] = []
        problem: OSError | None = None
        while waiting:
            data = self._wait(problem)
            if data is None:
                break
            for message in unpack(data):
                if message.sequence not in known:
                    continue
                problem = problem or failure(message) or _cut_short(message)
                if message.kind in (ERROR, DONE):
                    waiting.discard(message.sequence)
                else:
                    answers.append(message)
        if problem:
            raise problem
        return answers

    def _wait(self, problem: OSError | None) -> bytes | None:
        """The next datagram, waiting for it; None where an error was told already and nothing more is waiting."""
        data = self._read()
        if data is None and problem is None:
            if not select.select([self._socket], [], [], 1.0)[0]:
                raise TimeoutError("the kernel did not answer within a second")
            data = self._read()
        return data

    def _drain(self) -> None:
        """Throw away late answers to an earlier question that failed half-way."""
        with suppress(Overrun):
            while self._read() is not None:
                pass

    def _next(self) -> int:
        self._sequence = self._sequence % 0xFFFFFFFF + 1
        return self._sequence


def _cut_short(message: Message) -> OSError | None:
    """A dump that ends with an error says so in its DONE message."""
    if message.kind != DONE or len(message.body) < 4:
        return None
    code = -int(struct.unpack_from("=i", message.body)[0])
    return OSError(code, os.strerror(code)) if code > 0 else None
