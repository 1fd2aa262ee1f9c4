"""Facts, actions and probes about processes. No driver here.

A process is named by its pid *and* the time it started (clock ticks since boot, field 22 of proc_pid_stat(5)): a pid
alone is soon another process.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from groundskeeper.model import Action, DeviceId, Fact, Probe, Radius, Risk, Value


class ProcessLoad(Fact, Value):
    """A process that takes a good part of a machine that is short of it. Told for the top few only.

    `cpu` is in cores over the last window (1.0 = one core all the time), and has been much since `cpu_since` (None
    where it is not). `cores` are those that may be used from here, `busy` the share of them in use (0 to 1), `waiting`
    the share of time in which some task waited for one (PSI; -1 where the kernel does not tell), `queue` how many tasks
    want one now. `growth` is resident bytes a second over the last window, steady since `growing_since`; `exhausts_in`
    the seconds until it would have eaten all `available` memory, None while it does not grow. `gone`: it ended.
    """

    pid: int
    started: int
    name: str
    unit: str = ""
    service: bool = False
    """Part of a service that is meant to stay, whose clients would feel it; not a job, a session, a transient unit."""
    realtime: bool = False
    """Scheduled before everything ordinary (sched(7)): it leaves the others nothing that it does not want to leave."""
    yields: bool = False
    """Runs only on what nobody else wants (SCHED_IDLE)."""
    cpu: float = 0.0
    cpu_since: datetime | None = None
    resident: int = 0
    virtual: int = 0
    """Bytes of address space."""
    growth: float = 0.0
    growing_since: datetime | None = None
    cores: int = 1
    busy: float = 0.0
    waiting: float = -1.0
    queue: int = 0
    available: int = 0
    exhausts_in: float | None = None
    gone: bool = False

    @property
    def subject(self) -> str:
        return f"{self.name}[{self.pid}]"


class OutOfMemoryKill(Fact, Value):
    """The kernel ended a process because memory ran out. `kills` counts those of this unit since the agent started."""

    unit: str
    process: str
    pid: int
    kills: int
    at: datetime

    @property
    def subject(self) -> str:
        return self.unit or self.process


class ThreadScheduling(Value):
    """How one thread was scheduled: policy and real-time priority (sched(7)), nice, I/O priority (ioprio_set(2))."""

    thread: int
    policy: int
    priority: int
    nice: int
    io: int


class Limit(Value):
    """A resource limit as getrlimit(2) gives it; -1 is none."""

    resource: int
    soft: int
    hard: int


class ProcessYields(Probe, Value):
    """Does each of its threads run only when nobody else wants the CPU (or its memory limit hold), or has it ended?"""

    pid: int
    started: int
    name: str
    cpu: bool = True
    memory: int | None = None

    def describe(self) -> str:
        return f"{self.name} (process {self.pid}) gives way to everything else"


class ProcessEnded(Probe, Value):
    pid: int
    started: int
    name: str

    def describe(self) -> str:
        return f"{self.name} (process {self.pid}) has ended"


class SchedulingIs(Probe, Value):
    """Is the process scheduled and limited as it was before (or has it ended)?"""

    pid: int
    started: int
    name: str
    threads: tuple[ThreadScheduling, ...] = ()
    limits: tuple[Limit, ...] = ()

    def describe(self) -> str:
        return f"{self.name} (process {self.pid}) runs as it did before"


class EnsureProcessCapped(Action, Value):
    """Containment: the process runs only on what nobody else wants (`cpu`), or cannot take more memory than `memory`
    bytes of address space. It keeps running; nothing it did is lost."""

    device: DeviceId
    pid: int
    started: int
    name: str
    cpu: bool = True
    memory: int | None = None
    lasts: timedelta = timedelta(minutes=15)

    @property
    def subject(self) -> str:
        return f"{self.name}[{self.pid}]"

    @property
    def expires_after(self) -> timedelta | None:
        return self.lasts

    def describe(self) -> str:
        if self.memory is not None:
            return f"{self.name} (process {self.pid}) cannot take more memory than it has"
        return f"{self.name} (process {self.pid}) runs only on CPU time that nobody else wants"

    def radius(self) -> Radius:
        return Radius(touches=(f"process:{self.name}",))

    def probe(self) -> Probe:
        return ProcessYields(pid=self.pid, started=self.started, name=self.name, cpu=self.cpu, memory=self.memory)


class EnsureScheduling(Action, Value):
    """The process is scheduled and limited as given: what `EnsureProcessCapped` found, put back thread by thread."""

    device: DeviceId
    pid: int
    started: int
    name: str
    threads: tuple[ThreadScheduling, ...] = ()
    limits: tuple[Limit, ...] = ()

    @property
    def subject(self) -> str:
        return f"{self.name}[{self.pid}]"

    def describe(self) -> str:
        return f"{self.name} (process {self.pid}) runs as it did before"

    def radius(self) -> Radius:
        return Radius(touches=(f"process:{self.name}",))

    def probe(self) -> Probe:
        return SchedulingIs(
            pid=self.pid, started=self.started, name=self.name, threads=self.threads, limits=self.limits
        )


class EnsureProcessGone(Action, Value):
    """The process has ended: asked first (SIGTERM), killed when it does not within `patience`."""

    device: DeviceId
    pid: int
    started: int
    name: str
    patience: timedelta = timedelta(seconds=2)

    risk: ClassVar[Risk] = Risk.IRREVERSIBLE

    @property
    def subject(self) -> str:
        return f"{self.name}[{self.pid}]"

    def describe(self) -> str:
        return f"{self.name} (process {self.pid}) has ended"

    def radius(self) -> Radius:
        return Radius(touches=(f"process:{self.name}",))

    def probe(self) -> Probe:
        return ProcessEnded(pid=self.pid, started=self.started, name=self.name)
