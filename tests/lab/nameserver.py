"""A tiny name server for tests: answers every question with a code, or is silent."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class NameServer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.code: int | None = 0
        self.asked = 0
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        if self.code is not None:
            head = struct.pack(">2sHHHHH", data[:2], 0x8180 | self.code, 1, 0, 0, 0)
            self.transport.sendto(head + data[12:], addr)


@asynccontextmanager
async def serving(address: str, port: int = 53) -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=(address, port))
    try:
        yield server
    finally:
        transport.close()
