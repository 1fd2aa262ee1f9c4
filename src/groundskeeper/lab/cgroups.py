"""The lab's own branch of the cgroup tree: one cgroup per machine, all of it killed and removed as one.

Works on a pure cgroup2 host and on a hybrid one (where systemd's own tree is a version 1 hierarchy beside it).
"""

import contextlib
import errno
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
PREFIX = "groundskeeper-lab."


def roots() -> tuple[Path, ...]:
    """The cgroup folders under which a lab makes its own, the version 2 tree first."""
    if (MOUNT / "cgroup.procs").exists():
        return (MOUNT,)
    return tuple(root for root in (MOUNT / "unified", MOUNT / "systemd") if (root / "cgroup.procs").exists())


def branches(lab: str) -> tuple[Path, ...]:
    """The lab's own cgroups, whether they exist or not."""
    return tuple(root / f"{PREFIX}{lab}" for root in roots())


def make(lab: str, machine: str) -> None:
    """A cgroup for one machine in every tree; one that is there is left as it is."""
    for branch in branches(lab):
        (branch / machine).mkdir(parents=True, exist_ok=True)


def join(lab: str, machine: str) -> None:
    """Move the calling process into the machine's cgroup."""
    for branch in branches(lab):
        (branch / machine / "cgroup.procs").write_text("0")


def kill_and_remove(branch: Path, patience: float = 10.0) -> None:
    """Kill every process at or below the cgroup, wait until they are gone, remove the folders bottom-up."""
    until = time.monotonic() + patience
    while branch.exists() and time.monotonic() < until:
        _kill(branch)
        if _remove(branch):
            return
        time.sleep(0.005)


def processes(branch: Path) -> Iterator[int]:
    """Every process at or below the cgroup, as numbered in our pid namespace (0, invisible to us, is left out)."""
    for folder in _deepest_first(branch):
        with contextlib.suppress(OSError):
            yield from (int(line) for line in (folder / "cgroup.procs").read_text().split() if int(line) > 1)


def _kill(branch: Path) -> None:
    switch = branch / "cgroup.kill"
    if switch.exists():
        with contextlib.suppress(OSError):
            switch.write_text("1")
        return
    for pid in processes(branch):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _remove(branch: Path) -> bool:
    """Whether all of it is gone; a folder that still holds a dying process says EBUSY."""
    for folder in _deepest_first(branch):
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError as e:
            if e.errno != errno.EBUSY:
                raise
            return False
    return True


def _deepest_first(branch: Path) -> list[Path]:
    return [Path(folder) for folder, _, _ in os.walk(branch, topdown=False)]
