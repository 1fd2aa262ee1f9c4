"""What /proc says of one process, read raw: microseconds, and no library."""

import os
from typing import NamedTuple


class Stat(NamedTuple):
    """From /proc/PID/stat (proc_pid_stat(5)). Times are in clock ticks; `started` since boot; `resident` in pages."""

    pid: int
    name: str
    state: str
    parent: int
    flags: int
    used: int
    threads: int
    started: int
    resident: int

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
