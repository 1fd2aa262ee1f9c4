"""The kernel's own word on its clock: adjtimex(2), read only, and a timer that ends when somebody sets the clock."""

import ctypes
import os
import struct
from datetime import timedelta
from typing import NamedTuple

LIBC = ctypes.CDLL(None, use_errno=True)

STA_UNSYNC, STA_NANO = 0x0040, 0x2000
CLOCK_REALTIME = 0
TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET = 1, 2
FAR = 1 << 40
"""Seconds after 1970: some 34,000 years from now."""


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>; `rest` leaves room for what follows on any architecture."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_byte * 256),
    )  # fmt: skip


class Discipline(NamedTuple):
    """How the kernel's clock is kept. `bound` is its own bound on the error."""

    synchronised: bool
    offset: timedelta
    bound: timedelta


def discipline() -> Discipline:
    """Reads it; `modes` stays 0, with which nothing can be changed. Raises OSError."""
    state = _Timex()
    if LIBC.adjtimex(ctypes.byref(state)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return told_by(state.status, state.offset, state.maxerror)


def told_by(status: int, offset: int, maxerror: int) -> Discipline:
    """`offset` is in nanoseconds where STA_NANO is set, else in microseconds; `maxerror` always in microseconds."""
    microseconds = offset / 1000 if status & STA_NANO else float(offset)
    return Discipline(not status & STA_UNSYNC, timedelta(microseconds=microseconds), timedelta(microseconds=maxerror))


def set_alarm() -> int:
    """A descriptor that becomes readable when somebody sets the clock (timerfd_create(2)); close it."""
    descriptor = LIBC.timerfd_create(CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    arm(descriptor)
    return int(descriptor)


def arm(descriptor: int) -> None:
    """Wait for the next time somebody sets the clock."""
    never = struct.pack("qqqq", 0, 0, FAR, 0)
    if LIBC.timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, never, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def was_set(descriptor: int) -> bool:
    """Has the clock been set since it was armed? Reading answers ECANCELED exactly once."""
    try:
        os.read(descriptor, 8)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False
