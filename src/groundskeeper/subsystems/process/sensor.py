"""Watches for processes that take the machine from everybody else.

While the machine has room, only the machine as a whole is looked at, once a second, in microseconds. Only when its
cores are nearly all in use, or its memory shrinks fast, every process is looked at, and the few that matter are told.
"""

import os
import resource
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import structs

from groundskeeper.lib.clock import Clock
from groundskeeper.model import Fact
from groundskeeper.subsystems.process.load import (
    GROWTH,
    MUCH,
    Look,
    Share,
    Window,
    between,
    notable,
    shares,
    starves,
    unit_of,
)
from groundskeeper.subsystems.process.machine import MachineFiles, Reading
from groundskeeper.subsystems.process.stat import Stat, stat
from groundskeeper.subsystems.process.types import ProcessLoad

PACE = timedelta(seconds=1)
HASTE = timedelta(seconds=0.5)
"""After the first look, which only remembers."""
LAZY = 4
"""Where a machine is busy for long and nothing is told, processes are looked at in every so many seconds only."""
SHRINKS = 32 << 20
"""Bytes a second that must vanish before all processes are looked at for who takes them."""
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()
JOBS = frozenset({"cron.service", "crond.service", "anacron.service", "atd.service", "ssh.service", "sshd.service"})
"""Services in whose control group other people's programs run."""


class LoadSensor:
    """Facts: ProcessLoad of the few processes that take most while the machine is short of it.

    `_told` are those that were told and take much still; `_calm` those that no longer do, but hold much memory.
    """

    name = "processes that run away"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[int, ProcessLoad] = {}
        self._calm: dict[int, ProcessLoad] = {}
        self._before: Look | None = None
        self._dull = 0

    async def run(self, seen: Callable[[Fact], None]) -> None:
        files = MachineFiles()
        try:
            await self._watch(files, seen)
        finally:
            files.close()

    async def _watch(self, files: MachineFiles, seen: Callable[[Fact], None]) -> None:
        at, before, pace = self._clock.elapsed(), files.read(), PACE
        while True:
            await self._clock.sleep(pace)
            now, after = self._clock.elapsed(), files.read()
            window = between(before, after, now - at)
            pace = PACE
            if self._worth_a_look(before, window, len(files.cores)):
                pace = HASTE if self._before is None else PACE
                self._look(Look(now, everyone()), window, len(files.cores), seen)
            else:
                self._before = None
            self._forget_ended(seen)
            at, before = now, after

    def _worth_a_look(self, before: Reading, window: Window, cores: int) -> bool:
        if self._told:
            return True
        shrinks = (before.available - window.available) / max(window.span, 0.1)
        if not window.might_be_short(cores) and shrinks < SHRINKS:
            self._dull = 0
            return False
        self._dull += 1
        return self._dull <= 2 * LAZY or self._dull % LAZY < 2

    def _look(self, look: Look, window: Window, cores: int, seen: Callable[[Fact], None]) -> None:
        taken = shares(self._before, look, TICKS, PAGE)
        self._before = look
        taken.pop(os.getpid(), None)
        for share in notable(taken):
            self._tell(share, window, cores, seen)
        for pid, told in list(self._told.items()):
            now = taken.get(pid)
            if now and now.stat.started == told.started and now.cpu < MUCH and now.growth < GROWTH:
                self._calm_down(told, now, window, seen)

    def _tell(self, share: Share, window: Window, cores: int, seen: Callable[[Fact], None]) -> None:
        """Told while the machine is short of what it takes; and from then on as long as it takes much."""
        told = self._told.get(share.stat.pid) or self._calm.pop(share.stat.pid, None)
        if told is not None and told.started != share.stat.started:
            told = None
        if told is None and not starves(share, window, cores) and share.growth < GROWTH:
            return
        fact = self._fact(share, told, window, cores, self._clock.now())
        if told is None or _differs(told, fact):
            seen(fact)
        self._told[share.stat.pid] = fact if told is None or _differs(told, fact) else told

    def _fact(self, share: Share, told: ProcessLoad | None, window: Window, cores: int, now: datetime) -> ProcessLoad:
        one, began = share.stat, now - timedelta(seconds=share.span)
        much, grows = starves(share, window, cores), share.growth >= GROWTH
        unit = told.unit if told else unit_of(_text(f"/proc/{one.pid}/cgroup"))
        return ProcessLoad(
            pid=one.pid,
            started=one.started,
            name=one.name,
            unit=unit,
            service=told.service if told else is_service(unit),
            realtime=one.realtime,
            yields=one.policy == os.SCHED_IDLE,
            cpu=round(share.cpu, 2),
            cpu_since=((told.cpu_since if told else None) or began) if much else None,
            resident=one.resident * PAGE,
            virtual=one.virtual,
            growth=share.growth if grows else 0.0,
            growing_since=((told.growing_since if told else None) or began) if grows else None,
            cores=cores,
            busy=round(window.busy, 2),
            waiting=round(window.waiting, 2),
            queue=window.queue,
            available=window.available,
            exhausts_in=window.available / share.growth if grows else None,
        )

    def _calm_down(self, told: ProcessLoad, share: Share, window: Window, seen: Callable[[Fact], None]) -> None:
        calm = structs.replace(
            told,
            cpu=round(share.cpu, 2),
            cpu_since=None,
            resident=share.stat.resident * PAGE,
            virtual=share.stat.virtual,
            growth=0.0,
            growing_since=None,
            exhausts_in=None,
            busy=round(window.busy, 2),
            available=window.available,
        )
        del self._told[told.pid]
        self._calm[told.pid] = calm
        seen(calm)

    def _forget_ended(self, seen: Callable[[Fact], None]) -> None:
        for known in (self._told, self._calm):
            for pid, told in list(known.items()):
                one = stat(pid)
                if one is None or one.started != told.started or one.state in "ZX":
                    del known[pid]
                    seen(
                        structs.replace(
                            told, gone=True, cpu=0.0, cpu_since=None, growth=0.0, growing_since=None, resident=0
                        )
                    )


def everyone() -> dict[int, Stat]:
    """Every process that may be seen from here."""
    with os.scandir("/proc") as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
    return {pid: found for pid in pids if (found := stat(pid)) is not None}


def is_service(unit: str) -> bool:
    """A unit that is meant to stay: not a scope, not transient (systemd-run), not one that runs other people's jobs."""
    if not unit.endswith(".service") or unit in JOBS or unit.startswith("user@"):
        return False
    return not Path(f"/run/systemd/transient/{unit}").exists()


def _differs(told: ProcessLoad, fact: ProcessLoad) -> bool:
    """Whether the judgement could be another: a figure that only wavers is no news."""
    return (
        abs(fact.cpu - told.cpu) > 0.25 * max(told.cpu, MUCH)
        or (fact.cpu_since is None) != (told.cpu_since is None)
        or (fact.growing_since is None) != (told.growing_since is None)
        or fact.resident > 1.2 * told.resident
        or abs(fact.busy - told.busy) > 0.2
        or (fact.realtime, fact.yields) != (told.realtime, told.yields)
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
