"""What belongs to a lab on this host, and what of it is still there after its end:

the check behind "leaves nothing behind".
"""

import os
from collections.abc import Iterable
from pathlib import Path

from groundskeeper.lab import cgroups
from groundskeeper.lab.reaper import RUN

GONE = "gone"
OWNER = b"groundskeeper.lab.owner"
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "uts")


def belongings(lab: str) -> frozenset[str]:
    """Every process, namespace, loop device, mount, cgroup and file of a lab, one line each.

    Empty: there is no such lab.
    """
    pids = _processes_of(lab)
    return frozenset(
        [
            *(f"process {pid} {_started(pid)}" for pid in pids),
            *(f"namespace {name}" for pid in pids for name in _namespaces(pid) - _namespaces(os.getpid())),
            *(f"loop {loop}" for loop in _loops() if f" {RUN / lab}/" in loop),
            *(f"mount {line}" for line in _mounts() if f"{RUN / lab}/" in line),
            *(f"cgroup {folder}" for branch in cgroups.branches(lab) for folder, _, _ in os.walk(branch)),
            *(f"file {path}" for path in (RUN / lab, *(RUN / lab).glob("*")) if path.exists()),
        ]
    )


def left_over(before: Iterable[str], lab: str) -> list[str]:
    """What of `before` (the lab's belongings while it was up) is still on the host, and what belongs to it now."""
    present = {f"loop {loop}" for loop in _loops()} | {f"mount {line}" for line in _mounts()}
    for pid in _pids():
        present |= {f"process {pid} {_started(pid)}", *(f"namespace {name}" for name in _namespaces(pid))}
    # The kernel gives a namespace's number to a later one: what another lab lives in now is no longer ours.
    present -= {f"namespace {name}" for pid in _processes_of_other_labs(lab) for name in _namespaces(pid)}
    return sorted((set(before) & present) | belongings(lab))


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _processes_of(lab: str) -> set[int]:
    """Those in the lab's cgroups, and the owner and the reaper, which stand outside."""
    inside = {pid for branch in cgroups.branches(lab) for pid in cgroups.processes(branch)}
    return inside | {pid for pid in _pids() if {OWNER, lab.encode()} <= _words(pid)}


def _words(pid: int) -> set[bytes]:
    return set(_read(f"/proc/{pid}/cmdline").split(b"\0"))


def _processes_of_other_labs(lab: str) -> set[int]:
    owners = {pid for pid in _pids() if OWNER in _words(pid) and lab.encode() not in _words(pid)}
    names = {
        path.name.removeprefix(cgroups.PREFIX) for root in cgroups.roots() for path in root.glob(f"{cgroups.PREFIX}*")
    }
    return owners | {pid for name in names - {lab} for pid in _processes_of(name)}


def _started(pid: int) -> str:
    """When a process started:

    with its number, this tells it from a later one of the same number. Zombies count as gone.
    """
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return fields[19].decode() if len(fields) > 19 and fields[0] != b"Z" else GONE


def _namespaces(pid: int) -> set[str]:
    """The namespaces a process lives in, and those it merely holds open. One that has ended holds none for long."""
    found: set[str] = set()
    if _started(pid) == GONE:
        return found
    for link in [*(f"/proc/{pid}/ns/{kind}" for kind in NAMESPACES), *_descriptors(pid)]:
        try:
            name = str(Path(link).readlink())
        except OSError:
            continue
        if name.partition(":")[0] in NAMESPACES:
            found.add(name)
    return found


def _descriptors(pid: int) -> list[str]:
    try:
        return [str(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def _loops() -> list[str]:
    """Busy loop devices, each with the file behind it: the number alone is soon another lab's."""
    files = Path("/sys/block").glob("loop*/loop/backing_file")
    return [f"{file.parent.parent.name} {_read(str(file)).decode().strip()}" for file in files]


def _mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
