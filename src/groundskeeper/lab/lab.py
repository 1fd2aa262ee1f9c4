"""A lab, raised and taken down. The only door for the command line, the tests and the benches."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import msgspec

import groundskeeper
from groundskeeper.lab import cgroups
from groundskeeper.lab.control import Control
from groundskeeper.lab.errors import LabError
from groundskeeper.lab.image import Say, ensure_image
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.office import Office, Order
from groundskeeper.lab.reaper import RUN, STAY, sweep

SOURCE = "/opt/groundskeeper/src"
PACKAGES = "/opt/groundskeeper/packages"
WATCHES = 8  # inotify instances that a booted machine holds


def _silent(_: str) -> None:
    pass


class Lab:
    """A raised lab. Another process may hold a `Lab` of the same name: what is true is in the owner, not here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.control = Control(name)
        self.run_folder = RUN / name
        self._tie = -1

    @classmethod
    def up(cls, office: Office, name: str = "", say: Say = _silent, patience: float = 60.0) -> "Lab":
        """Raise an office and return when every machine's systemd says that its boot is complete.

        The lab ends with this process, however that ends, unless `leave_running` is called.
        """
        lab = cls(name or office.name)
        _check_possible(lab)
        _check_watches(office)
        image = ensure_image(office.packages, say)
        sweep(lab.name)
        lab.run_folder.mkdir(parents=True, mode=0o700)
        order = Order(lab=lab.name, office=office, image=str(image.path), shared=_shared())
        (lab.run_folder / "office.json").write_bytes(msgspec.json.encode(office))
        lab._start_owner(msgspec.json.encode(order))
        try:
            lab.control.wait(
                lambda: (lab.run_folder / "control.sock").exists(), lab.owner_says() or "the owner did not start", 10
            )
            lab.control.wait(lab.is_ready, "not every machine became ready", patience)
        except BaseException:
            lab.down()  # half a lab is no lab: nothing of it stays
            raise
        return lab

    def __enter__(self) -> "Lab":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def office(self) -> Office:
        """The office this lab was raised from. LabError where there is no such lab."""
        try:
            return msgspec.json.decode((self.run_folder / "office.json").read_bytes(), type=Office)
        except FileNotFoundError as e:
            raise LabError(f"no lab {self.name!r} is up; raise it with: groundskeeper lab up office") from e

    @property
    def owner(self) -> int:
        """The owner's pid; 0 when there is none."""
        return self._pid("owner")

    def machine(self, name: str) -> Machine:
        """A handle on one machine; KeyError naming the machines there are."""
        return Machine(self.office.machine(name).name, self.control)

    def is_up(self) -> bool:
        """Whether a lab of this name has a living owner."""
        return self.owner > 1

    def is_ready(self) -> bool:
        """Whether every machine's boot is complete."""
        return all(machine["ready"] for machine in self.control.machines().values())

    def owner_says(self) -> str:
        """What the owner wrote on its error output; empty when it had nothing to complain of."""
        path = self.run_folder / "owner.log"
        return path.read_text() if path.exists() else ""

    def leave_running(self) -> None:
        """Let the lab live on when the process that raised it ends."""
        if self._tie >= 0:
            os.write(self._tie, STAY)
            self._untie()

    def down(self) -> None:
        """Take it down and return when nothing of it is left. Also right for a lab whose owner was killed."""
        reaper, owner = self._pid("reaper"), self._pid("owner")
        if owner > 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(owner, signal.SIGKILL)  # there is one way out, and it is the one that must always work
        self._untie()
        if reaper > 1:
            _wait_gone(reaper, 15)
            with contextlib.suppress(ChildProcessError):  # only whoever raised the lab is its parent
                os.waitpid(reaper, 0)
        sweep(self.name)

    def _pid(self, who: str) -> int:
        """The pid, if that process still is what it was: a number alone may have been given to another process."""
        try:
            pid = int(json.loads((self.run_folder / "pids.json").read_text())[who])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, KeyError):
            return 0
        return pid if b"groundskeeper.lab.owner" in command and self.name.encode() in command else 0

    def _start_owner(self, order: bytes) -> None:
        theirs, self._tie = os.pipe()
        with (self.run_folder / "owner.log").open("wb") as log, os.fdopen(theirs, "rb") as line:
            reaper = subprocess.Popen(
                (sys.executable, "-m", "groundskeeper.lab.owner", self.name),
                stdin=line, stdout=log, stderr=log, start_new_session=True, cwd="/",
            )  # fmt: skip
        with os.fdopen(self._tie, "wb", closefd=False) as tie:
            tie.write(order + b"\n")
        reaper.returncode = 0  # it may outlive us: only `down` waits for it

    def _untie(self) -> None:
        if self._tie >= 0:
            os.close(self._tie)
            self._tie = -1


def _check_possible(lab: Lab) -> None:
    if os.geteuid() != 0:
        raise LabError("the lab builds real machines and needs root; run it with: sudo groundskeeper lab up office")
    if lab.is_up():
        raise LabError(f"lab {lab.name!r} is up already; take it down first with: groundskeeper lab down {lab.name}")
    if not cgroups.roots():
        raise LabError(
            "there is no writable cgroup tree in /sys/fs/cgroup; run the lab on the host, or in a privileged container"
        )


def _check_watches(office: Office) -> None:
    """systemd watches files in each machine, and the kernel counts that per user: past the limit a boot just hangs."""
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    used = sum(_watches(process) for process in Path("/proc").glob("[0-9]*"))
    if used + WATCHES * len(office.machines) > limit:
        raise LabError(
            f"{used} of the {limit} file watches that this host allows root are taken, too few are left for "
            f"{len(office.machines)} machines; allow more with: sysctl fs.inotify.max_user_instances=1024"
        )


def _watches(process: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(str(fd.readlink()) == "anon_inode:inotify" for fd in (process / "fd").iterdir())
    return 0


def _shared() -> dict[str, str]:
    """Our own source and the packages it needs, as this very interpreter has them, shown read-only to every machine."""
    return {
        SOURCE: str(Path(groundskeeper.__file__).parent.parent),
        PACKAGES: str(Path(msgspec.__file__).parent.parent),
    }


def _wait_gone(pid: int, patience: float) -> None:
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([fd], [], [], patience)
    finally:
        os.close(fd)
