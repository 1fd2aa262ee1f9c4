"""Which mounted filesystems are worth watching. Pure: reads the text of /proc/self/mountinfo and /etc/fstab."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from groundskeeper.subsystems.disk.types import LOCAL

NETWORK = re.compile(r"nfs4?|cifs|smb3|smbfs|ceph|afs|9p|virtiofs|glusterfs|lustre|gfs2?|ocfs2|fuse(blk)?(\..*)?")
"""Kinds that hold data elsewhere. fuse.* may be anything: treated as if it could hang, because it can."""

VIEWS = frozenset({"fuse.lxcfs", "fuse.portal", "fuse.gvfsd-fuse", "fuse.snapfuse", "fuse.archivemount"})
"""Views of other things, not room to store in."""

NOBODYS = ("/proc", "/sys", "/dev", "/run", "/snap", "/mnt/wsl", "/usr/lib/wsl")
"""In memory here, it is the system's own working room: its size is a limit, not a shortage."""

CONTAINERS = tuple(
    f"/var/lib/{name}" for name in ("docker", "containers", "containerd", "kubelet", "lxc", "lxd", "incus")
)
"""Layers and scratch room of containers: the disk below them is watched, each of them would be the same news again."""


class Mount(NamedTuple):
    """One line of the mount table (proc(5), mountinfo). `device` is "major:minor", `root` the path inside it."""

    device: str
    root: str
    point: str
    kind: str
    source: str
    read_only: bool

    @property
    def local(self) -> bool:
        return self.kind in LOCAL


def parse_mounts(text: str) -> list[Mount]:
    """Every mount, in the table's order (a later one may hide an earlier one)."""
    return [mount for line in text.splitlines() if (mount := _parse_line(line.split(" ")))]


def _parse_line(fields: list[str]) -> Mount | None:
    if len(fields) < 9 or "-" not in fields[6:]:
        return None
    kind, source, shared = fields[fields.index("-", 6) + 1 :][:3]
    options = {*fields[5].split(","), *shared.split(",")}
    # "emergency_ro" is what ext4 calls it since Linux 6.15 when it stops writing after an error; "ro" stays away then.
    stopped = not options.isdisjoint({"ro", "emergency_ro", "shutdown"})
    return Mount(fields[2], unescape(fields[3]), unescape(fields[4]), kind, unescape(source), stopped)


def unescape(text: str) -> str:
    r"""Undo the kernel's \040 for a space, \011, \012 and \134."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def worth_watching(mounts: Iterable[Mount]) -> list[Mount]:
    """Each real filesystem once, by its widest and shortest mount; in order of mount point."""
    visible = {mount.point: mount for mount in mounts}
    chosen: dict[str, Mount] = {}
    for mount in sorted(filter(_counts, visible.values()), key=_breadth, reverse=True):
        chosen[mount.device] = mount
    return sorted(chosen.values(), key=lambda mount: mount.point)


def _breadth(mount: Mount) -> tuple[bool, int, str]:
    return mount.root != "/", len(mount.point), mount.point


def _counts(mount: Mount) -> bool:
    if within(mount.point, ("/run/host",)):  # what a container is shown of its host
        return False
    if mount.kind == "tmpfs":
        return not within(mount.point, NOBODYS + CONTAINERS)
    if mount.kind == "overlay":
        return mount.point == "/"  # anywhere else it is a container's root, or a view of what is watched below it
    if NETWORK.fullmatch(mount.kind):
        return mount.kind not in VIEWS and not within(mount.point, NOBODYS)
    return mount.kind in LOCAL


def within(path: str, folders: Iterable[str]) -> bool:
    """Is the path one of these folders, or below one?"""
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def mounted_writable_on_purpose(fstab: str) -> frozenset[str]:
    """Mount points that /etc/fstab mounts, and not read-only."""
    rows = [line.split() for line in fstab.splitlines() if not line.lstrip().startswith("#")]
    return frozenset(unescape(row[1]) for row in rows if len(row) >= 4 and "ro" not in row[3].split(","))
