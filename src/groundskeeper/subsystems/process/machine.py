"""How busy the whole machine is, in a few microseconds: files kept open, read again and again."""

import os
from typing import NamedTuple


class Reading(NamedTuple):
    """Counters since boot: ticks that the usable cores were busy and idle, seconds in which some task waited for one
    (-1 where the kernel does not tell); and as it is now: tasks that want a core, bytes of memory that can be had."""

    busy: int
    idle: int
    waited: float
    queue: int
    available: int


class MachineFiles:
    """Raises OSError where /proc is not there. The maker closes it."""

    def __init__(self) -> None:
        self.cores = frozenset(os.sched_getaffinity(0))
        self._stat = os.open("/proc/stat", os.O_RDONLY | os.O_CLOEXEC)
        self._load = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
        self._memory = os.open("/proc/meminfo", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._pressure = os.open("/proc/pressure/cpu", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._pressure = -1

    def close(self) -> None:
        for file in (self._stat, self._load, self._memory, self._pressure):
            if file >= 0:
                os.close(file)

    def read(self) -> Reading:
        busy, idle = usage(os.pread(self._stat, 16384, 0), self.cores)
        queue = running(os.pread(self._load, 128, 0))
        return Reading(busy, idle, self._waited(), queue, available(os.pread(self._memory, 512, 0)))

    def _waited(self) -> float:
        if self._pressure < 0:
            return -1.0
        try:
            return waited(os.pread(self._pressure, 256, 0))
        except OSError:
            return -1.0


def usage(raw: bytes, cores: frozenset[int]) -> tuple[int, int]:
    """(busy, idle) ticks of these cores together, from /proc/stat. Time lent to guests counts as busy once."""
    busy = idle = 0
    for line in raw.splitlines()[1:]:
        if not line.startswith(b"cpu"):
            break
        fields = line.split()
        if int(fields[0][3:]) in cores:
            ticks = [int(field) for field in fields[1:9]]
            resting = ticks[3] + ticks[4]
            busy, idle = busy + sum(ticks) - resting, idle + resting
    return busy, idle


def running(raw: bytes) -> int:
    """Tasks that want a core now, from /proc/loadavg ("0.61 0.66 0.72 3/811 4711"); whoever reads is one of them."""
    fields = raw.split()
    return int(fields[3].split(b"/")[0]) - 1 if len(fields) > 3 else 0


def available(raw: bytes) -> int:
    """Bytes that could be had without swapping, from /proc/meminfo."""
    for line in raw.splitlines():
        if line.startswith(b"MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def waited(raw: bytes) -> float:
    """Seconds in which some task waited, from a pressure file: "some avg10=… total=MICROSECONDS"."""
    for line in raw.splitlines():
        if line.startswith(b"some"):
            return int(line.rsplit(b"=", 1)[1]) / 1_000_000
    return -1.0
