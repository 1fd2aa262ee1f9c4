"""What may be deleted makes room; where that is not enough, a person is told who fills the disk."""

from collections.abc import Sequence
from typing import NamedTuple

from groundskeeper.lib.figures import size
from groundskeeper.model import Action, Decline, DeviceId, Incident, Snapshot
from groundskeeper.runbooks.disk_filling.rule import FILES, GROWTH, DiskFilling
from groundskeeper.subsystems.disk.types import (
    EnsureSpace,
    EnsureSpaceFromCaches,
    Filesystem,
    Growing,
    Reclaimable,
    Source,
)

CACHES = (Source.PACKAGE_CACHES,)
NAMED = 3
WORTHWHILE = 0.1
"""Less than this share of the floor is not worth deleting anything for: a person has to come in any case."""
SURE = 0.9
"""Share of the estimate that is promised: a log that is rotated meanwhile must not make the plan a failure."""


class _Amount(NamedTuple):
    """Bytes or inodes: what is free, what should be, what could be freed (None where that was not seen)."""

    free: int
    floor: int
    goal: int
    caches: int | None
    all: int | None


class MakeRoom:
    name = "disk_filling"

    def __init__(self, rule: DiskFilling) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        finding = incident.finding
        mount = finding.subject.removesuffix(FILES).removesuffix(GROWTH)
        disk = snapshot.get(Filesystem, mount, finding.device)
        if disk is None:
            return self._decline(f"how full {mount} is was not seen, so nothing is deleted")
        if not disk.local:
            return self._decline(f"{mount} is kept by another machine ({disk.source}): space is made there")
        writers = _writers(snapshot.get(Growing, mount, finding.device))
        if finding.subject.endswith(GROWTH):
            return self._decline(
                f"nothing is deleted while {size(disk.available)} are left on {mount}: what fills it has to be found"
                f"{writers}"
            )
        return self._room(
            finding.device, disk, snapshot.get(Reclaimable, mount, finding.device), finding.subject, writers
        )

    def _room(
        self, device: DeviceId, disk: Filesystem, found: Reclaimable | None, subject: str, writers: str
    ) -> Sequence[Action] | Decline:
        inodes = subject.endswith(FILES)
        amount = self._inodes(disk, found) if inodes else self._bytes(disk, found)
        goal = self._goal(amount)
        if goal is None:
            helps = f"{amount.all:,} files" if inodes else size(amount.all or 0)
            return self._decline(
                f"only {helps} on {disk.mount} may be deleted, which would not help; everything else may be somebody's "
                f"data, so a person has to decide what goes or make the disk larger{writers}"
            )
        if inodes:
            return [
                EnsureSpace(device=device, mount=disk.mount, bytes_free=0, inodes_free=goal, sources=self._rule.sources)
            ]
        if amount.caches is not None and amount.free + amount.caches >= goal:
            return [EnsureSpaceFromCaches(device=device, mount=disk.mount, bytes_free=goal)]
        return [EnsureSpace(device=device, mount=disk.mount, bytes_free=goal, sources=self._rule.sources)]

    def _goal(self, amount: _Amount) -> int | None:
        """What to promise: the goal, or as much as there is where that is worth having; None where it is not."""
        if amount.all is None or amount.free + amount.all >= amount.goal:
            return amount.goal
        return int(amount.free + SURE * amount.all) if amount.all >= WORTHWHILE * amount.floor else None

    def _bytes(self, disk: Filesystem, found: Reclaimable | None) -> _Amount:
        floor = self._rule.floor(disk)
        caches = found.bytes_from(tuple(set(CACHES) & set(self._rule.sources))) if found else None
        all_of_it = found.bytes_from(self._rule.sources) if found else None
        return _Amount(disk.available, floor, int(floor * self._rule.headroom), caches, all_of_it)

    def _inodes(self, disk: Filesystem, found: Reclaimable | None) -> _Amount:
        floor = self._rule.inode_floor(disk)
        all_of_it = found.files_from(self._rule.sources) if found else None
        return _Amount(disk.inodes_free, floor, int(floor * self._rule.headroom), None, all_of_it)

    def _decline(self, reason: str) -> Decline:
        return Decline(runbook=self.name, reason=reason)


def _writers(growing: Growing | None) -> str:
    if growing is None or not growing.files:
        return ""
    named = [
        f"{file.path} ({size(file.bytes)}, {f'{size(file.growth)} a second, ' if file.growth else ''}by {file.process})"
        for file in growing.files[:NAMED]
    ]
    return f". Being written now: {', '.join(named)}"
