"""What is remembered of one running service between two looks: what it listens on, its processes, what was odd."""

import math
import os

from groundskeeper.subsystems.systemd.members import processes
from groundskeeper.subsystems.systemd.roster import Running
from groundskeeper.subsystems.systemd.sockets import Listener
from groundskeeper.subsystems.systemd.types import Check, ServiceAnswers

LEARN_AFTER = (0.3, 3.0, 20.0)
"""Seconds after a service began to run at which it is looked at for what it listens on."""
MOST_PROCESSES = 16


class Watch:
    """One running service: what it listens on, its processes, and what was seen of it lately. Owns open files."""

    def __init__(self, service: Running, group: str, now: float) -> None:
        self.service = service
        self.group = group
        self.began = now
        self.learned = 0
        self.checks: tuple[Check, ...] = ()
        self.listeners: tuple[Listener, ...] = ()
        self.inodes: frozenset[int] = frozenset()
        self.stats: dict[int, int] = {}
        self.members_at = 0.0
        self.pace = self.ask_at = math.inf
        self.queued = False
        self.paused_since: float | None = None
        self.failing_since: float | None = None
        self.doubted_since: float | None = None
        self.told: ServiceAnswers | None = None
        self.asking = False

    def learning_due(self, now: float) -> bool:
        return self.learned < len(LEARN_AFTER) and now - self.began >= LEARN_AFTER[self.learned]

    def refresh_members(self, now: float) -> None:
        self.members_at = now
        pids = set(processes(self.group)[:MOST_PROCESSES])
        for pid in self.stats.keys() - pids:
            os.close(self.stats.pop(pid))
        for pid in pids - self.stats.keys():
            try:
                self.stats[pid] = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue

    def paused(self) -> tuple[int, ...]:
        """Its processes in state T. The kept file tells of the same process, or that it has ended, never of another."""
        found = []
        for pid, file in self.stats.items():
            try:
                raw = os.pread(file, 128, 0)
            except ProcessLookupError:
                self.members_at = 0.0
                continue
            if raw[raw.rfind(b")") + 2 : raw.rfind(b")") + 3] == b"T":
                found.append(pid)
        return tuple(found)

    def close(self) -> None:
        while self.stats:
            os.close(self.stats.popitem()[1])
