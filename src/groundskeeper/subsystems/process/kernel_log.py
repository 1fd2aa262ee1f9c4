"""Hears from the kernel's own log when it ended a process because memory ran out."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from groundskeeper.lib.clock import Clock
from groundskeeper.model import Fact, Refused
from groundskeeper.subsystems.process.load import unit_of
from groundskeeper.subsystems.process.types import OutOfMemoryKill

LOG = "/dev/kmsg"
_KILL = re.compile(r"oom-kill:.*?task_memcg=(?P<group>[^,]*),task=(?P<name>.*?),pid=(?P<pid>\d+),uid=")
AT_ONCE = 200
"""Records read in one go: a firewall that logs every packet must not keep us busy."""
REST = timedelta(seconds=1)


class OutOfMemorySensor:
    """Facts: OutOfMemoryKill. Reads /dev/kmsg from its end, woken by the kernel."""

    name = "processes ended for want of memory"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kills: Counter[str] = Counter()

    async def run(self, seen: Callable[[Fact], None]) -> None:
        try:
            log = os.open(LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as problem:
            raise Refused(
                f"the kernel's log cannot be read here ({problem.strerror}): it needs root, and no container"
            ) from problem
        try:
            os.lseek(log, 0, os.SEEK_END)
            await self._listen(log, seen)
        finally:
            os.close(log)

    async def _listen(self, log: int, seen: Callable[[Fact], None]) -> None:
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(log, ready.set)
        try:
            while True:
                await ready.wait()
                ready.clear()
                if self._read(log, seen):
                    loop.remove_reader(log)
                    await self._clock.sleep(REST)
                    loop.add_reader(log, ready.set)
        finally:
            loop.remove_reader(log)

    def _read(self, log: int, seen: Callable[[Fact], None]) -> bool:
        """Read what is there; True where it is so much that a rest is due."""
        for _ in range(AT_ONCE):
            try:
                record = os.read(log, 8192)
            except BlockingIOError:
                return False
            except BrokenPipeError:
                continue  # Records were overwritten before we came; the next read goes on behind them
            if killed := parse(record.decode(errors="replace")):
                group, name, pid = killed
                unit = unit_of(f"0::{group}")
                self._kills[unit or name] += 1
                now = self._clock.now()
                seen(OutOfMemoryKill(unit=unit, process=name, pid=pid, kills=self._kills[unit or name], at=now))
        return True


def parse(record: str) -> tuple[str, str, int] | None:
    """(control group, name, pid) of the process that one record of /dev/kmsg says was killed for want of memory."""
    found = _KILL.search(record)
    return (found["group"], found["name"], int(found["pid"])) if found else None
