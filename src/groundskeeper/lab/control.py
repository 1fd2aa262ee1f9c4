"""The line to a lab's owner: one question, one answer, over its Unix socket."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from groundskeeper.lab.errors import LabError
from groundskeeper.lab.reaper import RUN


class Control:
    """Asks the owner of one lab. Each question is a connection of its own: nothing to close, nothing to go stale."""

    def __init__(self, lab: str) -> None:
        self.lab = lab
        self._path = RUN / lab / "control.sock"

    def ask(self, **question: str) -> dict[str, Any]:
        """The owner's answer. LabError when there is no owner, or when it says that it cannot."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(30)
                line.connect(str(self._path))
                line.sendall(json.dumps(question).encode() + b"\n")
                answer = line.makefile().readline()
        except OSError as e:
            raise LabError(f"no lab {self.lab!r} is up; raise it with: groundskeeper lab up office") from e
        if not answer:
            raise LabError(f"the owner of lab {self.lab!r} ended while it was asked")
        reply: dict[str, Any] = json.loads(answer)
        if problem := reply.get("error") or reply.get("failed"):
            raise LabError(str(problem))
        return reply

    def machines(self) -> dict[str, dict[str, int | bool | str]]:
        """Each machine's status by name."""
        answer: dict[str, dict[str, int | bool | str]] = self.ask(do="status")["machines"]
        return answer

    def wait(self, is_so: Callable[[], bool], otherwise: str, patience: float) -> None:
        """Ask again and again until it is so; LabError when it takes longer than `patience` seconds."""
        until = time.monotonic() + patience
        while not is_so():
            if time.monotonic() > until:
                raise LabError(f"{otherwise} within {patience:g} s{self._consoles()}")
            time.sleep(0.01)

    def _consoles(self) -> str:
        tails = [_tail(path) for path in sorted((RUN / self.lab).glob("*.console"))]
        return "".join(f"\n{tail}" for tail in tails if tail)


def _tail(path: Path) -> str:
    text = path.read_text(errors="replace").strip()
    return f"{path.stem}: …{text[-600:]}" if text else ""
