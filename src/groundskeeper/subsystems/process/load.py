"""From two looks at all processes to the few that matter. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from groundskeeper.subsystems.process.machine import Reading
from groundskeeper.subsystems.process.stat import Stat

MUCH = 0.2
"""Of one core: less is not looked at."""
GROWTH = 8 << 20
"""Bytes a second: slower growth gives people time enough."""
TOP = 5
SHORTEST, LONGEST = 0.2, 6.0
"""Seconds of a window from which a pace is read."""


class Window(NamedTuple):
    """The machine over the time between two looks. Shares are 0 to 1; `waiting` is -1 where it is not known."""

    span: float
    busy: float
    waiting: float
    queue: int
    available: int

    def short(self, cores: int) -> bool:
        """All that there is is used, and somebody waits for more."""
        return self.busy >= 0.9 and (self.waiting >= 0.1 or self.queue > cores)

    def might_be_short(self, cores: int) -> bool:
        """Whether it is worth looking who uses it: half is used, and now and then somebody waits."""
        return self.busy >= 0.5 and (self.waiting >= 0.03 or self.queue > cores)


class Share(NamedTuple):
    """What one process took over so many seconds: cores, and resident bytes a second."""

    stat: Stat
    cpu: float
    growth: float
    span: float


def starves(share: Share, window: Window, cores: int) -> bool:
    """Whether it takes much of a machine that is short of it.

    What has real-time priority does so before all cores are in use: whoever wants its own core waits, we too, and the
    next look may come late.
    """
    urgent = share.stat.realtime and share.cpu >= 0.5 and window.busy >= 0.3 and window.waiting >= 0.1
    return share.cpu >= MUCH and (window.short(cores) or urgent)


def between(before: Reading, after: Reading, span: float) -> Window:
    total = (after.busy - before.busy) + (after.idle - before.idle)
    known = before.waited >= 0 and after.waited >= 0 and span > 0
    return Window(
        span=span,
        busy=(after.busy - before.busy) / total if total > 0 else 0.0,
        waiting=(after.waited - before.waited) / span if known else -1.0,
        queue=after.queue,
        available=after.available,
    )


class Look(NamedTuple):
    """All processes at one moment, in seconds since boot."""

    at: float
    processes: Mapping[int, Stat]


def shares(before: Look | None, after: Look, ticks: int, page: int) -> dict[int, Share]:
    """What each process took since the look before, or since its start where that is young; no kernel threads.

    `ticks` a second, `page` bytes. A process that is neither known nor young is left out: nothing is known of its pace.
    """
    found = {}
    for pid, now in after.processes.items():
        then = before.processes.get(pid) if before else None
        if now.kernel:
            continue
        if before and then is not None and then.started == now.started and after.at - before.at >= SHORTEST:
            span, used, resident = after.at - before.at, then.used, then.resident
        else:
            span, used, resident = after.at - now.started / ticks, 0, 0
        if SHORTEST <= span <= LONGEST:
            found[pid] = Share(now, (now.used - used) / ticks / span, (now.resident - resident) * page / span, span)
    return found


def notable(found: Mapping[int, Share]) -> list[Share]:
    """The few that take most, of processor or of new memory."""
    by_cpu = sorted((one for one in found.values() if one.cpu >= MUCH), key=lambda one: -one.cpu)[:TOP]
    by_growth = sorted((one for one in found.values() if one.growth >= GROWTH), key=lambda one: -one.growth)[:TOP]
    return by_cpu + [one for one in by_growth if one not in by_cpu]


def unit_of(cgroup: str) -> str:
    """The unit to which a process belongs, from /proc/PID/cgroup (both hierarchies); empty where to none."""
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" or controllers == "name=systemd":
            parts = [part for part in path.split("/") if part.endswith((".service", ".scope"))]
            if parts:
                return parts[0]
    return ""
