"""What is seen now, as a few gauges that a person takes in at a glance. Pure."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import Enum

from groundskeeper.cli.words import BAD, GOOD, QUIET, WARN
from groundskeeper.lib.figures import counted, size, span
from groundskeeper.model import Snapshot, Value
from groundskeeper.subsystems.disk.types import Filesystem
from groundskeeper.subsystems.logs.types import AuthFailures
from groundskeeper.subsystems.network.types import Addresses, GatewayReach, Link
from groundskeeper.subsystems.pressure.types import Pressure
from groundskeeper.subsystems.process.types import ProcessLoad
from groundskeeper.subsystems.systemd.types import ServiceAnswers, UnitState
from groundskeeper.subsystems.timekeeping.types import ClockSync

MOST_DISKS = 3
MUCH = 0.5
"""Cores; a process that takes less is no news, however short the machine is."""
SOON = timedelta(hours=1)
ALMOST_FULL, FULL = 0.90, 0.97
NAMED = 3
RESOURCES = {"cpu": "processor", "io": "disk"}
IN_MEMORY = frozenset({"tmpfs", "overlay"})


class Level(Enum):
    """How well something is, for the mark and the colour."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


COLOURS = {Level.GOOD: GOOD, Level.WARN: WARN, Level.BAD: BAD, Level.OFF: QUIET}


class Gauge(Value, tag=False):
    """One line. `share` (0 to 1) is drawn as a bar, where there is one."""

    name: str
    level: Level
    text: str
    share: float | None = None


def gauges(snapshot: Snapshot) -> list[Gauge]:
    """Every gauge for which something was seen, in the order in which people ask."""
    return [gauge for read in READ for gauge in read(snapshot)]


def _services(snapshot: Snapshot) -> Iterator[Gauge]:
    wanted = (unit for _, unit in snapshot.of(UnitState) if unit.wanted)
    kept = [unit for unit in wanted if not (unit.down and unit.stopped_by_request)]
    if not kept:
        return
    silent = {fact.unit for _, fact in snapshot.of(ServiceAnswers) if not fact.ok}
    down = sorted(unit.unit for unit in kept if unit.down)
    hung = sorted(unit.unit for unit in kept if unit.running and unit.unit in silent)
    if not down and not hung:
        words = f"{len(kept)} run, as they should" if len(kept) > 1 else f"{kept[0].unit} runs"
        yield Gauge(name="services", level=Level.GOOD, text=words)
        return
    parts = [f"{_named(down)} not running"] if down else []
    parts += [f"{_named(hung)} not answering"] if hung else []
    yield Gauge(name="services", level=Level.BAD, text=f"{'; '.join(parts)} (of {len(kept)})")


def _disks(snapshot: Snapshot) -> Iterator[Gauge]:
    by_source: dict[str, Filesystem] = {}
    for _, disk in snapshot.of(Filesystem):
        if disk.mounted and disk.size and disk.meant_writable and disk.kind not in IN_MEMORY:
            known = by_source.get(disk.source)
            if known is None or len(disk.mount) < len(known.mount):
                by_source[disk.source] = disk
    fullest = sorted(by_source.values(), key=lambda disk: disk.available / disk.size)
    for disk in sorted(fullest[:MOST_DISKS], key=lambda disk: disk.mount):
        yield _disk(disk)


def _disk(disk: Filesystem) -> Gauge:
    if not disk.answers:
        return Gauge(name=disk.mount, level=Level.WARN, text="its server does not answer")
    share = 1 - disk.available / disk.size
    words, level = f"{100 * share:.0f} % full, {size(disk.available)} free", Level.GOOD
    if share >= ALMOST_FULL:
        level = Level.BAD if share >= FULL else Level.WARN
    if disk.full_in is not None and disk.full_in < SOON:
        words += f", full in {span(disk.full_in)}"
    if disk.read_only:
        words, level = f"read-only; {words}", Level.BAD
    return Gauge(name=disk.mount, level=level, text=words, share=share)


def _load(snapshot: Snapshot) -> Iterator[Gauge]:
    known = [fact for _, fact in snapshot.of(Pressure)]
    busy = [fact for _, fact in snapshot.of(ProcessLoad) if not fact.gone]
    now = snapshot.taken_at
    short = [f"short of {_resource(fact)} for {span(now - fact.since)}" for fact in known if fact.high]
    top = max(busy, key=lambda fact: fact.cpu, default=None)
    if top and (top.cpu >= MUCH or top.exhausts_in is not None):
        short.append(f"{top.name} takes {top.cpu:.1f} of {top.cores} cores and {size(top.resident)}")
    if short:
        level = Level.WARN if any(fact.high for fact in known) else Level.GOOD
        yield Gauge(name="load", level=level, text="; ".join(short))
    elif known:
        named = _named([_resource(fact) for fact in known])
        yield Gauge(name="load", level=Level.GOOD, text=f"{named}: enough")


def _resource(fact: Pressure) -> str:
    return RESOURCES.get(fact.resource, fact.resource)


def _network(snapshot: Snapshot) -> Iterator[Gauge]:
    gateways = [fact for _, fact in snapshot.of(GatewayReach)]
    addressed = {fact.link for _, fact in snapshot.of(Addresses) if fact.addresses}
    links = [link for _, link in snapshot.of(Link) if link.present and link.name in addressed and link.name != "lo"]
    connected = sorted(link.name for link in links if link.up and link.carrier)
    lost = sorted(link.name for link in links if not (link.up and link.carrier))
    if not links and not gateways:
        return
    answering = [fact.gateway for fact in gateways if fact.reachable]
    silent = [fact.gateway for fact in gateways if not fact.reachable]
    parts = [f"{_named(connected)} connected"] if connected else []
    parts += [f"{_named(lost)} not connected"] if lost else []
    parts += [f"gateway {_named(silent)} silent"] if silent else []
    parts += [f"gateway {_named(answering)} answers"] if answering else []
    level = Level.WARN if silent else Level.GOOD
    if (silent and not answering) or (links and not connected):
        level = Level.BAD
    yield Gauge(name="network", level=level, text=", ".join(parts))


def _sign_ins(snapshot: Snapshot) -> Iterator[Gauge]:
    failing = [fact for _, fact in snapshot.of(AuthFailures)]
    recent = sum(any((snapshot.taken_at - time).total_seconds() < 600 for time in fact.times) for fact in failing)
    if recent:
        words = f"failed from {counted(recent, 'address')}".replace("addresss", "addresses")
        yield Gauge(name="sign-ins", level=Level.WARN, text=f"{words} in the last ten minutes")


def _clock(snapshot: Snapshot) -> Iterator[Gauge]:
    for _, fact in snapshot.of(ClockSync):
        if fact.belongs_to:
            yield Gauge(name="clock", level=Level.GOOD, text=f"kept by {fact.belongs_to}")
        elif fact.synchronised:
            off = abs(fact.offset.total_seconds()) * 1000
            yield Gauge(name="clock", level=Level.GOOD, text=f"kept right, {off:.1f} ms off")
        else:
            yield Gauge(name="clock", level=Level.WARN, text="nothing keeps it right")


READ: tuple[Callable[[Snapshot], Iterator[Gauge]], ...] = (_services, _disks, _load, _network, _sign_ins, _clock)


def _named(names: list[str]) -> str:
    """a, b and c; or, of many, a, b, c and 4 more."""
    shown, more = names[:NAMED], len(names) - NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
