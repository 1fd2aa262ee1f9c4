"""Capping a process, taking that back, ending one. Each is named by pid and start, looked at just before."""

import asyncio
import contextlib
import os
import resource
import select
import signal
from datetime import timedelta

from groundskeeper.model import Action, Already, Impossible, Needed, Probe, ProbeResult, Refused, Sight
from groundskeeper.subsystems.process import scheduling
from groundskeeper.subsystems.process.stat import Stat, stat
from groundskeeper.subsystems.process.types import (
    EnsureProcessCapped,
    EnsureProcessGone,
    EnsureScheduling,
    Limit,
    ProcessEnded,
    ProcessYields,
    SchedulingIs,
    ThreadScheduling,
)

UNTOUCHABLE = frozenset(
    {
        "systemd",
        "init",
        "sshd",
        "dbus-daemon",
        "dbus-broker",
        "systemd-journal",
        "systemd-logind",
        "systemd-udevd",
        "systemd-resolve",
        "systemd-network",
        "login",
        "groundskeeper",
    }
)
"""Without these nobody gets in any more, or nothing runs any more. Names as the kernel has them: 15 bytes."""
ROUNDS = 5
"""Threads are listed again until no new one is found; whoever makes threads all the time is a case for ending it."""


class CapProcess:
    """Effect of EnsureProcessCapped."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureProcessCapped)
        one = alive(action.pid, action.started)
        if one is None:
            return Already(reason=_ended(action.name, action.pid))
        if refusal := untouchable(one):
            return Impossible(reason=refusal)
        now = _scheduled(action.pid) if action.cpu else ()
        limits = (_limit(action.pid),) if action.memory is not None else ()
        capped_cpu = all(thread.policy == os.SCHED_IDLE for thread in now)
        if capped_cpu and all(_at_most(limit, action.memory) for limit in limits):
            return Already(reason=f"{action.name} (process {action.pid}) is capped")
        undo = EnsureScheduling(
            device=action.device, pid=action.pid, started=action.started, name=action.name, threads=now, limits=limits
        )
        return Needed(found=_found(now, limits), undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureProcessCapped)
        one = alive(action.pid, action.started)
        if one is None:
            return _ended(action.name, action.pid)
        if refusal := untouchable(one):
            raise Refused(refusal)
        if action.memory is not None:
            was = _limit(action.pid)
            scheduling.set_limit(action.pid, Limit(resource=was.resource, soft=action.memory, hard=was.hard))
        if action.cpu:
            _make_idle(action.pid)
        return action.describe()


class RestoreScheduling:
    """Effect of EnsureScheduling."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureScheduling)
        if alive(action.pid, action.started) is None:
            return Already(reason=_ended(action.name, action.pid))
        wrong = _wrong(action.pid, action.threads, action.limits)
        return Needed(found=wrong) if wrong else Already(reason=f"{action.name} runs as it did before")

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureScheduling)
        if alive(action.pid, action.started) is None:
            return _ended(action.name, action.pid)
        for limit in action.limits:
            scheduling.set_limit(action.pid, limit)
        for thread in _with_newcomers(action.pid, action.threads):
            scheduling.put_back(thread)
        return action.describe()


