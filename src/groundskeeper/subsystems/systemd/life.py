"""One service's life as systemd's signals tell it: what state it is in, and who ended it. Pure.

Who ended it. systemd stops a unit by a *job* (systemctl, a dependency, shutdown); a unit that is killed, crashes or
ends by itself has none. The order of systemd's signals makes the two plain: a unit's own change is always sent before
the removal of the job that brought it about, with the job's number in it. So:

1. a unit that goes down with no job open was not asked to;
2. one that is down with a job open is held back until the job is removed: if it is then still down, the job `done`
   was a stop, and any other result a start that failed. (A restart is one job for both halves, so that its middle is
   never told; nor is the moment between somebody's order to start it and its start.)
"""

import signal
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from groundskeeper.subsystems.systemd.types import UnitFailures, UnitState

DOWN = frozenset({"failed", "inactive"})
RUNNING = frozenset({"active", "reloading", "refreshing"})
ENABLED = frozenset({"enabled", "enabled-runtime", "generated"})
KEPT = [
    "ActiveState",
    "SubState",
    "LoadState",
    "Result",
    "MainPID",
    "InvocationID",
    "StateChangeTimestamp",
    "NRestarts",
    "ExecMainCode",
    "ExecMainStatus",
    "ActiveEnterTimestampMonotonic",
    "InactiveEnterTimestampMonotonic",
]
WINDOW = timedelta(minutes=10)
MOST = 20
SETTLED_MICROSECONDS = 30_000_000
"""A plain process that ends well sooner than this may be one that is meant to end."""
OURS = "groundskeeper"
_WITHOUT_MAIN = {
    "exit-code": "it failed while it was being prepared to start",
    "signal": "it was ended while it was being prepared to start",
    "timeout": "it took too long to start",
    "resources": "what it needs to start could not be had",
    "start-limit-hit": "it was started too often",
}
"""By systemd's result, where its main process never ran (systemd.exec(5), $SERVICE_RESULT)."""


class Nature(NamedTuple):
    """What a service is meant to be; it changes only with its unit file."""

    type: str
    file_state: str = "static"
    transient: bool = False
    triggered_by: tuple[str, ...] = ()
    bus_name: str = ""

    def lasts(self, unit: str) -> bool:
        """A service that is meant to stay, and that is not ourselves."""
        if self.type == "oneshot" or self.transient or "@." in unit:
            return False
        return not unit.startswith(OURS)

    @property
    def on_demand(self) -> bool:
        return bool(self.triggered_by or self.bus_name)


