"""Runs a function in a child of its own, counts its system calls, and kills it, or fails the call, at a chosen one.

ptrace(2), directly: calls are counted over all names and all threads, in the order in which they happen. A tool that
counts by name (strace's `when=`) needs a run for each name and passes over most points when that is forgotten.
Registers are those of x86-64; on another machine only killing is possible.
"""

import ctypes
import gc
import os
import platform
import signal
import traceback
from collections.abc import Callable
from typing import NamedTuple

_TRACEME, _PEEKUSER, _POKEUSER, _SETOPTIONS, _SYSCALL = 0, 3, 6, 0x4200, 24
_OPTIONS = 0x100000 | 0x1 | 0x8  # EXITKILL, TRACESYSGOOD, TRACECLONE
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_RAX, _ORIG_RAX = 10 * 8, 15 * 8
_WALL = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong]


class Fate(NamedTuple):
    """What happens at the `at`th system call, from 1: death before it, or, with `error`, failure `times` times.

    Only calls named in `only` (by number) are counted, where it is not empty.
    """

    at: int
    error: int = 0
    times: int = 1
    only: frozenset[int] = frozenset()


class Run(NamedTuple):
    """`calls` are the numbers of the system calls made, in order; `status` is the exit code, negative for a signal."""

    calls: list[int]
    status: int


NEVER = Fate(0)
REGISTERS = platform.machine() == "x86_64"


def traced(work: Callable[[], None], fate: Fate = NEVER) -> Run:
    """Run `work` in a child until it ends, or its fate strikes. Only from a process with a single thread."""
    gc.freeze()
    child = os.fork()
    if child == 0:
        _be_traced(work)
    os.waitpid(child, _WALL)
    _ptrace(_SETOPTIONS, child, _OPTIONS)
    return _Tracing(child, fate).run()


def forked(work: Callable[[], None]) -> int:
    """Run `work` in a child, unwatched; its exit code."""
    child = os.fork()
    if child == 0:
        _ending(work)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be_traced(work: Callable[[], None]) -> None:
    _ptrace(_TRACEME, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    _ending(work)


def _ending(work: Callable[[], None]) -> None:
    """Whatever becomes of the work, this process ends here and never goes on as its parent would."""
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - shown, because nobody above is left to show it
        traceback.print_exc()
    finally:
        os._exit(code)


class _Tracing:
    def __init__(self, child: int, fate: Fate) -> None:
        self._child = child
        self._fate = fate
        self._inside: dict[int, bool] = {}
        """By thread: whether it is inside a call, and whether that call is to fail."""
        self._failing: set[int] = set()
        self._calls: list[int] = []
        self._counted = 0

    def run(self) -> Run:
        self._go_on(self._child, 0)
        while True:
            thread, status = os.waitpid(-1, _WALL)
            if thread == self._child and (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
                return Run(self._calls, os.waitstatus_to_exitcode(status))
            if os.WIFSTOPPED(status):
                self._stopped(thread, os.WSTOPSIG(status), status >> 16)

    def _stopped(self, thread: int, number: int, event: int) -> None:
        if number == _SYSCALL_STOP:
            self._at_call(thread)
            number = 0
        elif event or (number == signal.SIGSTOP and thread not in self._inside):
            number = 0  # the kernel's own stop of a thread that is new, or that made one
        self._inside.setdefault(thread, False)
        self._go_on(thread, number)

    def _at_call(self, thread: int) -> None:
        self._inside[thread] = not self._inside.get(thread, False)
        if not self._inside[thread]:
            if thread in self._failing:
                self._failing.discard(thread)
                _ptrace(_POKEUSER, thread, -self._fate.error & 0xFFFFFFFFFFFFFFFF, _RAX)
            return
        call = _ptrace(_PEEKUSER, thread, 0, _ORIG_RAX) if REGISTERS else 0
        self._calls.append(call)
        if not self._fate.only or call in self._fate.only:
            self._counted += 1
            self._strike(thread)

    def _strike(self, thread: int) -> None:
        fate = self._fate
        if fate.error and fate.at <= self._counted < fate.at + fate.times:
            _ptrace(_POKEUSER, thread, 0xFFFFFFFFFFFFFFFF, _ORIG_RAX)  # no call of this number: the kernel skips it
            self._failing.add(thread)
        elif not fate.error and self._counted == fate.at:
            os.kill(self._child, signal.SIGKILL)

    def _go_on(self, thread: int, number: int) -> None:
        try:
            _ptrace(_SYSCALL, thread, number)
        except ProcessLookupError:
            return  # it was killed meanwhile; waitpid tells


def _ptrace(request: int, process: int, data: int, address: int = 0) -> int:
    ctypes.set_errno(0)
    if request == _PEEKUSER:  # the library hands it back through the result
        result = int(_libc.ptrace(request, process, address, 0))
    else:
        result = int(_libc.ptrace(request, process, address, data))
    error = ctypes.get_errno()
    if result == -1 and error:
        raise OSError(error, f"ptrace: {os.strerror(error)}")
    return result