class EndProcess:
    """Effect of EnsureProcessGone."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureProcessGone)
        one = alive(action.pid, action.started)
        if one is None:
            return Already(reason=_ended(action.name, action.pid))
        if refusal := untouchable(one):
            return Impossible(reason=refusal)
        return Needed(found=f"{action.name} runs as process {action.pid}")

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureProcessGone)
        assert action.pid > 1
        try:
            handle = os.pidfd_open(action.pid)
        except ProcessLookupError:
            return _ended(action.name, action.pid)
        try:
            # Compared after the pidfd was opened: from here on it cannot be another process.
            one = alive(action.pid, action.started)
            if one is None:
                return _ended(action.name, action.pid)
            if refusal := untouchable(one):
                raise Refused(refusal)
            return await _end(handle, action)
        finally:
            os.close(handle)


class ProcessProber:
    """Asks ProcessYields, ProcessEnded and SchedulingIs."""

    async def ask(self, probe: Probe) -> ProbeResult:
        match probe:
            case ProcessEnded():
                gone = alive(probe.pid, probe.started) is None
                return ProbeResult(
                    ok=gone, reason=_ended(probe.name, probe.pid) if gone else f"{probe.name} still runs"
                )
            case ProcessYields():
                return self._yields(probe)
            case SchedulingIs():
                ended = alive(probe.pid, probe.started) is None
                wrong = "" if ended else _wrong(probe.pid, probe.threads, probe.limits)
                return ProbeResult(ok=not wrong, reason=wrong or probe.describe())
        raise Refused(f"not a question about processes: {probe.describe()}")

    def _yields(self, probe: ProcessYields) -> ProbeResult:
        if alive(probe.pid, probe.started) is None:
            return ProbeResult(ok=True, reason=_ended(probe.name, probe.pid))
        if probe.cpu and not all(scheduling.is_idle(thread) for thread in scheduling.threads(probe.pid)):
            return ProbeResult(ok=False, reason=f"some threads of {probe.name} still compete for the processor")
        if probe.memory is not None and not _at_most(_limit(probe.pid), probe.memory):
            return ProbeResult(ok=False, reason=f"{probe.name} may still take more memory")
        return ProbeResult(ok=True, reason=probe.describe())


def alive(pid: int, started: int) -> Stat | None:
    """The process, where it is still the same and has not ended."""
    one = stat(pid)
    return one if one is not None and one.started == started and one.state not in "ZX" else None


def untouchable(one: Stat) -> str:
    """Why this process is never touched; empty where it may be."""
    if one.pid <= 1 or one.kernel or one.pid == os.getpid() or one.name in UNTOUCHABLE:
        return f"{one.name} (process {one.pid}) is never touched: the machine, or the way into it, depends on it"
    return ""


def _make_idle(pid: int) -> None:
    for _ in range(ROUNDS):
        competing = [thread for thread in scheduling.threads(pid) if not scheduling.is_idle(thread)]
        if not competing:
            return
        for thread in competing:
            scheduling.make_idle(thread)


def _scheduled(pid: int) -> tuple[ThreadScheduling, ...]:
    found = (scheduling.read(thread) for thread in scheduling.threads(pid))
    return tuple(thread for thread in found if thread is not None)


def _with_newcomers(pid: int, known: tuple[ThreadScheduling, ...]) -> list[ThreadScheduling]:
    """The threads as they were; those made since are scheduled as the first one was."""
    there = scheduling.threads(pid)
    by_thread = {thread.thread: thread for thread in known}
    if not known:
        return []
    first = by_thread.get(pid, known[0])
    return [
        by_thread.get(thread)
        or ThreadScheduling(thread=thread, policy=first.policy, priority=first.priority, nice=first.nice, io=first.io)
        for thread in there
    ]


def _wrong(pid: int, threads: tuple[ThreadScheduling, ...], limits: tuple[Limit, ...]) -> str:
    for limit in limits:
        if scheduling.limit(pid, limit.resource) != limit:
            return "its memory is limited otherwise than before"
    for wanted in _with_newcomers(pid, threads):
        now = scheduling.read(wanted.thread)
        if now is not None and now != wanted:
            return f"thread {wanted.thread} is scheduled otherwise than before"
    return ""


def _limit(pid: int) -> Limit:
    return scheduling.limit(pid, resource.RLIMIT_AS)


def _at_most(limit: Limit, most: int | None) -> bool:
    return most is None or (limit.soft != resource.RLIM_INFINITY and limit.soft <= most)


def _found(threads: tuple[ThreadScheduling, ...], limits: tuple[Limit, ...]) -> str:
    parts = [f"{len(threads)} threads that compete for the processor"] if threads else []
    if limits:
        parts.append("no limit of its memory" if limits[0].soft == resource.RLIM_INFINITY else "a higher limit")
    return " and ".join(parts)


def _ended(name: str, pid: int) -> str:
    return f"{name} (process {pid}) has ended"


async def _end(handle: int, action: EnsureProcessGone) -> str:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if await _ends(handle, action.patience):
            return f"{action.name} (process {action.pid}) ended when it was asked to"
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        await _ends(handle, timedelta(seconds=2))
    return f"{action.name} (process {action.pid}) was killed"


async def _ends(handle: int, patience: timedelta) -> bool:
    """Whether the process ends in that time. A pidfd becomes readable at that moment."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(patience.total_seconds()):
            await ended.wait()
        return True
    except TimeoutError:
        return bool(select.select([handle], [], [], 0)[0])
    finally:
        loop.remove_reader(handle)