class Life:
    """Fed with what systemd says, in its order; asked for facts afterwards."""

    def __init__(self, unit: str, nature: Nature, told: Mapping[str, Any], job: int = 0) -> None:
        self.unit = unit
        self.nature = nature
        self._told: dict[str, Any] = {name: told[name] for name in KEPT if name in told}
        self._jobs = {job} if job else set()
        self._by_request = self.active == "inactive" and self._told.get("Result", "success") == "success"
        self._ran = self.active in RUNNING
        self._failures: list[datetime] = []
        self.last_words: tuple[str, ...] = ()

    @property
    def active(self) -> str:
        return str(self._told.get("ActiveState", "inactive"))

    def resume(self, before: "Life") -> None:
        """Take over what was known of the same service before the connection broke."""
        self._failures, self.last_words = before._failures, before.last_words
        self._ran = self._ran or before._ran
        if before.active in RUNNING and self.active in DOWN:
            # It ended while nobody listened; that nobody asked for it cannot be ruled out, nor shown.
            return
        self._by_request = before._by_request and self.active in DOWN

    def hear(self, changed: Mapping[str, Any], now: datetime) -> bool:
        """Properties changed. True where the service has just failed."""
        was, was_sub = self.active, self._told.get("SubState")
        self._told.update((name, changed[name]) for name in KEPT if name in changed)
        if "Job" in changed:
            number = int(changed["Job"][0])
            self._jobs = {number} if number else set()
        if self.active in RUNNING:
            self._ran, self._by_request = True, False
        elif self.active in DOWN and was not in DOWN:
            self._by_request = False
            return not self._jobs and self._failed(now)
        elif self._told.get("SubState") == "auto-restart" != was_sub:
            return self._failed(now)
        return False

    def job_opened(self, number: int) -> None:
        self._jobs.add(number)

    def job_closed(self, number: int, result: str, now: datetime) -> bool:
        """A job of this unit was removed. True where the service has just failed."""
        self._jobs.discard(number)
        if self._jobs or self.active not in DOWN:
            return False
        self._by_request = result == "done"
        return not self._by_request and self._failed(now)

    def _failed(self, now: datetime) -> bool:
        """Note a failure of its own. A SIGKILL comes from outside (or from us, when it was stuck): starting helps."""
        told = self._told
        killed = (told.get("Result"), told.get("ExecMainStatus")) == ("signal", int(signal.SIGKILL))
        if killed or told.get("Result", "success") == "success":
            return False
        self._failures = [at for at in [*self._failures, now] if now - at < WINDOW][-MOST:]
        return True

    def failed_within(self, span: timedelta, now: datetime) -> int:
        return sum(now - at <= span for at in self._failures)

    @property
    def state(self) -> UnitState | None:
        """What it is now; None while a job is under way whose end will say why it is down."""
        if self._jobs and self.active in DOWN:
            return None
        told = self._told
        return UnitState(
            unit=self.unit,
            active=self.active,
            sub=str(told.get("SubState", "")),
            load=str(told.get("LoadState", "loaded")),
            result=str(told.get("Result", "success")),
            main_pid=int(told.get("MainPID", 0)),
            invocation=bytes(told.get("InvocationID", b"")).hex(),
            since=_moment(told.get("StateChangeTimestamp", 0)),
            wanted=self._wanted,
            stopped_by_request=self.active in DOWN and self._by_request,
            restarts=int(told.get("NRestarts", 0)),
            ending=self.ending if self.active not in RUNNING else "",
        )

    @property
    def failures(self) -> UnitFailures:
        return UnitFailures(unit=self.unit, times=tuple(self._failures), ending=self.ending, last_words=self.last_words)

    @property
    def ending(self) -> str:
        """How its main process ended, as waitid(2) tells it, in words; empty where it was asked to."""
        if self._by_request:
            return ""
        code, status = int(self._told.get("ExecMainCode", 0)), int(self._told.get("ExecMainStatus", 0))
        main = {
            1: "it ended by itself" if status == 0 else f"it ended by itself with error code {status}",
            2: f"it was ended by signal {_signal(status)}",
            3: f"it crashed with signal {_signal(status)}",
        }
        if str(self._told.get("Result")) == "oom-kill":
            return "the machine ended it because memory ran out"
        return main.get(code) or _WITHOUT_MAIN.get(str(self._told.get("Result")), "")

    @property
    def _wanted(self) -> bool:
        if not self.nature.lasts(self.unit):
            return False
        if self.nature.file_state not in ENABLED and (not self._ran or self.nature.on_demand):
            return False
        return not self._ended_as_meant

    @property
    def _ended_as_meant(self) -> bool:
        """A plain process that was not stopped, ended without an error, and did not run for long."""
        told = self._told
        ran = told.get("InactiveEnterTimestampMonotonic", 0) - told.get("ActiveEnterTimestampMonotonic", 0)
        return (
            self.active == "inactive"
            and self.nature.type in ("simple", "exec", "idle")
            and (told.get("Result", "success"), told.get("ExecMainCode"), told.get("ExecMainStatus"))
            == ("success", 1, 0)
            and ran < SETTLED_MICROSECONDS
        )


def _moment(microseconds: int) -> datetime | None:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC) if microseconds else None


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
