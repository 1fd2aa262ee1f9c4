"""Facts, actions and probes about systemd's units. No driver here."""

from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar

from groundskeeper.model import Action, DeviceId, Fact, Probe, Radius, Risk, Value

ACCESS_UNITS = frozenset({"ssh.service", "sshd.service", "dropbear.service"})
"""Units by which people reach the machine: touching one touches the way in."""


STARTING = timedelta(seconds=45)
"""How long a service may take to start and to answer: a database may have to recover first."""


class UnitState(Fact, Value):
    """One service as systemd sees it. `active` and `sub` are systemd's own words (org.freedesktop.systemd1(5)).

    `wanted`: meant to run all the time (enabled, or seen running), and of a kind that does: no one-shot, no template,
    nothing that is started on demand and ends by itself. `stopped_by_request`: it ended by one of systemd's jobs
    (systemctl, a dependency, shutdown); also where it lay stopped without a failure before we first looked, since who
    stopped it is not known then. `ending` says in plain words how its main process ended, empty while it runs.
    """

    unit: str
    active: str
    sub: str
    load: str = "loaded"
    result: str = "success"
    main_pid: int = 0
    invocation: str = ""
    since: datetime | None = None
    wanted: bool = False
    stopped_by_request: bool = False
    restarts: int = 0
    ending: str = ""

    @property
    def subject(self) -> str:
        return self.unit

    @property
    def running(self) -> bool:
        return self.active in ("active", "reloading", "refreshing")

    @property
    def down(self) -> bool:
        """Stopped or failed, and nobody is on the way to start it."""
        return self.active in ("failed", "inactive")


class UnitFailures(Fact, Value):
    """When a service failed, oldest first: the last ten minutes, at most 20.

    A stop that was asked for is no failure, nor is a SIGKILL: no program does that to itself, and one that was killed
    from outside is well again once it is started. (Killed for want of memory is a failure: that comes back.)
    `last_words` are the newest lines of its log, fetched only when it fails again and again.
    """

    unit: str
    times: tuple[datetime, ...]
    ending: str = ""
    last_words: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.unit


class Speaks(Enum):
    """How a listening service shows that it is alive, beyond accepting a connection."""

    NOTHING = "nothing"
    """Only that it accepts."""
    HTTP = "http"
    GREETING = "greeting"
    """It speaks first (SSH, SMTP, FTP …)."""
    POSTGRESQL = "postgresql"
    DNS = "dns"
    """A query over UDP."""


class Check(Value):
    """One question to a service on this machine, learned from what it listens on. `address` is where to ask."""

    address: str
    port: int
    speaks: Speaks = Speaks.NOTHING

    def describe(self) -> str:
        way = {
            Speaks.NOTHING: "accepts connections",
            Speaks.HTTP: "answers web requests",
            Speaks.GREETING: "greets whoever connects",
            Speaks.POSTGRESQL: "answers database clients",
            Speaks.DNS: "answers name queries",
        }[self.speaks]
        return f"{way} on port {self.port}"


class ServiceAnswers(Fact, Value):
    """Whether a running service answers on the ports it listens on. `failing_since` is when it first did not.

    `paused` are its processes that somebody stopped (SIGSTOP) without ending them: systemd still calls it active.
    """

    unit: str
    checks: tuple[Check, ...]
    ok: bool
    reason: str
    failing_since: datetime | None = None
    invocation: str = ""
    paused: tuple[int, ...] = ()

    @property
    def subject(self) -> str:
        return self.unit


class UnitHealthy(Probe, Value):
    """Is it active, under another invocation than `not_invocation`, and does each learned check answer?"""

    unit: str
    checks: tuple[Check, ...] = ()
    not_invocation: str = ""

    def describe(self) -> str:
        return f"{self.unit} is running" + "".join(f" and {check.describe()}" for check in self.checks)


class UnitStopped(Probe, Value):
    unit: str

    def describe(self) -> str:
        return f"{self.unit} is stopped"


class UnitResumed(Probe, Value):
    """Is none of its processes paused?"""

    unit: str

    def describe(self) -> str:
        return f"no process of {self.unit} is paused"


def _radius(unit: str) -> Radius:
    return Radius(touches=(f"unit:{unit}",), management=unit in ACCESS_UNITS)


class EnsureUnitActive(Action, Value):
    """The service runs. Its failures so far are forgotten, so that systemd's start limit does not stand in the way."""

    device: DeviceId
    unit: str
    checks: tuple[Check, ...] = ()

    probation: ClassVar[timedelta] = STARTING
    hold: ClassVar[timedelta] = timedelta(seconds=1)

    @property
    def subject(self) -> str:
        return self.unit

    def describe(self) -> str:
        return f"{self.unit} is running"

    def radius(self) -> Radius:
        return Radius(touches=(f"unit:{self.unit}",))

    def probe(self) -> Probe:
        return UnitHealthy(unit=self.unit, checks=self.checks)


class EnsureUnitFresh(Action, Value):
    """The service runs under another invocation than the one that was found to be stuck: a restart, named as a target.

    What is stuck is killed at once, not asked to stop: a process that cannot answer its clients will not act on a
    polite request either, and systemd would wait 90 s for it.
    """

    device: DeviceId
    unit: str
    not_invocation: str
    checks: tuple[Check, ...] = ()

    risk: ClassVar[Risk] = Risk.DISRUPTIVE
    probation: ClassVar[timedelta] = STARTING
    hold: ClassVar[timedelta] = timedelta(seconds=1)

    @property
    def subject(self) -> str:
        return self.unit

    def describe(self) -> str:
        return f"{self.unit} is restarted and answers"

    def radius(self) -> Radius:
        return Radius(touches=(f"unit:{self.unit}",))

    def probe(self) -> Probe:
        return UnitHealthy(unit=self.unit, checks=self.checks, not_invocation=self.not_invocation)


class Paused(Value):
    """A paused process, by pid and start (clock ticks since boot), so that it is never another."""

    pid: int
    started: int


class EnsureUnitResumed(Action, Value):
    """None of the service's processes is paused: those that are go on where they stood, and no connection is lost."""

    device: DeviceId
    unit: str

    @property
    def subject(self) -> str:
        return self.unit

    def describe(self) -> str:
        return f"no process of {self.unit} is paused"

    def radius(self) -> Radius:
        return Radius(touches=(f"unit:{self.unit}",))

    def probe(self) -> Probe:
        return UnitResumed(unit=self.unit)


class EnsureUnitPaused(Action, Value):
    """These processes of the service are paused: the inverse of `EnsureUnitResumed`, never proposed by itself."""

    device: DeviceId
    unit: str
    processes: tuple[Paused, ...]

    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    @property
    def subject(self) -> str:
        return self.unit

    def describe(self) -> str:
        return f"{len(self.processes)} processes of {self.unit} are paused, as they were found"

    def radius(self) -> Radius:
        return _radius(self.unit)

    def probe(self) -> Probe:
        return ProcessesPaused(unit=self.unit, processes=self.processes)


class ProcessesPaused(Probe, Value):
    unit: str
    processes: tuple[Paused, ...]

    def describe(self) -> str:
        return f"{len(self.processes)} processes of {self.unit} are paused"


class EnsureUnitInactive(Action, Value):
    """The service is stopped."""

    device: DeviceId
    unit: str

    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    @property
    def subject(self) -> str:
        return self.unit

    def describe(self) -> str:
        return f"{self.unit} is stopped"

    def radius(self) -> Radius:
        return _radius(self.unit)

    def probe(self) -> Probe:
        return UnitStopped(unit=self.unit)
