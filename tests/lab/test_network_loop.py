"""Something is taken from the network: how long a client far away feels it, and what the ledger says."""

import asyncio
import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Phase, Stage
from groundskeeper.runbooks.link_or_route_lost import LinkOrRouteLost, PutNetworkBack
from groundskeeper.subsystems.network.baseline import Limits
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
    NetworkBaseline,
)

from .netns import GATEWAY, MACHINE, inside, ip, machine_and_gateway
from .whole import DEVICE, ECHO_PORT, Home, Machine, at_home, client, echoing

FAR = "10.55.0.1"
"""An address behind the gateway, to which only the default route leads."""


@pytest.fixture
def far() -> Iterator[socket.socket]:
    with machine_and_gateway() as gateway:
        with inside(gateway):
            ip("address", "add", f"{FAR}/32", "dev", "lo")
            sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sending.bind((FAR, 0))
        yield sending


def machine() -> Machine:
    address, route = AddressEffect(SystemClock()), RouteEffect()
    effects = dict.fromkeys((EnsureLinkUp, EnsureLinkDown), LinkEffect())
    effects |= dict.fromkeys((EnsureAddress, EnsureNoAddress), address)
    effects |= dict.fromkeys((EnsureRoute, EnsureNoRoute), route)
    effects |= dict.fromkeys((EnsureNeighbourLearned, EnsureNeighbourFixed), NeighbourEffect())
    return Machine(effects, dict.fromkeys((LinkReaches, LinkIs), NetworkProber()))


def home(folder):
    rule = LinkOrRouteLost()
    sensor = NetworkSensor(SystemClock(), folder / "network.json", Limits(steady=timedelta(seconds=0.2)))
    return at_home(folder, sensor, machine(), [(rule, PutNetworkBack(rule))])


async def learned(here: Home) -> None:
    for _ in range(500):
        baseline = here.engine.snapshot.get(NetworkBaseline, "network", DEVICE)
        if baseline and len(baseline.routes) == 2:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(baseline)


async def settled(here: Home, incidents: int = 1) -> None:
    for _ in range(1000):
        found = await here.incidents()
        if len(found) >= incidents and all(i.phase in (Phase.WATCHING, Phase.RESOLVED) for i in found):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await here.told())


FAULTS = {
    "link switched off": [["link", "set", "host0", "down"]],
    "default route deleted": [["route", "del", "default"]],
    "address deleted": [["address", "del", f"{MACHINE}/24", "dev", "host0"]],
    "everything flushed": [["address", "flush", "dev", "host0"]],
    "the gateway's network thrown away": [["route", "add", "blackhole", "10.91.7.0/28"]],
    "half of the world thrown away": [["route", "add", "blackhole", "0.0.0.0/1"]],
    "the gateway led astray": [["route", "add", f"{GATEWAY}/32", "dev", "lo"], ["route", "flush", "cache"]],
    "the gateway's hardware address poisoned": [
        ["neighbour", "replace", GATEWAY, "lladdr", "02:00:de:ad:be:ef", "dev", "host0", "nud", "permanent"]
    ],
}


@pytest.mark.parametrize("name", FAULTS)
async def test_the_network_comes_back_before_anyone_notices(far, tmp_path, name):
    async with echoing(MACHINE), home(tmp_path) as here:
        await learned(here)
        with client(far, (MACHINE, ECHO_PORT)) as felt:
            await asyncio.sleep(0.2)
            began = time.monotonic()
            for command in FAULTS[name]:
                await asyncio.to_thread(ip, *command)
            await settled(here)
            await asyncio.sleep(0.3)
        gap = felt.gap_after(began)
        assert felt.answered[-1] > time.monotonic() - 0.25, await here.told()
        assert gap is not None
        assert gap < 600, await here.told()
        assert all(change.stage in (Stage.CONFIRMED, Stage.NOOP) for change in await here.changes()), await here.told()
        print(f"\n{name}: felt for {gap:.1f} ms")
