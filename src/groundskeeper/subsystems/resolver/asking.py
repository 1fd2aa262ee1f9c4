"""Asking name servers over UDP. A datagram may be lost, so each is asked again before it is called silent."""

import asyncio
import secrets
import socket
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from groundskeeper.subsystems.resolver import dns
from groundskeeper.subsystems.resolver.dns import Answer

AGAIN = (0.0, 0.15, 0.45)
PATIENCE = timedelta(seconds=1)
SHORT = timedelta(milliseconds=300)
"""Patience with a silent server while another one, asked at the same moment, has answered: the network is fine."""


class Asked(NamedTuple):
    """How a server took the question. `how` in words that stay the same from one time to the next.

    `sure` is False for silence and for failures that may pass.
    """

    server: str
    answer: Answer
    how: str
    sure: bool = False


async def ask(server: str, name: str = ".", patience: timedelta = PATIENCE, port: int = dns.PORT) -> Asked:
    """Ask one server. Never raises for what the network or the server does."""
    loop = asyncio.get_running_loop()
    asked = dns.question(secrets.randbelow(1 << 16), name)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        try:
            sock.connect(_target(server, port))
            return await asyncio.wait_for(_exchange(loop, sock, server, asked), patience.total_seconds())
        except TimeoutError:
            return Asked(server, Answer.NONE, "it does not answer")
        except ConnectionRefusedError:
            return Asked(server, Answer.NONE, "nothing serves names there", sure=True)
        except OSError as problem:
            return Asked(server, Answer.NONE, f"it cannot be reached ({problem.strerror or problem})")


def _target(server: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    address, _, scope = server.partition("%")
    if not scope:
        return (server, port)
    return (address, port, 0, socket.if_nametoindex(scope))


async def _exchange(loop: asyncio.AbstractEventLoop, sock: socket.socket, server: str, asked: bytes) -> Asked:
    resend = [loop.call_later(after, _send, sock, asked) for after in AGAIN[1:]]
    try:
        sock.send(asked)
        while True:
            level, how = dns.answer(await loop.sock_recv(sock, 4096), asked)
            if level is not Answer.NONE:
                return Asked(server, level, how, sure=level is Answer.RESOLVED)
    finally:
        for timer in resend:
            timer.cancel()


def _send(sock: socket.socket, asked: bytes) -> None:
    try:
        sock.send(asked)
    except OSError:
        return  # the answer to the question before will say the same


async def ask_all(
    servers: Sequence[str], control: Iterable[str] = (), name: str = ".", port: int = dns.PORT
) -> dict[str, Asked]:
    """Ask all at the same moment. Once one of `control` has answered, the silent ones get only a short while more."""
    everyone = list(dict.fromkeys([*servers, *control]))
    tasks = {server: asyncio.ensure_future(ask(server, name, port=port)) for server in everyone}
    try:
        known = await _gathered(tasks, set(control))
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return {server: known.get(server, Asked(server, Answer.NONE, "it does not answer")) for server in everyone}


async def _gathered(tasks: dict[str, asyncio.Task[Asked]], control: set[str]) -> dict[str, Asked]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    known: dict[str, Asked] = {}
    waiting = set(tasks.values())
    while waiting:
        proven = any(known[server].answer is not Answer.NONE for server in control & known.keys())
        left = began + SHORT.total_seconds() - loop.time() if proven else None
        done, waiting = await asyncio.wait(
            waiting, timeout=max(0.0, left) if left is not None else None, return_when=asyncio.FIRST_COMPLETED
        )
        known |= {task.result().server: task.result() for task in done}
        if not done:
            break
    return known
