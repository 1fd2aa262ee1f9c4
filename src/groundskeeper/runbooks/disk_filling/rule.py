"""When a filesystem is too full."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import ClassVar

from groundskeeper.lib.figures import size, span
from groundskeeper.model import Cause, Fact, Finding, Observation, Severity, Snapshot, Value
from groundskeeper.subsystems.disk.types import EVERY_SOURCE, Filesystem, Source

FILES = " (files)"
GROWTH = " (growth)"
"""What follows the mount point in the subject, where it is not plain space that is short."""


class DiskFilling(Value, tag=False, forbid_unknown_fields=True):
    """A filesystem has less than its floor free, too few inodes, or will be full within `soon` at its present pace.

    The floor is a share of the size, but never more than `floor_bytes`: 5 % of 200 MB is a log file's growth in an
    hour, 5 % of 20 TB is a year's.
    """

    floor_percent: float = 5.0
    floor_bytes: int = 5_000_000_000
    floor_inodes_percent: float = 3.0
    floor_inodes: int = 20_000
    soon: timedelta = timedelta(minutes=10)
    headroom: float = 2.0
    """How many times the floor must be free afterwards, so that it is not short again in a minute."""
    sources: tuple[Source, ...] = EVERY_SOURCE
    """Where space may be taken from."""
    ignore: tuple[str, ...] = ()
    """Globs of mount points that may be as full as they are."""

    name: ClassVar[str] = "disk_filling"
    watches: ClassVar[tuple[type[Fact], ...]] = (Filesystem,)
    causes: ClassVar[tuple[Cause, ...]] = (Cause(rule="filesystem_read_only", same_subject=True),)

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, disk in snapshot.of(Filesystem):
            if self._counts(disk):
                short = [*self._space(seen, disk), *self._inodes(seen, disk)]
                yield from short or self._growth(seen, disk)

    def floor(self, disk: Filesystem) -> int:
        """Bytes below which it is too full."""
        return min(int(disk.size * self.floor_percent / 100), self.floor_bytes)

    def inode_floor(self, disk: Filesystem) -> int:
        return min(int(disk.inodes * self.floor_inodes_percent / 100), self.floor_inodes)

    def _counts(self, disk: Filesystem) -> bool:
        usable = disk.mounted and disk.answers and not disk.read_only and disk.size > 0
        return usable and not any(fnmatchcase(disk.mount, pattern) for pattern in self.ignore)

    def _space(self, seen: Observation, disk: Filesystem) -> Iterable[Finding]:
        floor = self.floor(disk)
        if disk.available < floor:
            left = f"has {size(disk.available)} of {size(disk.size)} left" if disk.available else "is full"
            reason = f"{disk.mount} {left}; below {size(floor)} programs begin to fail"
            yield self._finding(seen, disk.mount, disk.available < floor / 5, reason)

    def _inodes(self, seen: Observation, disk: Filesystem) -> Iterable[Finding]:
        if disk.inodes and disk.inodes_free < self.inode_floor(disk):
            reason = f"{disk.mount} has room for only {disk.inodes_free:,} more files, of {disk.inodes:,}"
            critical = disk.inodes_free < self.inode_floor(disk) / 5
            yield self._finding(seen, disk.mount + FILES, critical, reason)

    def _growth(self, seen: Observation, disk: Filesystem) -> Iterable[Finding]:
        if disk.full_in is not None and disk.full_in < self.soon:
            pace = f"fills by {size(disk.growth)} a second and would be full in {span(disk.full_in)}"
            reason = f"{disk.mount} {pace}: {size(disk.available)} of {size(disk.size)} are left"
            yield self._finding(seen, disk.mount + GROWTH, False, reason)

    def _finding(self, seen: Observation, subject: str, critical: bool, reason: str) -> Finding:
        severity = Severity.CRITICAL if critical else Severity.WARNING
        return Finding(
            rule=self.name, device=seen.device, subject=subject, severity=severity, reason=reason, evidence=(seen,)
        )
