"""Questions to real listeners on this machine's loopback, and what the kernel says of their queues."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.systemd.checks import learn, unanswered
from groundskeeper.subsystems.systemd.sockets import Listener, Queues, Sockets, parse
from groundskeeper.subsystems.systemd.types import Check, Speaks

HOME = "127.0.0.1"
SHORT = timedelta(milliseconds=60)


@asynccontextmanager
async def serving(answer: Callable[[bytes], bytes], greeting: bytes = b"") -> AsyncIterator[int]:
    """A server that greets, reads once and answers; its port."""

    talks = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        with suppress(ConnectionError):
            writer.write(greeting)
            if asked := await reader.read(100):
                writer.write(answer(asked))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, HOME, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*(one for one in talks if one))


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Listens, but never accepts: what a paused or stuck service looks like from outside."""
    with socket.create_server((HOME, 0), backlog=8) as door:
        yield door


def check(port: int, speaks: Speaks) -> Check:
    return Check(address=HOME, port=port, speaks=speaks)


@pytest.mark.parametrize(
    ("speaks", "greeting", "reply"),
    [
        (Speaks.HTTP, b"", b"HTTP/1.1 404 Not Found\r\n\r\n"),
        (Speaks.GREETING, b"SSH-2.0-x\r\n", b""),
        (Speaks.POSTGRESQL, b"", b"N"),
        (Speaks.NOTHING, b"", b""),
    ],
)
async def test_each_language_is_understood(speaks: Speaks, greeting: bytes, reply: bytes):
    async with serving(lambda _: reply, greeting) as port:
        assert await unanswered(check(port, speaks)) == ""


async def test_an_answer_in_another_language_is_none():
    async with serving(lambda _: b"?") as port:
        assert "without an answer" in await unanswered(check(port, Speaks.HTTP))
        assert "without an answer" in await unanswered(check(port, Speaks.POSTGRESQL))


async def test_a_service_that_accepts_nothing_is_not_waited_for(silent: socket.socket):
    port = silent.getsockname()[1]
    assert await unanswered(check(port, Speaks.HTTP), SHORT) == f"did not answer on port {port} within 60 ms"


async def test_a_closed_door_is_told_from_a_silent_one(silent: socket.socket):
    port = silent.getsockname()[1]
    silent.close()
    assert await unanswered(check(port, Speaks.HTTP)) == f"refuses connections on port {port}"


async def test_names_are_asked_over_udp():
    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(data[:2] + b"\x81\x85" + data[4:], addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=(HOME, 0))
    try:
        assert await unanswered(check(transport.get_extra_info("sockname")[1], Speaks.DNS)) == ""
    finally:
        transport.close()


async def test_what_a_port_speaks_is_learned_and_an_unknown_service_is_only_listened_to():
    heard = []
    async with serving(lambda asked: heard.append(asked) or b"HTTP/1.0 200 OK\r\n\r\n") as port:
        assert (await learn(HOME, port, "nginx")).speaks is Speaks.HTTP
        heard.clear()
        assert (await learn(HOME, port, "printer")).speaks is Speaks.NOTHING
        assert heard == []
    async with serving(lambda _: b"", b"220 mail\r\n") as port:
        assert (await learn(HOME, port, "exim4")).speaks is Speaks.GREETING


@pytest.fixture
def queues() -> Iterator[Queues]:
    made = Queues()
    yield made
    made.close()


def test_a_client_that_waits_is_seen_and_a_closed_door_too(silent: socket.socket, queues: Queues):
    port = silent.getsockname()[1]
    with closing(Sockets()) as questions:
        [listener] = [one for one in questions.streams() if one.port == port]
    queues.follow([listener])
    assert queues.look() == (set(), set())
    with socket.create_connection((HOME, port)):
        assert queues.look() == ({listener.inode}, set())
    silent.close()
    assert queues.look() == (set(), {listener.inode})


def test_a_datagram_that_nobody_reads_is_seen(queues: Queues):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door, closing(Sockets()) as questions:
        door.bind((HOME, 0))
        port = door.getsockname()[1]
        [listener] = [one for one in questions.datagrams() if one.port == port]
        queues.follow([listener])
        assert queues.look() == (set(), set())
        door.sendto(b"?", (HOME, port))
        assert queues.look() == ({listener.inode}, set())


def test_what_cannot_be_found_again_is_not_followed(queues: Queues):
    queues.follow([Listener(inode=7, address=HOME, port=1, waiting=0)])
    assert queues.look() == (set(), set())


def test_both_families_are_read():
    body = bytearray(72)
    body[0], body[4:6], body[8:12] = 2, struct.pack("!H", 80), socket.inet_aton("192.0.2.1")
    body[56:60], body[68:72] = struct.pack("=I", 3), struct.pack("=I", 99)
    assert parse(bytes(body), True) == Listener(99, "192.0.2.1", 80, 3)
    body[0], body[8:24] = 10, socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    assert parse(bytes(body), True) == Listener(99, "2001:db8::1", 80, 3)


@given(st.binary(max_size=100))
def test_any_answer_is_read_or_none(body: bytes):
    parse(body, True)
