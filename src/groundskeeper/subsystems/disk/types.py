"""What is known of filesystems, and what can be done about a full one."""

from datetime import timedelta
from enum import Enum
from typing import ClassVar

from groundskeeper.lib.figures import size
from groundskeeper.model import Action, DeviceId, Fact, Probe, Radius, Risk, Value

LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "bcachefs", "zfs"}
    | {"vfat", "exfat", "msdos", "ntfs", "ntfs3", "hfsplus", "tmpfs", "overlay"}
)
"""Answered from memory by the kernel. Any other kind may wait for a server or a process, perhaps for ever."""


class Source(Enum):
    """Where space may be taken from, least regret first. Everything else on a disk is somebody's data."""

    PACKAGE_CACHES = "package caches"
    """Packages already installed, kept only in case they are installed again: fetched again when wanted."""
    DELETED_LOGS = "deleted logs"
    """Log files that were deleted while a process went on writing to them: nobody can open them any more."""
    CRASH_DUMPS = "crash dumps"
    """Memory images of crashed programs, older than a day."""
    JOURNAL = "old journals"
    """Archived files of the system journal, older than two days."""
    ROTATED_LOGS = "rotated logs"
    """Logs that rotation has put aside, older than a day."""
    TEMPORARY_FILES = "old temporary files"
    """In /tmp untouched for 3 days, in /var/tmp for 10."""


EVERY_SOURCE: tuple[Source, ...] = tuple(Source)


class Filesystem(Fact, Value):
    """One mounted filesystem. Sizes in bytes; `available` is what an ordinary user may still write.

    A filesystem that counts no inodes (btrfs) has `inodes` 0. `growth` is in bytes a second over the last minutes,
    `full_in` what that leaves; None where nothing steady is seen.
    """

    mount: str
    source: str
    kind: str
    size: int
    available: int
    inodes: int = 0
    inodes_free: int = 0
    read_only: bool = False
    meant_writable: bool = True
    """It was seen writable since the agent started, or /etc/fstab mounts it writable."""
    growth: float = 0.0
    full_in: timedelta | None = None
    answers: bool = True
    """False for a network filesystem whose server does not answer: the sizes are the last that were seen."""
    mounted: bool = True
    """False when it is not mounted any more."""
    kernel_says: str = ""
    """What the kernel recorded when it became read-only, where it recorded anything."""

    @property
    def subject(self) -> str:
        return self.mount

    @property
    def local(self) -> bool:
        return self.kind in LOCAL


class Share(Value):
    """What one source would give."""

    source: Source
    bytes: int
    files: int


class Reclaimable(Fact, Value):
    """What could be freed on a filesystem that is short of space: seen only while it is short.

    Counted in the order of least regret, and no further than any plan could want.
    """

    mount: str
    shares: tuple[Share, ...]

    @property
    def subject(self) -> str:
        return self.mount

    def bytes_from(self, sources: tuple[Source, ...]) -> int:
        return sum(share.bytes for share in self.shares if share.source in sources)

    def files_from(self, sources: tuple[Source, ...]) -> int:
        return sum(share.files for share in self.shares if share.source in sources)


class GrowingFile(Value):
    """A file that a process has open for writing. `growth` in bytes a second."""

    path: str
    process: str
    bytes: int
    growth: float


class Growing(Fact, Value):
    """Who is filling a filesystem: the files that grow fastest, then the largest open ones. For a person to read."""

    mount: str
    files: tuple[GrowingFile, ...]

    @property
    def subject(self) -> str:
        return self.mount


class SpaceFree(Probe, Value):
    """At least so much can be written by an ordinary user."""

    mount: str
    bytes_free: int
    inodes_free: int = 0

    def describe(self) -> str:
        return free_in_words(self.mount, self.bytes_free, self.inodes_free)


class EnsureSpaceFromCaches(Action, Value):
    """Space is free again, from package caches alone: nothing is lost, the next installation fetches what it needs."""

    device: DeviceId
    mount: str
    bytes_free: int
    """What must be free for this to count as done."""
    inodes_free: int = 0
    aim: int = 0
    """Bytes at which it stops, where that is more: room to breathe, so that it is not wanted again in a minute."""
    sources: tuple[Source, ...] = (Source.PACKAGE_CACHES,)

    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    @property
    def subject(self) -> str:
        return self.mount

    def describe(self) -> str:
        return f"{free_in_words(self.mount, self.bytes_free, self.inodes_free)}, from package caches"

    def radius(self) -> Radius:
        return touching(self.mount, self.sources)

    def probe(self) -> Probe:
        return SpaceFree(mount=self.mount, bytes_free=self.bytes_free, inodes_free=self.inodes_free)


class EnsureSpace(Action, Value):
    """Space is free again, from `sources` in the order of least regret. What is deleted does not come back."""

    device: DeviceId
    mount: str
    bytes_free: int
    inodes_free: int = 0
    aim: int = 0
    sources: tuple[Source, ...] = EVERY_SOURCE

    risk: ClassVar[Risk] = Risk.IRREVERSIBLE

    @property
    def subject(self) -> str:
        return self.mount

    def describe(self) -> str:
        named = ", ".join(source.value for source in self.sources)
        return f"{free_in_words(self.mount, self.bytes_free, self.inodes_free)}, from {named}"

    def radius(self) -> Radius:
        return touching(self.mount, self.sources)

    def probe(self) -> Probe:
        return SpaceFree(mount=self.mount, bytes_free=self.bytes_free, inodes_free=self.inodes_free)


def free_in_words(mount: str, bytes_free: int, inodes_free: int) -> str:
    wanted = [size(bytes_free)] if bytes_free else []
    wanted += [f"room for {inodes_free:,} files"] if inodes_free else []
    return f"{' and '.join(wanted) or 'some space'} free on {mount}"


def touching(mount: str, sources: tuple[Source, ...]) -> Radius:
    """`filesystem:/var` and `reclaim:rotated logs`: policy can protect either."""
    return Radius(touches=(f"filesystem:{mount}", *(f"reclaim:{source.value}" for source in sources)))
