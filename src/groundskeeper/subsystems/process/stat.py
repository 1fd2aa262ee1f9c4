"""What /proc says of one process, read raw: microseconds, and no library."""

import os
from typing import NamedTuple


class Stat(NamedTuple):
    """From /proc/PID/stat (proc_pid_stat(5)). `used` and `started` (since boot) are clock ticks, `resident` is pages,
    `virtual` is bytes."""

    pid: int
    name: str
    state: str
    parent: int
    flags: int
    used: int
    threads: int
    started: int
    resident: int
    virtual: int = 0
    policy: int = 0

    @property
    def realtime(self) -> bool:
        """SCHED_FIFO or SCHED_RR (sched(7))."""
        return self.policy in (1, 2)

    @property
    def kernel(self) -> bool:
        """A thread of the kernel (PF_KTHREAD)."""
        return bool(self.flags & 0x00200000)


def parse(raw: bytes) -> Stat | None:
    """None where it is not such a line. The name may itself hold spaces and parentheses: the last one closes it."""
    opening, closing = raw.find(b"("), raw.rfind(b")")
    fields = raw[closing + 2 :].split()
    if opening < 1 or closing < opening or len(fields) < 22:
        return None
    try:
        return Stat(
            pid=int(raw[:opening]),
            name=raw[opening + 1 : closing].decode(errors="replace"),
            state=fields[0].decode(errors="replace"),
            parent=int(fields[1]),
            flags=int(fields[6]),
            used=int(fields[11]) + int(fields[12]),
            threads=int(fields[17]),
            started=int(fields[19]),
            resident=int(fields[21]),
            virtual=int(fields[20]),
            policy=int(fields[38]) if len(fields) > 38 else 0,
        )
    except ValueError:
        return None


def stat(pid: int) -> Stat | None:
    """None where it has ended."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    try:
        return parse(os.read(file, 1024))
    except ProcessLookupError:
        return None
    finally:
        os.close(file)
