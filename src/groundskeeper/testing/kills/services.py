"""A service that is down, stuck or paused, on a machine with systemd. Each worker has an instance of its own."""

import os
import subprocess
import time
from pathlib import Path

from groundskeeper.model import Action
from groundskeeper.subsystems.systemd.types import EnsureUnitActive, EnsureUnitFresh, EnsureUnitResumed
from groundskeeper.testing.kills.kernel import done, told
from groundskeeper.testing.kills.life import DEVICE

UNIT_FILE = Path("/etc/systemd/system/kills@.service")
UNIT_TEXT = """\
[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
ExecStartPre=/bin/sh -c 'echo started >> /run/kills-starts-%i'
ExecStart=/bin/sleep infinity
"""
PATIENCE = 5.0


class Down:
    """`made` counts how often the service itself was started."""

    name = "EnsureUnitActive"
    reversible = True

    def dress(self) -> None:
        self.unit = f"kills@{os.getpid()}.service"
        self._starts = Path(f"/run/kills-starts-{os.getpid()}")
        if not UNIT_FILE.exists():
            UNIT_FILE.write_text(UNIT_TEXT)
            done("systemctl", "daemon-reload")

    def spoil(self) -> None:
        done("systemctl", "stop", self.unit)
        subprocess.run(("systemctl", "reset-failed", self.unit), check=False, capture_output=True)
        self._starts.unlink(missing_ok=True)

    def action(self) -> Action:
        return EnsureUnitActive(device=DEVICE, unit=self.unit)

    def truth(self) -> str:
        """What it comes to once systemd has done what it was asked: a job that is waiting is not the last word."""
        until = time.monotonic() + PATIENCE
        while told("systemctl", "list-jobs", "--no-legend", self.unit).strip() and time.monotonic() < until:
            time.sleep(0.01)
        return told("systemctl", "is-active", self.unit).strip()

    def made(self) -> int:
        return len(self._starts.read_text().splitlines()) if self._starts.exists() else 0

    def _shown(self, what: str) -> str:
        return told("systemctl", "show", "-P", what, self.unit).strip()


class Stuck(Down):
    name = "EnsureUnitFresh"
    reversible = False

    def spoil(self) -> None:
        done("systemctl", "restart", self.unit)
        self._starts.unlink(missing_ok=True)
        self._stuck = self._shown("InvocationID")

    def action(self) -> Action:
        return EnsureUnitFresh(device=DEVICE, unit=self.unit, not_invocation=self._stuck)

    def truth(self) -> str:
        active = super().truth()
        return f"{active}, {'the stuck one' if self._shown('InvocationID') == self._stuck else 'a new one'}"


class PausedService(Down):
    name = "EnsureUnitResumed"

    def spoil(self) -> None:
        done("systemctl", "start", self.unit)
        done("systemctl", "kill", "-s", "STOP", self.unit)

    def action(self) -> Action:
        return EnsureUnitResumed(device=DEVICE, unit=self.unit)

    def truth(self) -> str:
        words = Path(f"/proc/{self._shown('MainPID')}/stat").read_text().rpartition(") ")[2].split()
        return "paused" if words[0] == "T" else "running"

    def made(self) -> int:
        return 0
