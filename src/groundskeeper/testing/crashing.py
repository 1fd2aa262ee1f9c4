"""Ports that die, or fail, at a chosen call: wrap a Ledger and a Host with the same mishap, and count.

A process that is dead makes no further call: from the fatal one on, every call of every port that shares the death
waits for ever. Cancel its tasks, put a new process on the same ledger and the same host, and see whether it goes on.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")


class Mishap(Protocol):
    """What may happen around a port call. `before` gives the call's number, which `after` is handed.

    `struck` says that it happened, `fatal` that the process does not outlive it.
    """

    struck: bool
    fatal: bool

    async def before(self, call: str) -> int: ...

    async def after(self, number: int) -> None: ...


class Death:
    """Death at the `at`th call (from 1), before it has any effect, or `after` it had and before it returns.

    `calls` are the names of those made until then; `at=0` never strikes and only counts.
    """

    fatal = True

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        self.calls: list[str] = []
        self.struck = False
        self._at = at
        self._after = after

    async def before(self, call: str) -> int:
        if self.struck:
            await _for_ever()
        self.calls.append(call)
        if len(self.calls) == self._at and not self._after:
            await self._strike()
        return len(self.calls)

    async def after(self, number: int) -> None:
        if self.struck or (number == self._at and self._after):
            await self._strike()

    async def _strike(self) -> None:
        self.struck = True
        await _for_ever()


class Failure:
    """Calls number `at` to `at + times - 1` raise what `error` makes, and have no effect; the process lives on."""

    fatal = False

    def __init__(self, at: int, times: int, error: Callable[[], Exception]) -> None:
        self.calls: list[str] = []
        self.struck = False
        self._at = at
        self._times = times
        self._error = error

    async def before(self, call: str) -> int:
        self.calls.append(call)
        number = len(self.calls)
        if self._at <= number < self._at + self._times:
            self.struck = True
            raise self._error()
        return number

    async def after(self, number: int) -> None:
        pass


def crashing(port: T, mishap: Mishap) -> T:
    """The same port, each of whose calls may end as the mishap says."""
    return cast(T, _Crashing(port, mishap))


class _Crashing:
    def __init__(self, port: Any, mishap: Mishap) -> None:
        self._port = port
        self._mishap = mishap

    def __getattr__(self, name: str) -> Any:
        call, mishap = getattr(self._port, name), self._mishap

        async def called(*words: Any, **more: Any) -> Any:
            number = await mishap.before(name)
            result = await call(*words, **more)
            await mishap.after(number)
            return result

        return called


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()
