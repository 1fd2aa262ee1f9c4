"""Which driver serves which kind. The only place where sensors, effects and probers are put together.

To add a capability: one function here, and its name in PARTS.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from groundskeeper.agent.home import Home
from groundskeeper.lib.clock import Clock
from groundskeeper.model import Action, Effect, Probe, Prober, Sensor
from groundskeeper.subsystems.disk.effects import AskingSpace, MakingSpace
from groundskeeper.subsystems.disk.sensor import FilesystemSensor
from groundskeeper.subsystems.disk.types import EnsureSpace, EnsureSpaceFromCaches, SpaceFree
from groundskeeper.subsystems.firewall.effects import SourceAccess, SourceAccessProber
from groundskeeper.subsystems.firewall.sensor import RefusalSensor
from groundskeeper.subsystems.firewall.table import Table
from groundskeeper.subsystems.firewall.types import (
    EnsureSourceAdmitted,
    EnsureSourceBanned,
    SourceAdmitted,
    SourceRefused,
)
from groundskeeper.subsystems.logs.sensor import SignInSensor
from groundskeeper.subsystems.network.effects import AddressEffect, LinkEffect, NeighbourEffect, RouteEffect
from groundskeeper.subsystems.network.prober import NetworkProber
from groundskeeper.subsystems.network.sensor import NetworkSensor
from groundskeeper.subsystems.network.types import (
    EnsureAddress,
    EnsureLinkDown,
    EnsureLinkUp,
    EnsureNeighbourFixed,
    EnsureNeighbourLearned,
    EnsureNoAddress,
    EnsureNoRoute,
    EnsureRoute,
    LinkIs,
    LinkReaches,
)
from groundskeeper.subsystems.pressure.sensor import PressureSensor
from groundskeeper.subsystems.process.effects import CapProcess, EndProcess, ProcessProber, RestoreScheduling
from groundskeeper.subsystems.process.kernel_log import OutOfMemorySensor
from groundskeeper.subsystems.process.sensor import LoadSensor
from groundskeeper.subsystems.process.types import (
    EnsureProcessCapped,
    EnsureProcessGone,
    EnsureScheduling,
    ProcessEnded,
    ProcessYields,
    SchedulingIs,
)
from groundskeeper.subsystems.resolver.effects import ResolverEffect, ResolverFileEffect, ResolverProber
from groundskeeper.subsystems.resolver.memory import ResolverMemory
from groundskeeper.subsystems.resolver.sensor import ResolverSensor
from groundskeeper.subsystems.resolver.types import EnsureResolver, EnsureResolverFile, NameResolves
from groundskeeper.subsystems.systemd.answers import AnswerSensor
from groundskeeper.subsystems.systemd.bus import Bus
from groundskeeper.subsystems.systemd.effects import (
    PauseProcesses,
    RestartStuckUnit,
    ResumeUnit,
    StartUnit,
    StopUnit,
    UnitProber,
)
from groundskeeper.subsystems.systemd.roster import Roster
from groundskeeper.subsystems.systemd.sensor import UnitSensor
from groundskeeper.subsystems.systemd.types import (
    EnsureUnitActive,
    EnsureUnitFresh,
    EnsureUnitInactive,
    EnsureUnitPaused,
    EnsureUnitResumed,
    ProcessesPaused,
    UnitHealthy,
    UnitResumed,
    UnitStopped,
)
from groundskeeper.subsystems.timekeeping.sensor import ClockSensor


class Shared(NamedTuple):
    """What several parts use together."""

    home: Home
    clock: Clock
    bus: Bus


class Drivers(NamedTuple):
    """What can be watched, done and asked on a machine. What is not possible here says so itself."""

    sensors: Sequence[Sensor] = ()
    effects: Mapping[type[Action], Effect] = {}
    probers: Mapping[type[Probe], Prober] = {}


def drivers(home: Home, clock: Clock) -> Drivers:
    """Everything that this version has."""
    shared = Shared(home, clock, Bus())
    parts = [part(shared) for part in PARTS]
    return Drivers(
        sensors=[sensor for part in parts for sensor in part.sensors],
        effects={kind: effect for part in parts for kind, effect in part.effects.items()},
        probers={kind: prober for part in parts for kind, prober in part.probers.items()},
    )


def _services(shared: Shared) -> Drivers:
    bus, roster = shared.bus, Roster()
    asking = UnitProber(bus)
    return Drivers(
        sensors=[UnitSensor(bus, shared.clock, roster), AnswerSensor(bus, shared.clock, roster)],
        effects={
            EnsureUnitActive: StartUnit(bus),
            EnsureUnitFresh: RestartStuckUnit(bus),
            EnsureUnitInactive: StopUnit(bus),
            EnsureUnitResumed: ResumeUnit(bus),
            EnsureUnitPaused: PauseProcesses(),
        },
        probers=dict.fromkeys((UnitHealthy, UnitStopped, UnitResumed, ProcessesPaused), asking),
    )


def _processes(shared: Shared) -> Drivers:
    asking = ProcessProber()
    return Drivers(
        sensors=[LoadSensor(shared.clock), OutOfMemorySensor(shared.clock)],
        effects={
            EnsureProcessCapped: CapProcess(),
            EnsureScheduling: RestoreScheduling(),
            EnsureProcessGone: EndProcess(),
        },
        probers=dict.fromkeys((ProcessYields, ProcessEnded, SchedulingIs), asking),
    )


def _disks(shared: Shared) -> Drivers:
    making = MakingSpace(shared.clock)
    return Drivers(
        sensors=[FilesystemSensor(shared.clock)],
        effects={EnsureSpace: making, EnsureSpaceFromCaches: making},
        probers={SpaceFree: AskingSpace()},
    )


def _pressure(shared: Shared) -> Drivers:
    return Drivers(sensors=[PressureSensor(shared.clock)])


def _clock(shared: Shared) -> Drivers:
    return Drivers(sensors=[ClockSensor(shared.clock)])


def _sign_ins(shared: Shared) -> Drivers:
    table = Table()
    access, asking = SourceAccess(table), SourceAccessProber(table)
    return Drivers(
        sensors=[SignInSensor(shared.clock), RefusalSensor(shared.clock, table)],
        effects={EnsureSourceBanned: access, EnsureSourceAdmitted: access},
        probers={SourceRefused: asking, SourceAdmitted: asking},
    )


def _network(shared: Shared) -> Drivers:
    link, address, route, neighbour = LinkEffect(), AddressEffect(shared.clock), RouteEffect(), NeighbourEffect()
    asking = NetworkProber()
    return Drivers(
        sensors=[NetworkSensor(shared.clock, shared.home.state / "network.json")],
        effects={
            EnsureLinkUp: link,
            EnsureLinkDown: link,
            EnsureAddress: address,
            EnsureNoAddress: address,
            EnsureRoute: route,
            EnsureNoRoute: route,
            EnsureNeighbourFixed: neighbour,
            EnsureNeighbourLearned: neighbour,
        },
        probers={LinkReaches: asking, LinkIs: asking},
    )


def _resolver(shared: Shared) -> Drivers:
    memory = ResolverMemory(shared.home.state / "resolver.json")
    return Drivers(
        sensors=[ResolverSensor(shared.clock, memory)],
        effects={EnsureResolver: ResolverEffect(memory), EnsureResolverFile: ResolverFileEffect()},
        probers={NameResolves: ResolverProber(memory)},
    )


PARTS: tuple[Callable[[Shared], Drivers], ...] = (
    _services,
    _processes,
    _disks,
    _sign_ins,
    _network,
    _resolver,
    _pressure,
    _clock,
)
