"""Which driver serves which kind. The only place where sensors and effects are put together.

To add a capability: its sensor, its effects and its probers, one line each.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from groundskeeper.agent.home import Home
from groundskeeper.lib.clock import Clock
from groundskeeper.model import Action, Effect, Probe, Prober, Sensor
from groundskeeper.subsystems.disk.effects import AskingSpace, MakingSpace
from groundskeeper.subsystems.disk.sensor import FilesystemSensor
from groundskeeper.subsystems.disk.types import EnsureSpace, EnsureSpaceFromCaches, SpaceFree
from groundskeeper.subsystems.firewall.effects import SourceAccess, SourceAccessProber
from groundskeeper.subsystems.firewall.table import Table
from groundskeeper.subsystems.firewall.types import (
    EnsureSourceAdmitted,
    EnsureSourceBanned,
    SourceAdmitted,
    SourceRefused,
)
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


class Drivers(NamedTuple):
    sensors: list[Sensor]
    effects: dict[type[Action], Effect]
    probers: dict[type[Probe], Prober]
    close: Callable[[], Awaitable[None]]


def drivers(home: Home, clock: Clock) -> Drivers:
    """Everything that this version can watch, do and ask on a machine. What is not possible here says so itself."""
    space, table = MakingSpace(clock), Table()
    access = SourceAccess(table)
    refused = SourceAccessProber(table)
    link, address, route, neighbour = LinkEffect(), AddressEffect(clock), RouteEffect(), NeighbourEffect()
    reaching = NetworkProber()

    async def close() -> None:
        pass

    return Drivers(
        sensors=[
            FilesystemSensor(clock),
            NetworkSensor(clock, home.state / "network.json"),
        ],
        effects={
            EnsureSpace: space,
            EnsureSpaceFromCaches: space,
            EnsureSourceBanned: access,
            EnsureSourceAdmitted: access,
            EnsureLinkUp: link,
            EnsureLinkDown: link,
            EnsureAddress: address,
            EnsureNoAddress: address,
            EnsureRoute: route,
            EnsureNoRoute: route,
            EnsureNeighbourFixed: neighbour,
            EnsureNeighbourLearned: neighbour,
        },
        probers={
            SpaceFree: AskingSpace(),
            SourceRefused: refused,
            SourceAdmitted: refused,
            LinkReaches: reaching,
            LinkIs: reaching,
        },
        close=close,
    )
