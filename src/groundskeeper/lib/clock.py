"""The only place that reads a clock."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time as a port. `now` is aware UTC; `elapsed` keeps counting through suspend (CLOCK_BOOTTIME), in seconds."""

    def now(self) -> datetime: ...

    def elapsed(self) -> float: ...

    async def sleep(self, span: timedelta) -> None: ...


class SystemClock:
    """The machine's own clock. Spans are measured on CLOCK_BOOTTIME: the wall clock may jump, a lease must not."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, span: timedelta) -> None:
        await asyncio.sleep(max(0.0, span.total_seconds()))


Identity = Callable[[], str]
"""Gives a fresh, short, random id at each call."""
