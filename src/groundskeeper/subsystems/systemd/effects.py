"""Starting, restarting, stopping and resuming services; and asking whether they are well.

No effect waits by sleeping: systemd tells when a job is done and when a unit changes.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from dbus_fast import Message

from groundskeeper.model import (
    Action,
    Already,
    Impossible,
    Needed,
    Probe,
    ProbeResult,
    Refused,
    Sight,
    Stale,
    Unavailable,
)
from groundskeeper.subsystems.process.stat import stat
from groundskeeper.subsystems.systemd.bus import (
    MANAGER,
    MANAGER_PATH,
    SERVICE,
    UNIT,
    Bus,
    unit_path,
)
from groundskeeper.subsystems.systemd.checks import unanswered
from groundskeeper.subsystems.systemd.life import DOWN, RUNNING
from groundskeeper.subsystems.systemd.members import processes
from groundskeeper.subsystems.systemd.types import (
    EnsureUnitActive,
    EnsureUnitFresh,
    EnsureUnitInactive,
    EnsureUnitPaused,
    EnsureUnitResumed,
    Paused,
    ProcessesPaused,
    UnitHealthy,
    UnitResumed,
    UnitStopped,
)

_PATIENCE = 40.0


class _Now(NamedTuple):
    load: str
    active: str
    sub: str
    invocation: str
    job: int


async def _state(bus: Bus, unit: str) -> _Now:
    """In about one round trip."""
    names = ("LoadState", "ActiveState", "SubState", "InvocationID", "Job")
    load, active, sub, invocation, job = await bus.gets(unit_path(unit), *((UNIT, name) for name in names))
    return _Now(load, active, sub, bytes(invocation).hex(), int(job[0]))


async def _state_and_obstacle(bus: Bus, unit: str) -> tuple[_Now, Impossible | None]:
    """What it is, and why it cannot be started, where it cannot. One round trip too: a stopped service counts them."""
    now, machine = await asyncio.gather(_state(bus, unit), bus.get(MANAGER_PATH, MANAGER, "SystemState"))
    if now.load == "masked":
        return now, Impossible(reason=f"{unit} was masked: somebody forbade that it be started")
    if now.load != "loaded":
        return now, Impossible(reason=f"systemd cannot load {unit} ({now.load})")
    if machine == "stopping":
        return now, Impossible(reason="this machine is shutting down")
    return now, None


class UnitJobs:
    """Asks systemd for a job and waits until it is done, whichever of the two is told first."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def start(self, unit: str, now: _Now, doomed: tuple[Paused, ...] = ()) -> None:
        """Start it; where it failed too often of late for systemd's taste, forget that and start it all the same.

        Only then: forgetting is a change of its own, and the way to a service that runs again is counted in
        milliseconds. That systemd did not even try shows in the invocation, which every try makes anew.
        """
        # systemd refuses to start what waits for its own restart; a restart cuts that wait short.
        member = "RestartUnit" if doomed or now.sub == "auto-restart" else "StartUnit"
        try:
            await self.run(member, unit, doomed)
        except Unavailable:
            if (await _state(self._bus, unit)).invocation != now.invocation:
                raise
            await self._bus.call("ResetFailedUnit", "s", unit)
            await self.run("StartUnit", unit)

    async def run(self, member: str, unit: str, doomed: tuple[Paused, ...] = ()) -> None:
        """Raises Unavailable where the job did not end well; the unit's own state says more then.

        `doomed`: the processes that are killed at once, instead of being asked to end and waited for: these very ones,
        for whoever ends when asked may have been replaced already. The job is asked for first, so that to everybody
        who listens this is a restart and no failure.
        """
        async with self._bus.signals(_of_jobs(unit)) as queue:
            [job] = await self._bus.call(member, "ss", unit, "replace")
            _signal_each(doomed, signal.SIGKILL)
            result = await self._result(queue, job)
        if result not in ("done", "skipped"):
            raise Unavailable(f"systemd could not start or stop {unit}: {result}", timedelta(seconds=1))

    async def _result(self, queue: "asyncio.Queue[Message | None]", job: str) -> str:
        try:
            async with asyncio.timeout(_PATIENCE):
                while (message := await queue.get()) is not None:
                    if message.body[1] == job:
                        return str(message.body[3])
        except TimeoutError as problem:
            raise Unavailable(f"systemd is still at it after {_PATIENCE:.0f} s", timedelta(seconds=5)) from problem
        raise Unavailable("the connection to the system bus was lost meanwhile", timedelta(seconds=1))


def _of_jobs(unit: str) -> Callable[[Message], bool]:
    return lambda message: message.member == "JobRemoved" and message.body[2] == unit


