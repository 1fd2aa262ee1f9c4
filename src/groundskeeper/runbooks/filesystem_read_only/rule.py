"""When a filesystem stopped being writable."""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import ClassVar

from groundskeeper.model import Cause, Fact, Finding, Severity, Snapshot, Value
from groundskeeper.subsystems.disk.types import Filesystem


class FilesystemReadOnly(Value, tag=False, forbid_unknown_fields=True):
    """A filesystem that was seen writable, or that /etc/fstab mounts writable, is read-only."""

    ignore: tuple[str, ...] = ()
    """Globs of mount points that may become read-only."""

    name: ClassVar[str] = "filesystem_read_only"
    watches: ClassVar[tuple[type[Fact], ...]] = (Filesystem,)
    causes: ClassVar[tuple[Cause, ...]] = ()

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, disk in snapshot.of(Filesystem):
            stopped = disk.mounted and disk.answers and disk.read_only and disk.meant_writable
            if stopped and not any(fnmatchcase(disk.mount, pattern) for pattern in self.ignore):
                why = f"the kernel says: {disk.kernel_says}" if disk.kernel_says else "the kernel recorded no reason"
                yield Finding(
                    rule=self.name,
                    device=seen.device,
                    subject=disk.mount,
                    severity=Severity.CRITICAL,
                    reason=f"{disk.mount} ({disk.source}) should be writable and is read-only; {why}",
                    evidence=(seen,),
                )
