"""Hands over, always: making a failing disk writable again can destroy what is still on it."""

from groundskeeper.model import Decline, Incident, Snapshot
from groundskeeper.runbooks.filesystem_read_only.rule import FilesystemReadOnly
from groundskeeper.subsystems.disk.types import Filesystem


class HandOver:
    name = "filesystem_read_only"

    def __init__(self, rule: FilesystemReadOnly) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Decline:
        mount = incident.finding.subject
        disk = snapshot.get(Filesystem, mount, incident.finding.device)
        if disk is not None and not disk.kernel_says:
            return Decline(
                runbook=self.name,
                reason=f"{mount} is left read-only: no error is on record, so somebody may have done this on purpose; "
                f"if not, a person should check the disk before anything writes to it again",
            )
        return Decline(
            runbook=self.name,
            reason=f"{mount} is left read-only: the system stopped writing to protect the data, and writing to a "
            f"failing disk can destroy it; a person should check the backup first, then the disk",
        )