class StartUnit:
    """Effect of EnsureUnitActive."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._jobs = UnitJobs(bus)

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureUnitActive)
        now, obstacle = await _state_and_obstacle(self._bus, action.unit)
        if now.active in RUNNING:
            return Already(reason=f"{action.unit} is running")
        undo = EnsureUnitInactive(device=action.device, unit=action.unit)
        return obstacle or Needed(found=f"{action.unit} is {now.active} ({now.sub})", undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureUnitActive)
        await self._jobs.start(action.unit, await _state(self._bus, action.unit))
        return f"started {action.unit}"


class RestartStuckUnit:
    """Effect of EnsureUnitFresh."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._jobs = UnitJobs(bus)

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureUnitFresh)
        now, obstacle = await _state_and_obstacle(self._bus, action.unit)
        if now.active in RUNNING and now.invocation != action.not_invocation:
            return Already(reason=f"{action.unit} was started anew since")
        return obstacle or Needed(found=f"{action.unit} is {now.active} ({now.sub}) and still the one that was stuck")

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureUnitFresh)
        unit, now = action.unit, await _state(self._bus, action.unit)
        if now.active in RUNNING and now.invocation != action.not_invocation:
            return f"{unit} was started anew since"
        await self._jobs.start(unit, now, () if now.active in DOWN else await self._stuck(unit))
        return f"ended what was stuck of {unit} and started it anew"

    async def _stuck(self, unit: str) -> tuple[Paused, ...]:
        """The processes to be killed. Who keeps its sessions through a restart (ssh) keeps them here too."""
        path = unit_path(unit)
        mode = await self._bus.get(path, SERVICE, "KillMode")
        if mode in ("process", "none"):
            pids = [int(await self._bus.get(path, SERVICE, "MainPID"))]
        else:
            pids = list(processes(str(await self._bus.get(path, SERVICE, "ControlGroup"))))
        found = ((pid, stat(pid)) for pid in pids if pid > 1)
        return tuple(Paused(pid=pid, started=seen.started) for pid, seen in found if seen)


class StopUnit:
    """Effect of EnsureUnitInactive."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._jobs = UnitJobs(bus)

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureUnitInactive)
        now = await _state(self._bus, action.unit)
        if now.load != "loaded" or now.active in DOWN:
            return Already(reason=f"{action.unit} is stopped")
        undo = EnsureUnitActive(device=action.device, unit=action.unit) if now.active in RUNNING else None
        return Needed(found=f"{action.unit} is {now.active} ({now.sub})", undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureUnitInactive)
        await self._jobs.run("StopUnit", action.unit)
        return f"stopped {action.unit}"


class ResumeUnit:
    """Effect of EnsureUnitResumed."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureUnitResumed)
        paused = await _paused(self._bus, action.unit)
        if not paused:
            return Already(reason=f"no process of {action.unit} is paused")
        undo = EnsureUnitPaused(device=action.device, unit=action.unit, processes=paused)
        return Needed(found=f"paused: {', '.join(str(process.pid) for process in paused)}", undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureUnitResumed)
        paused = await _paused(self._bus, action.unit)
        _signal_each(paused, signal.SIGCONT)
        return f"let {', '.join(str(process.pid) for process in paused) or 'none'} of {action.unit} go on"


class PauseProcesses:
    """Effect of EnsureUnitPaused."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureUnitPaused)
        running = _running(action.processes)
        if not running:
            return Already(reason="they are paused, or have ended")
        return Needed(found=f"running: {', '.join(str(process.pid) for process in running)}")

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureUnitPaused)
        _signal_each(action.processes, signal.SIGSTOP)
        return f"paused {len(action.processes)} of the processes of {action.unit}"


async def _paused(bus: Bus, unit: str) -> tuple[Paused, ...]:
    group = str(await bus.get(unit_path(unit), SERVICE, "ControlGroup"))
    found = ((pid, stat(pid)) for pid in processes(group))
    return tuple(Paused(pid=pid, started=seen.started) for pid, seen in found if seen and seen.state == "T")


def _running(wanted: tuple[Paused, ...]) -> tuple[Paused, ...]:
    """Those that are the same processes still, and not paused."""
    found = ((process, stat(process.pid)) for process in wanted)
    return tuple(process for process, seen in found if seen and seen.started == process.started and seen.state != "T")


def _signal_each(wanted: tuple[Paused, ...], number: signal.Signals) -> None:
    """By pidfd, opened before the start time is compared: the pid cannot become another process in between."""
    for process in wanted:
        assert process.pid > 1
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(process.pid)
            try:
                seen = stat(process.pid)
                if seen and seen.started == process.started:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)


class UnitProber:
    """Asks UnitHealthy, UnitStopped, UnitResumed and ProcessesPaused."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def ask(self, probe: Probe) -> ProbeResult:
        match probe:
            case UnitHealthy():
                return await self._healthy(probe)
            case UnitStopped(unit=unit):
                now = await _state(self._bus, unit)
                stopped = now.load != "loaded" or now.active in DOWN
                return ProbeResult(ok=stopped, reason=f"{unit} is {'stopped' if stopped else now.active}")
            case UnitResumed(unit=unit):
                paused = len(await _paused(self._bus, unit))
                return ProbeResult(ok=not paused, reason=f"{paused or 'no'} processes of {unit} are paused")
            case ProcessesPaused(unit=unit, processes=named):
                running = len(_running(named))
                return ProbeResult(ok=not running, reason=f"{running or 'none'} of these processes of {unit} run")
        raise Refused(f"not a question about units: {probe.describe()}")

    async def _healthy(self, probe: UnitHealthy) -> ProbeResult:
        try:
            now = await _state(self._bus, probe.unit)
        except Stale:
            return ProbeResult(ok=False, reason=f"{probe.unit} is no longer known to systemd")
        if now.active not in RUNNING:
            # Down with no job open stays so: nobody but us would start it. (systemd's own restart is "activating".)
            hopeless = now.active in DOWN and not now.job
            return ProbeResult(ok=False, reason=f"{probe.unit} is {now.active}", hopeless=hopeless)
        if probe.not_invocation and now.invocation == probe.not_invocation:
            return ProbeResult(ok=False, reason=f"{probe.unit} is still the one that was stuck")
        for check in probe.checks:
            if trouble := await unanswered(check):
                return ProbeResult(ok=False, reason=f"{probe.unit} is running but {trouble}")
        answers = "".join(f" and {check.describe()}" for check in probe.checks)
        return ProbeResult(ok=True, reason=f"{probe.unit} is running{answers}")
