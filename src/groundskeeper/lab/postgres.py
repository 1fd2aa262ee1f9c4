"""As much of PostgreSQL's wire protocol (version 3.0) as a client needs that writes one row:

trusted sign-in, simple query.
"""

import asyncio
import socket
import struct

STARTUP = b"user\0postgres\0database\0postgres\0options\0-c statement_timeout=200\0\0"


class Line:
    """One connection. Every call raises OSError when the server refuses, breaks off, or answers with an error."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._unread = b""

    @classmethod
    async def open(cls, link: socket.socket) -> "Line":
        """Sign in over a connected socket, which the line then owns."""
        line = cls(link)
        try:
            await line._exchange(struct.pack(">II", len(STARTUP) + 8, 3 << 16) + STARTUP)
        except BaseException:
            link.close()
            raise
        return line

    async def query(self, text: str) -> None:
        """Run a statement and wait until the server says that it is done."""
        statement = text.encode() + b"\0"
        await self._exchange(b"Q" + struct.pack(">I", len(statement) + 4) + statement)

    def close(self) -> None:
        """Hang up; safe to call twice."""
        self._link.close()

    async def _exchange(self, message: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._link, message)
        while (kind := await self._message()) != b"Z":
            if kind == b"E":
                raise OSError("the database answered with an error")

    async def _message(self) -> bytes:
        kind = await self._take(5)
        await self._take(int.from_bytes(kind[1:]) - 4)
        return kind[:1]

    async def _take(self, count: int) -> bytes:
        while len(self._unread) < count:
            piece = await asyncio.get_running_loop().sock_recv(self._link, 65536)
            if not piece:
                raise ConnectionResetError("the database hung up")
            self._unread += piece
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken
