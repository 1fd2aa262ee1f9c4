"""One boot of one machine:

systemd-nspawn in the machine's cgroup and network, and what it tells us on its notify socket.
"""

import asyncio
import os
import socket
from pathlib import Path

from groundskeeper.lab import cgroups
from groundskeeper.lab.office import MachinePlan

REBOOT = 133  # what systemd-nspawn exits with when the machine asked to be started again


def nspawn_argv(plan: MachinePlan, root: Path, netns_path: str, shared: dict[str, str]) -> tuple[str, ...]:
    """The command that is this machine; `shared` are folders of the host shown read-only, host path by path inside."""
    return (
        "systemd-nspawn", "-q", "--boot", "--register=no", "--keep-unit", "--console=pipe", "--notify-ready=yes",
        "--resolv-conf=off", "--timezone=off", "--link-journal=no", f"--machine={plan.name}", f"--directory={root}",
        f"--network-namespace-path={netns_path}", "--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_RESOURCE",
        *(f"--bind-ro={outside}:{inside}" for inside, outside in shared.items()),
    )  # fmt: skip


class Boot:
    """A running machine as its owner sees it.

    `leader` is the pid of its systemd; `ready` and `ended` become set once.
    """

    def __init__(self, notify_path: Path) -> None:
        self.leader = 0
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self.exit_code: int | None = None
        self._path = notify_path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._child: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self, lab: str, plan: MachinePlan, argv: tuple[str, ...], console: Path) -> None:
        """Start it; returns at once. The console goes to a file, so that a boot that fails can be read."""
        self._path.unlink(missing_ok=True)
        self._socket.bind(str(self._path))
        asyncio.get_running_loop().add_reader(self._socket, self._hear)
        environment = os.environ | {"NOTIFY_SOCKET": str(self._path), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        cpus = {plan.cpu % (os.cpu_count() or 1)} if plan.cpu is not None else None

        def become_the_machine() -> None:  # between fork and exec: nothing of the machine ever runs outside its cgroup
            cgroups.join(lab, plan.name)
            if cpus:
                os.sched_setaffinity(0, cpus)

        with console.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                preexec_fn=become_the_machine,
            )
        self._watch = asyncio.create_task(self._wait())

    def _hear(self) -> None:
        for line in self._socket.recv(4096).decode().splitlines():
            key, _, value = line.partition("=")
            if key == "X_NSPAWN_LEADER_PID":
                self.leader = int(value)
            if (key, value) == ("READY", "1"):
                self.ready.set()

    async def _wait(self) -> None:
        assert self._child is not None
        self.exit_code = await self._child.wait()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)
        self.leader = 0
        self.ended.set()
