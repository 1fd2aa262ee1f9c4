"""A runaway process, in the worker's own pid namespace."""

import os
import subprocess
from pathlib import Path

from groundskeeper.model import Action
from groundskeeper.subsystems.process.types import EnsureProcessCapped, EnsureProcessGone
from groundskeeper.testing.kills.life import DEVICE


class Runaway:
    name = "EnsureProcessCapped"
    reversible = True
    _process: "subprocess.Popen[bytes] | None" = None

    def dress(self) -> None:
        pass

    def spoil(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = subprocess.Popen(("sleep", "infinity"))

    def action(self) -> Action:
        return EnsureProcessCapped(device=DEVICE, pid=self.pid, started=int(self._stat()[19]), name="sleep")

    def truth(self) -> str:
        return f"policy {os.sched_getscheduler(self.pid)}, nice {os.getpriority(os.PRIO_PROCESS, self.pid)}"

    def made(self) -> int:
        return 0

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def _stat(self) -> list[str]:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()


class RunawayToEnd(Runaway):
    name = "EnsureProcessGone"
    reversible = False

    def spoil(self) -> None:
        super().spoil()
        self._started = int(self._stat()[19])

    def action(self) -> Action:
        return EnsureProcessGone(device=DEVICE, pid=self.pid, started=self._started, name="sleep")

    def truth(self) -> str:
        try:
            return "gone" if self._stat()[0] == "Z" else "there"
        except OSError:
            return "gone"

    def made(self) -> int:
        return 0
