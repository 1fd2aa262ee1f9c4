"""One machine of a lab, from the outside: run things in it, see and kill its processes, cut its links, reboot it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from groundskeeper.lab.control import Control
from groundskeeper.lab.errors import LabError
from groundskeeper.lab.namespaces import has_same_network


class Machine:
    """A handle on a running machine. Cheap to make; asks the lab's owner whenever it needs to know the present boot."""

    def __init__(self, name: str, control: Control) -> None:
        self.name = name
        self._control = control

    @property
    def leader(self) -> int:
        """The pid of the machine's own systemd, as the host numbers it. LabError while the machine is off."""
        pid = int(self._status()["leader"])
        if pid <= 1:
            raise LabError(f"{self.name} is not running: start it with Machine.start()")
        return pid

    @property
    def boots(self) -> int:
        """How often it was started in the life of the lab."""
        return int(self._status()["boots"])

    @property
    def root(self) -> Path:
        """Its file system tree as seen from the host, running or not.

        Absolute links in it lead to the host: mind them.
        """
        return Path(str(self._status()["root"]))

    def is_ready(self) -> bool:
        """Whether its systemd said that the boot is complete."""
        return bool(self._status()["ready"])

    def wait_ready(self, boots: int = 1, patience: float = 30.0) -> None:
        """Wait until it is ready, in its `boots`th boot or a later one."""
        self._control.wait(
            lambda: self.boots >= boots and self.is_ready(), f"{self.name} did not become ready", patience
        )

    def command(self, *argv: str) -> tuple[str, ...]:
        """argv, wrapped so that it runs inside the machine."""
        return ("nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", *argv)

    def run(
        self, *argv: str, check: bool = True, stdin: str = "", timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run argv inside, to its end. With `check`, LabError with what it said when it fails."""
        done = subprocess.run(
            self.command(*argv),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=ENVIRONMENT,
        )
        if check and done.returncode != 0:
            raise LabError(
                f"on {self.name}, {' '.join(argv)} ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return done

    def spawn(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start argv inside and return at once; the caller waits for it."""
        null = subprocess.DEVNULL
        return subprocess.Popen(self.command(*argv), stdin=null, stdout=null, stderr=null, env=ENVIRONMENT)

    def pids(self, name: str = "") -> list[int]:
        """The machine's processes as the host numbers them, all or those whose command name is `name`."""
        inode = Path(f"/proc/{self.leader}/ns/net").stat().st_ino
        everyone = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in everyone if has_same_network(pid, inode) and (not name or _name_of(pid) == name)]

    def unit_pid(self, unit: str) -> int:
        """The main process of a unit, as the host numbers it. LabError when it has none."""
        inside = int(self.run("systemctl", "show", "-P", "MainPID", unit).stdout)
        for pid in self.pids():
            if _number_inside(pid) == inside:
                return pid
        raise LabError(f"{unit} on {self.name} has no process")

    def kill(self, pids: Sequence[int], number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal from outside, each to a process that was checked to live in this machine."""
        inside = set(self.pids())
        for pid in pids:
            assert pid > 1
            if pid in inside:
                with contextlib.suppress(ProcessLookupError):  # The first one's death may have taken it along
                    os.kill(pid, number)

    def write(self, path: str, text: str) -> None:
        """Write a file in the machine's tree, its folders too; `path` is relative to the root."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def link(self, card: str, *, up: bool) -> None:
        """Switch a network card on or off, from inside."""
        self.run("ip", "link", "set", card, "up" if up else "down")

    def reboot(self) -> None:
        """An orderly reboot; returns when it is ready again. /var and every other change on its disks are kept."""
        before = self.boots
        self.run("systemctl", "reboot", check=False)
        self.wait_ready(before + 1)

    def cut_power(self) -> None:
        """Every process dies at once; the disks stay as they are. `start` boots it again."""
        self._control.ask(do="cut", machine=self.name)

    def start(self) -> None:
        """Boot a machine that is off; returns when it is ready."""
        before = self.boots
        self._control.ask(do="start", machine=self.name)
        self.wait_ready(before + 1)

    def _status(self) -> dict[str, int | bool | str]:
        return self._control.machines()[self.name]


ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _number_inside(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[-1]) for line in status.splitlines() if line.startswith("NSpid:")), 0)
