"""The client's chair: uses every service as the client does, every 10 ms, and writes down whether it answered properly.

A process of its own in the workstation's network namespace, started by the lab's owner and by no product. It knows
nothing of agents, incidents or faults. Each use of a service is one record in `chair.samples`; `felt.py` reads them.

`python -m groundskeeper.lab.chair NETNS-FD RESOLV-CONF SAMPLES` with the services as JSON on standard input.
"""

import asyncio
import contextlib
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from groundskeeper.lab.felt import RECORD, Service
from groundskeeper.lab.namespaces import enter
from groundskeeper.lab.office import Uses
from groundskeeper.lab.postgres import Line

TICK = 0.010
FELT = 0.100  # an answer later than this is felt, and counts as none
ROTATE = 32 << 20
ORDER = "INSERT INTO orders VALUES (repeat(md5(random()::text), 128))"
ORDERS = "CREATE TABLE IF NOT EXISTS orders (text text); ALTER TABLE orders ALTER text SET STORAGE PLAIN"
ORDERS_KEPT = 200


class Habit(msgspec.Struct, frozen=True):
    """One service, how it is used, how often while it answers, and how many uses may be under way while it does not."""

    service: Service
    use: Callable[[], Awaitable[bool]]
    every: int = 1
    at_once: int = 4


async def _opened(address: str, port: int) -> socket.socket:
    link = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        await asyncio.get_running_loop().sock_connect(link, (address, port))
    except BaseException:
        link.close()
        raise
    return link


async def _http(address: str, request: bytes, expected: bytes) -> bool:
    loop = asyncio.get_running_loop()
    with await _opened(address, 80) as link:
        await loop.sock_sendall(link, request)
        answer = b""
        while piece := await loop.sock_recv(link, 4096):
            answer += piece
        return answer.startswith(expected)


async def _look_up(resolv_conf: Path, name: str, address: str) -> bool:
    """As a program that was just started would: read the file, ask its first name server, and take no other answer."""
    servers = [line.split()[1] for line in resolv_conf.read_text().splitlines() if line.startswith("nameserver ")]
    if not servers:
        raise OSError("the workstation knows no name server")
    number = random.randbytes(2)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as link:
        link.connect((servers[0], 53))
        await loop.sock_sendall(link, number + struct.pack(">5H", 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")
        answer = await loop.sock_recv(link, 512)
        return answer[:2] == number and socket.inet_aton(address) in answer


async def _greeted_by_ssh(address: str) -> bool:
    with await _opened(address, 22) as link:
        return (await asyncio.get_running_loop().sock_recv(link, 64)).startswith(b"SSH-2.0-")


class Orders:
    """Writes to the database over one lasting connection, made anew when it broke. Old orders go, so that nothing
    grows.

    An order fills more than half a page: each needs new space on the disk, so a full disk is felt with the next one.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._line: Line | None = None
        self._written = 0

    async def write(self) -> bool:
        """Write one order. Any failure breaks the connection, so that the next attempt begins as a new one does."""
        line, self._line = self._line, None
        if line is None:
            line = await Line.open(await _opened(self._address, 5432))
            await line.query(ORDERS)
        try:
            self._written += 1
            await line.query(f"TRUNCATE orders; {ORDER}" if self._written % ORDERS_KEPT == 1 else ORDER)
        except BaseException:
            line.close()
            raise
        self._line = line
        return True


def habits(uses: Uses, resolv_conf: Path) -> list[Habit]:
    """What the client does all the time. Opening an SSH connection costs the server 10 ms, hence every 100 ms only."""
    get = f"GET / HTTP/1.0\r\nHost: {uses.web}\r\n\r\n".encode()
    post = f"POST /upload HTTP/1.0\r\nHost: {uses.upload}\r\nContent-Length: 64\r\n\r\n{'x' * 64}".encode()
    orders = Orders(uses.db)
    every = [
        (uses.name, Habit(Service.NAME, lambda: _look_up(resolv_conf, uses.name, uses.name_address))),
        (uses.web, Habit(Service.WEB, lambda: _http(uses.web, get, b"HTTP/1.1 200 "))),
        (uses.upload, Habit(Service.UPLOAD, lambda: _http(uses.upload, post, b"HTTP/1.1 204 "))),
        (uses.db, Habit(Service.DB, orders.write, at_once=1)),
        (uses.ssh, Habit(Service.SSH, lambda: _greeted_by_ssh(uses.ssh), every=10, at_once=1)),
    ]
    return [habit for used, habit in every if used]


class Sitting:
    """Goes through the habits tick by tick and writes one record per use. A late answer never delays the next use."""

    def __init__(self, habits: list[Habit], samples: Path) -> None:
        self._habits = habits
        self._samples = samples
        self._under_way = dict.fromkeys(Service, 0)
        self._well = dict.fromkeys(Service, True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._file = samples.open("ab", buffering=0)

    async def run(self) -> None:
        """Sit until killed."""
        begun, tick = time.monotonic(), 0
        while True:
            for habit in self._habits:
                if self._is_due(habit, tick):
                    self._under_way[habit.service] += 1
                    task = asyncio.create_task(self._use(habit))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            tick = max(tick + 1, int((time.monotonic() - begun) / TICK))
            await asyncio.sleep(begun + tick * TICK - time.monotonic())

    def _is_due(self, habit: Habit, tick: int) -> bool:
        often = 1 if not self._well[habit.service] else habit.every
        return tick % often == 0 and self._under_way[habit.service] < habit.at_once

    async def _use(self, habit: Habit) -> None:
        begun = time.monotonic_ns()
        well = False
        # Whatever goes wrong between the client and the answer is one thing to the client: it did not work.
        with contextlib.suppress(OSError, TimeoutError, IndexError):
            async with asyncio.timeout(FELT):
                well = await habit.use()
        self._under_way[habit.service] -= 1
        self._well[habit.service] = well
        took = (time.monotonic_ns() - begun) // 1000
        self._file.write(RECORD.pack(begun, took, habit.service, well))
        if self._file.tell() > ROTATE:
            self._samples.replace(self._samples.with_suffix(".old"))
            self._file.close()
            self._file = self._samples.open("ab", buffering=0)


def main() -> None:
    """Take the seat: enter the workstation's network, ask for the scheduler's first attention, begin."""
    uses = msgspec.json.decode(sys.stdin.buffer.read(), type=Uses)
    netns, resolv_conf, samples = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    enter(netns)
    with contextlib.suppress(PermissionError):  # a busy host must not look like a slow office
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    asyncio.run(Sitting(habits(uses, resolv_conf), samples).run())


if __name__ == "__main__":
    main()
