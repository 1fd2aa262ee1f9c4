"""How a process is scheduled and limited, thread by thread: read and set by system calls, never by a command."""

import ctypes
import errno
import os
import platform
import resource
from pathlib import Path

from groundskeeper.subsystems.process.types import Limit, ThreadScheduling

_IOPRIO = {"x86_64": (251, 252), "aarch64": (31, 30)}
"""Numbers of ioprio_set(2) and ioprio_get(2), for which the C library has no functions."""
_PROCESS = 1
IDLE_IO = 3 << 13
"""IOPRIO_CLASS_IDLE: the disk only when nobody else wants it."""
_libc = ctypes.CDLL(None, use_errno=True)


def threads(pid: int) -> list[int]:
    """Its threads now; empty where it has ended."""
    try:
        return [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def read(thread: int) -> ThreadScheduling | None:
    """None where it has ended."""
    try:
        policy, parameters = os.sched_getscheduler(thread), os.sched_getparam(thread)
        nice = os.getpriority(os.PRIO_PROCESS, thread)
    except ProcessLookupError:
        return None
    return ThreadScheduling(
        thread=thread, policy=policy, priority=parameters.sched_priority, nice=nice, io=_io_priority(thread)
    )


def make_idle(thread: int) -> None:
    """Only what nobody else wants. Raises PermissionError where it is not ours; one that has ended is done."""
    try:
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
    except ProcessLookupError:
        return
    _set_io_priority(thread, IDLE_IO)


def is_idle(thread: int) -> bool:
    try:
        return os.sched_getscheduler(thread) == os.SCHED_IDLE
    except ProcessLookupError:
        return True


def put_back(was: ThreadScheduling) -> None:
    try:
        os.sched_setscheduler(was.thread, was.policy, os.sched_param(was.priority))
        os.setpriority(os.PRIO_PROCESS, was.thread, was.nice)
    except ProcessLookupError:
        return
    _set_io_priority(was.thread, was.io)


def limit(pid: int, number: int) -> Limit:
    soft, hard = resource.prlimit(pid, number)
    return Limit(resource=number, soft=soft, hard=hard)


def set_limit(pid: int, wanted: Limit) -> None:
    resource.prlimit(pid, wanted.resource, (wanted.soft, wanted.hard))


def address_space(pid: int) -> int:
    """Bytes of address space that it has now; 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


def _io_priority(thread: int) -> int:
    numbers = _IOPRIO.get(platform.machine())
    return max(0, _libc.syscall(numbers[1], _PROCESS, thread)) if numbers else 0


def _set_io_priority(thread: int, priority: int) -> None:
    numbers = _IOPRIO.get(platform.machine())
    if numbers and _libc.syscall(numbers[0], _PROCESS, thread, priority) < 0:
        number = ctypes.get_errno()
        if number not in (errno.ESRCH, errno.EPERM):
            raise OSError(number, os.strerror(number))
