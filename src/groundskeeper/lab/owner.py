"""The lab's owner: the background process that holds a lab's namespaces and starts its machines, again when they
reboot.

`python -m groundskeeper.lab.owner NAME` with the order as one line of JSON on standard input. It answers JSON lines on
a Unix socket (`control.sock` in /run/groundskeeper-lab/NAME): {"do": "status"}, {"do": "cut", "machine": M},
{"do": "start", "machine": M}, {"do": "down"}. Every answer is the status, or {"error": sentence}.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from groundskeeper.lab import cgroups
from groundskeeper.lab.boot import REBOOT, Boot, nspawn_argv
from groundskeeper.lab.disks import mount, mount_disks
from groundskeeper.lab.errors import LabError
from groundskeeper.lab.image import Image
from groundskeeper.lab.namespaces import CLONE_NEWNET, CLONE_NEWNS, new_network_namespace, unshare
from groundskeeper.lab.network import make_bridges, plug_in
from groundskeeper.lab.office import MachinePlan, Order
from groundskeeper.lab.reaper import RUN, stay_as_reaper


class Seat:
    """One machine's place in the lab: its disks for the lab's life, its present boot, how often it was started."""

    def __init__(self, order: Order, plan: MachinePlan, folder: Path) -> None:
        self.sitter: asyncio.subprocess.Process | None = None
        self.plan = plan
        self.boots = 0
        self.boot: Boot | None = None
        self._order = order
        self._folder = folder
        self._root = folder / "root"
        self._netns = -1

    def prepare(self) -> None:
        """Mount its disks; once in the life of a lab."""
        mount_disks(self.plan, Image(Path(self._order.image)), self._folder)

    async def start(self) -> None:
        """Boot it, on the disks as they are, with new network cards."""
        self.boots += 1
        if self._netns >= 0:
            os.close(self._netns)
        self._netns = new_network_namespace(forward=self.plan.forward)
        path = f"/proc/{os.getpid()}/fd/{self._netns}"
        plug_in(self._order.office, self.plan, self.boots, path)
        run = RUN / self._order.lab
        self.boot = Boot(run / f"{self.plan.name}.notify")
        argv = nspawn_argv(self.plan, self._root, path, self._order.shared)
        await self.boot.start(self._order.lab, self.plan, argv, run / f"{self.plan.name}.console")
        if self.plan.name == self._order.office.chair:
            await self._sit_down(run / "chair.samples")

    async def _sit_down(self, samples: Path) -> None:
        """Put the client's chair into this boot's network; the one in the network of the boot before has to go."""
        if self.sitter and self.sitter.returncode is None:
            self.sitter.kill()
            await self.sitter.wait()
        cgroups.make(self._order.lab, "chair")
        resolv_conf = self._root / "etc/resolv.conf"
        argv = ("-m", "groundskeeper.lab.chair", str(self._netns), str(resolv_conf), str(samples))
        self.sitter = await asyncio.create_subprocess_exec(
            sys.executable, *argv, stdin=asyncio.subprocess.PIPE, pass_fds=[self._netns],
            preexec_fn=lambda: cgroups.join(self._order.lab, "chair"),
        )  # fmt: skip
        assert self.sitter.stdin is not None
        self.sitter.stdin.write(msgspec.json.encode(self._order.office.uses))
        self.sitter.stdin.close()

    async def keep(self) -> None:
        """Start it, and again each time it reboots; ends when it powers off or is cut off."""
        while True:
            await self.start()
            assert self.boot is not None
            await self.boot.ended.wait()
            if self.boot.exit_code != REBOOT:
                return

    def cut(self) -> None:
        """Pull the plug: every process of the machine dies at once, the disks stay as they are."""
        for branch in cgroups.branches(self._order.lab):
            cgroups.kill_and_remove(branch / self.plan.name)
        cgroups.make(self._order.lab, self.plan.name)

    def status(self) -> dict[str, int | bool | str]:
        """What a client needs in order to act on the machine."""
        boot = self.boot
        live = boot is not None and not boot.ended.is_set()
        return {
            "leader": boot.leader if boot and live else 0,
            "ready": bool(boot and live and boot.ready.is_set()),
            "boots": self.boots,
            "root": f"/proc/{os.getpid()}/root{self._root}",
        }


class Owner:
    """All seats of one lab and the socket through which they are asked for."""

    def __init__(self, order: Order) -> None:
        folder = RUN / order.lab / "disks"
        self._order = order
        self._seats = {plan.name: Seat(order, plan, folder / plan.name) for plan in order.office.machines}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._leaving = asyncio.Event()
        self._failed = ""

    async def run(self) -> None:
        """Raise the lab and serve until told to leave."""
        server = await asyncio.start_unix_server(self._serve, str(RUN / self._order.lab / "control.sock"))
        raising = asyncio.create_task(self._raise())
        async with server:
            await self._leaving.wait()
        raising.cancel()

    async def _raise(self) -> None:
        try:
            await asyncio.gather(*(self._first_start(seat) for seat in self._seats.values()))
        except subprocess.CalledProcessError as e:
            self._failed = f"{' '.join(map(str, e.cmd))} failed: {e.stderr}"
        except (OSError, LabError) as e:
            self._failed = str(e)

    async def _first_start(self, seat: Seat) -> None:
        cgroups.make(self._order.lab, seat.plan.name)
        await asyncio.to_thread(seat.prepare)
        self._keep(seat)

    def _keep(self, seat: Seat) -> None:
        self._keepers[seat.plan.name] = asyncio.create_task(seat.keep())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(await self._answer(json.loads(line))).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, asked: dict[str, str]) -> dict[str, object]:
        match asked["do"]:
            case "cut":
                await asyncio.to_thread(self._seats[asked["machine"]].cut)
                await self._keepers[asked["machine"]]
            case "start":
                keeper = self._keepers[asked["machine"]]
                if not keeper.done():
                    return {"error": f"{asked['machine']} is running"}
                self._keep(self._seats[asked["machine"]])
            case "down":
                self._leaving.set()
        machines = {name: seat.status() for name, seat in self._seats.items()}
        return {"machines": machines, "failed": self._failed}


def main() -> None:
    """Leave a reaper behind, enter the lab's namespaces, and own the lab."""
    with open(0, "rb", buffering=0, closefd=False) as line:  # what follows the order is for the reaper
        order = msgspec.json.decode(line.readline(), type=Order)
    run = RUN / order.lab
    reaper = stay_as_reaper(order.lab)
    (run / "pids.json").write_text(json.dumps({"owner": os.getpid(), "reaper": reaper}))
    unshare(CLONE_NEWNS | CLONE_NEWNET)
    mount("--make-rslave", "/")
    (run / "disks").mkdir()
    mount("-t", "tmpfs", "-o", "size=4G,mode=700", "lab", str(run / "disks"))
    Path("/run/systemd/nspawn").mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "lab", "/run/systemd/nspawn")  # what nspawn notes down there goes with us
    make_bridges(order.office)
    asyncio.run(Owner(order).run())


if __name__ == "__main__":
    main()
