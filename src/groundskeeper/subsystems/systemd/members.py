"""The processes of a service, from its control group."""

import os
from collections.abc import Iterable
from pathlib import Path

MOST_FILES = 4096
"""Open files looked at in one service: what listens is opened early."""
_ROOTS = tuple(map(Path, ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")))
MOST = 64
"""Processes looked at in one service."""


def processes(cgroup: str) -> tuple[int, ...]:
    """Pids in a control group and the groups in it, as systemd names it ("/system.slice/nginx.service")."""
    if not cgroup.strip("/"):
        return ()
    for root in _ROOTS:
        home = root / cgroup.strip("/")
        if (home / "cgroup.procs").exists():
            found = _read(home)
            if not found:
                found = tuple(pid for inner in sorted(home.rglob("cgroup.procs")) for pid in _read(inner.parent))
            return found[:MOST]
    return ()


def _read(group: Path) -> tuple[int, ...]:
    """A pid of 0 is a process of another namespace: it is none of ours, and as an argument of kill it is a group."""
    try:
        return tuple(pid for pid in map(int, (group / "cgroup.procs").read_text().split()) if pid > 1)
    except (FileNotFoundError, OSError):
        return ()


def sockets(pids: Iterable[int]) -> dict[int, int]:
    """The sockets (inodes) that these processes hold, each with one that holds it. Needs root for others' processes."""
    found: dict[int, int] = {}
    left = MOST_FILES
    for pid in pids:
        for link in _open_files(pid)[:left]:
            left -= 1
            if link.startswith("socket:["):
                found.setdefault(int(link[8:-1]), pid)
    return found


def _open_files(pid: int) -> list[str]:
    try:
        with os.scandir(f"/proc/{pid}/fd") as links:
            return [_target(link.path) for link in links]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def _target(link: str) -> str:
    try:
        return str(Path(link).readlink())
    except OSError:
        return ""
