"""Asking a service on this machine whether it answers, in the language it speaks. Each question has its own timeout."""

import asyncio
import contextlib
import socket
import struct
from datetime import timedelta

from groundskeeper.subsystems.systemd.types import Check, Speaks

CONNECT = timedelta(milliseconds=50)
"""The kernel itself accepts on this machine: longer than this means a full queue."""
ANSWER = timedelta(milliseconds=400)

LEARNING = timedelta(milliseconds=500)
WEB_PORTS = frozenset({80, 591, 3000, 5000, *range(8000, 8100), 8888, 9000, 9090})
WEB_SERVERS = frozenset({"nginx", "apache2", "httpd", "lighttpd", "caddy", "haproxy", "traefik", "varnishd"})

_HEAD = b"HEAD / HTTP/1.0\r\nHost: localhost\r\nUser-Agent: groundskeeper\r\n\r\n"
_SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""PostgreSQL's SSLRequest (protocol documentation, "Message Formats"): answered S, N or E before any sign-in."""
_QUERY = struct.pack("!HHHHHH", 0x676B, 0x0100, 1, 0, 0, 0) + b"\x09localhost\x00" + struct.pack("!HH", 1, 1)
"""RFC 1035: the address of "localhost", recursion desired. RFC 6761 6.3: a resolver answers it by itself."""


async def unanswered(check: Check, patience: timedelta = ANSWER) -> str:
    """Empty where it answers; otherwise what was wrong, as the end of "it …"."""
    try:
        async with asyncio.timeout((CONNECT + patience).total_seconds()):
            return await (_ask_datagram(check) if check.speaks is Speaks.DNS else _ask_stream(check))
    except TimeoutError:
        milliseconds = round(patience / timedelta(milliseconds=1))
        return f"did not answer on port {check.port} within {milliseconds} ms"
    except ConnectionRefusedError:
        return f"refuses connections on port {check.port}"
    except OSError as problem:
        return f"cannot be reached on port {check.port} ({problem.strerror or problem})"


async def learn(address: str, port: int, program: str) -> Check:
    """Find out what a listening TCP port speaks. `program` is the name of a process that listens there.

    An unknown service is only listened to: a web request to a printer's port would be printed. Who speaks first shows
    it by himself; web servers and databases are asked in their own language, known by their port or name.
    """
    for speaks in _candidates(port, program):
        check = Check(address=address, port=port, speaks=speaks)
        if not await unanswered(check, LEARNING):
            return check
    return Check(address=address, port=port)


def _candidates(port: int, program: str) -> tuple[Speaks, ...]:
    if port in WEB_PORTS or program in WEB_SERVERS:
        return (Speaks.HTTP,)
    if program == "postgres" or port == 5432:
        return (Speaks.POSTGRESQL,)
    return (Speaks.GREETING,)


async def _ask_stream(check: Check) -> str:
    loop = asyncio.get_running_loop()
    with socket.socket(_family(check.address), socket.SOCK_STREAM) as link:
        link.setblocking(False)
        async with asyncio.timeout(CONNECT.total_seconds()):
            await loop.sock_connect(link, (check.address, check.port))
        match check.speaks:
            case Speaks.HTTP:
                await loop.sock_sendall(link, _HEAD)
                return _judge(check, (await loop.sock_recv(link, 16)).startswith(b"HTTP/"))
            case Speaks.POSTGRESQL:
                await loop.sock_sendall(link, _SSL_REQUEST)
                return _judge(check, await loop.sock_recv(link, 1) in (b"S", b"N"))
            case Speaks.GREETING:
                return _judge(check, bool(await loop.sock_recv(link, 16)))
            case _:
                return ""


async def _ask_datagram(check: Check) -> str:
    loop = asyncio.get_running_loop()
    with socket.socket(_family(check.address), socket.SOCK_DGRAM) as link:
        link.setblocking(False)
        link.connect((check.address, check.port))
        with contextlib.suppress(BlockingIOError):
            link.send(_QUERY)
        return _judge(check, (await loop.sock_recv(link, 512))[:2] == _QUERY[:2])


def _judge(check: Check, sound: bool) -> str:
    return "" if sound else f"closed the connection on port {check.port} without an answer"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
