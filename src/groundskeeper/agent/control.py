"""The agent's door on this machine: a Unix socket; one line of JSON asked, one answered; its owner's only."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from groundskeeper.model import GroundskeeperError, Invalid, Refused, Unavailable

LONGEST = 1 << 16
ANSWER_WITHIN = 30.0

Answering = Callable[[Mapping[str, str]], Awaitable[Any]]
_ERRORS: dict[str, type[GroundskeeperError]] = {kind.__name__: kind for kind in (Refused, Unavailable, Invalid)}


async def serve(path: Path, answers: Mapping[str, Answering]) -> asyncio.Server:
    """Answer questions at the socket until the server is closed. `answers` is by what is asked."""
    path.unlink(missing_ok=True)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), ANSWER_WITHIN)
            writer.write(msgspec.json.encode(await _answer(line, answers)) + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # whoever asked went away, or never asked: there is nobody to tell
        finally:
            writer.close()

    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(meet, path, limit=LONGEST)
    finally:
        os.umask(mask)


async def _answer(line: bytes, answers: Mapping[str, Answering]) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(line, type=dict[str, str])
        answering = answers.get(asked.get("ask", ""))
        if answering is None:
            raise Invalid(f"the agent can be asked: {', '.join(sorted(answers))}")
        return {"ok": True, "answer": await answering(asked)}
    except msgspec.DecodeError as problem:
        return {"ok": False, "kind": "Invalid", "error": f"not a question: {problem}"}
    except GroundskeeperError as problem:
        return {"ok": False, "kind": type(problem).__name__, "error": str(problem)}


class Control:
    """Asks the agent that runs here. Raises Unavailable where none does, and whatever the agent answers with."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, what: str, **more: str) -> Any:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(ANSWER_WITHIN)
                link.connect(str(self._path))
                link.sendall(msgspec.json.encode({"ask": what, **more}) + b"\n")
                answer = msgspec.json.decode(link.makefile("rb").readline() or b"null")
        except PermissionError as problem:
            raise Refused(f"only the owner of the agent may ask it ({self._path}): try again with sudo") from problem
        except OSError as problem:
            raise Unavailable("no agent runs here: `groundskeeper up` starts one") from problem
        if not answer:
            raise Unavailable("the agent went away before it answered: ask again")
        if not answer["ok"]:
            raise _ERRORS.get(answer["kind"], Refused)(answer["error"])
        return answer["answer"]
