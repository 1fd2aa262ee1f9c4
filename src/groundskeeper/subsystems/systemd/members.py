"""The processes of a service, from its control group."""

from pathlib import Path

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
