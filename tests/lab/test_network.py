"""The network on a real kernel: a machine and its gateway in namespaces of this test's own."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from groundskeeper.lib.clock import SystemClock
from groundskeeper.lib.netlink import ROUTE, Netlink, Overrun
from groundskeeper.model import Action, Already, DeviceId, Fact, Needed
from groundskeeper.subsystems.network import kernel, rtnetlink
from groundskeeper.subsystems.network.baseline import Limits
from groundskeeper.subsystems.network.effects import AddressEffect, LinkEffect, NeighbourEffect, RouteEffect
from groundskeeper.subsystems.network.prober import NetworkProber
from groundskeeper.subsystems.network.sensor import NetworkSensor
from groundskeeper.subsystems.network.types import (
    Address,
    Addresses,
    EnsureAddress,
    EnsureLinkUp,
    EnsureNeighbourLearned,
    EnsureNoRoute,
    EnsureRoute,
    GatewayReach,
    Link,
    LinkReaches,
    NetworkBaseline,
    Route,
    Routes,
)

from .netns import GATEWAY, GATEWAY6, MACHINE, MACHINE6, inside, ip, machine_and_gateway

CLOCK = SystemClock()
DEVICE = DeviceId("here")
QUICK = Limits(steady=timedelta(seconds=0.2))
DEFAULT = Route(destination="0.0.0.0/0", link="host0", via=GATEWAY, protocol=3)


@pytest.fixture
def gateway() -> Iterator[int]:
    with machine_and_gateway() as fd:
        yield fd


class Told:
    """The latest fact of each subject, and a way to wait for one."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def __call__(self, fact: Fact) -> None:
        self.facts.append(fact)

    def last(self, kind: type, subject: str) -> Fact | None:
        return next((f for f in reversed(self.facts) if isinstance(f, kind) and f.subject == subject), None)

    async def until(self, holds: Callable[[], bool], within: float = 5.0) -> None:
        deadline = time.monotonic() + within
        while not holds():
            assert time.monotonic() < deadline, f"not within {within} s; told: {self.facts[-6:]}"
            await asyncio.sleep(0.002)


@asynccontextmanager
async def sensing(store: Path | None = None, limits: Limits = QUICK) -> AsyncIterator[Told]:
    told = Told()
    running = asyncio.ensure_future(NetworkSensor(CLOCK, store, limits).run(told))
    try:
        yield told
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def expects(told: Told, route: Route = DEFAULT) -> bool:
    fact = told.last(NetworkBaseline, "network")
    return isinstance(fact, NetworkBaseline) and route in fact.routes


async def test_the_whole_state_is_told_first_then_each_change(gateway):
    async with sensing() as told:
        await told.until(lambda: told.last(GatewayReach, GATEWAY) is not None)
        link = told.last(Link, "host0")
        assert isinstance(link, Link)
        assert (link.up, link.carrier, link.kind) == (True, True, "veth")
        addresses = told.last(Addresses, "host0")
        assert isinstance(addresses, Addresses)
        assert f"{MACHINE}/24" in [address.address for address in addresses.addresses]
        ip("route", "add", "10.200.0.0/16", "via", GATEWAY)
        await told.until(lambda: any(r.destination == "10.200.0.0/16" for r in told.last(Routes, "routes").routes))
        with inside(gateway):
            ip("link", "set", "lan0", "down")
        await told.until(lambda: not told.last(Link, "host0").carrier)
        assert told.last(Link, "host0").up
        await told.until(lambda: not told.last(GatewayReach, GATEWAY).reachable)


async def test_routes_that_go_with_the_link_unannounced_are_seen_to_be_gone(gateway):
    async with sensing() as told:
        await told.until(lambda: expects(told))
        ip("link", "set", "host0", "down")
        await told.until(lambda: not told.last(Link, "host0").up)
        await told.until(lambda: told.last(Routes, "routes").routes == ())
        assert expects(told), "what is gone is still expected"


async def test_the_baseline_outlives_the_agent(gateway, tmp_path):
    store = tmp_path / "network.json"
    async with sensing(store) as told:
        await told.until(lambda: expects(told) and store.exists())
        await told.until(lambda: b'"0.0.0.0/0"' in store.read_bytes())
    ip("link", "set", "host0", "down")
    async with sensing(store) as told:
        await told.until(lambda: expects(told))
        fact = told.last(NetworkBaseline, "network")
        assert isinstance(fact, NetworkBaseline)
        assert fact.judged_from <= CLOCK.now(), "the same life of the machine: judged at once"


async def test_after_a_reboot_the_machine_first_gets_time_to_start(gateway, tmp_path):
    store = tmp_path / "network.json"
    async with sensing(store) as told:
        await told.until(lambda: store.exists() and b'"0.0.0.0/0"' in store.read_bytes())
    store.write_text(json.dumps({**json.loads(store.read_text()), "life": "another"}))
    ip("link", "set", "host0", "down")
    async with sensing(store, Limits(steady=timedelta(seconds=60))) as told:
        await told.until(lambda: expects(told))
        assert told.last(NetworkBaseline, "network").judged_from > CLOCK.now() + timedelta(seconds=30)
        dress_again()
        await told.until(lambda: told.last(NetworkBaseline, "network").judged_from <= CLOCK.now())


def dress_again() -> None:
    ip("link", "set", "host0", "up")
    ip("-6", "address", "add", f"{MACHINE6}/64", "dev", "host0", "nodad")
    ip("route", "add", "default", "via", GATEWAY)
    ip("-6", "route", "add", "default", "via", GATEWAY6)


@pytest.mark.parametrize("damaged", [b"", b"{", b'{"life": 3}', b"\xff\xfe"])
async def test_a_damaged_store_is_learned_anew(gateway, tmp_path, damaged):
    store = tmp_path / "network.json"
    store.write_bytes(damaged)
    async with sensing(store) as told:
        await told.until(lambda: expects(told))


async def test_what_a_running_program_takes_away_is_not_expected_any_more(gateway):
    async with sensing() as told:
        await told.until(lambda: expects(told))
        with Netlink(ROUTE) as daemon:  # its socket stays open, as a network daemon's does
            index = kernel.index_of("host0")
            daemon.batch((rtnetlink.drop_route(DEFAULT, index),))
            await told.until(lambda: not expects(told))


async def test_what_a_passing_command_takes_away_is_still_expected(gateway):
    async with sensing() as told:
        await told.until(lambda: expects(told))
        ip("route", "del", "default")
        await told.until(lambda: DEFAULT not in told.last(Routes, "routes").routes)
        await asyncio.sleep(0.05)
        assert expects(told)


async def test_a_flood_of_changes_loses_nothing(gateway):
    """More announcements than the socket holds: the state told at the end is the kernel's."""
    async with sensing() as told:
        await told.until(lambda: expects(told))
        index = kernel.index_of("host0")
        with Netlink(ROUTE) as daemon:
            for number in range(5_000):
                address = Address(address=f"10.99.{number % 200}.1/32")
                daemon.batch((rtnetlink.put_address(index, address, CLOCK.now()),))
        await told.until(lambda: len(told.last(Addresses, "host0").addresses) == 202, within=10)


def test_an_overrun_is_told(gateway):
    with Netlink(ROUTE, rtnetlink.GROUPS, room=4096) as deaf:
        for _ in range(200):
            ip_fast_flip()
        with pytest.raises(Overrun):
            for _ in range(100):
                deaf.receive()


def ip_fast_flip() -> None:
    index = kernel.index_of("host0")
    address = Address(address="10.98.0.1/32")
    kernel.tell(rtnetlink.put_address(index, address, CLOCK.now()))
    kernel.tell(rtnetlink.drop_address(index, address))


LINK_UP = EnsureLinkUp(device=DEVICE, link="host0", gateway=GATEWAY)
ADDRESS = EnsureAddress(
    device=DEVICE, link="host0", address=Address(address=f"{MACHINE}/24", label="host0"), gateway=GATEWAY
)
ROUTE_BACK = EnsureRoute(device=DEVICE, route=DEFAULT, gateway=GATEWAY)
BLACK = Route(destination="10.91.7.0/25", kind="blackhole", protocol=3)
NO_BLACK = EnsureNoRoute(device=DEVICE, route=BLACK, link="host0", gateway=GATEWAY)
NEIGHBOUR = EnsureNeighbourLearned(device=DEVICE, link="host0", gateway=GATEWAY)
BREAKS = {
    "link": (LINK_UP, ["link", "set", "host0", "down"]),
    "address": (ADDRESS, ["address", "flush", "dev", "host0"]),
    "route": (ROUTE_BACK, ["route", "del", "default"]),
    "wrong route in its place": (ROUTE_BACK, ["route", "replace", "default", "via", "10.91.7.99"]),
    "swallowing route": (NO_BLACK, ["route", "add", "blackhole", "10.91.7.0/25"]),
    "poisoned neighbour": (
        NEIGHBOUR,
        ["neighbour", "replace", GATEWAY, "lladdr", "02:00:de:ad:be:ef", "dev", "host0", "nud", "permanent"],
    ),
}


def effect_for(action: Action):
    for effect, marks in (
        (LinkEffect(), "Link"),
        (AddressEffect(CLOCK), "Address"),
        (RouteEffect(), "Route"),
        (NeighbourEffect(), "Neighbour"),
    ):
        if marks in type(action).__name__:
            return effect
    raise AssertionError(action)


def state() -> tuple:
    with kernel.opened() as asking:
        seen = kernel.look(asking)
    addresses = sorted(row.address.address for row in seen.addresses)
    return [(row.name, row.flags & 1) for row in seen.links.values()], addresses, seen.routes


@pytest.mark.parametrize("name", BREAKS)
async def test_each_action_repairs_can_run_twice_and_is_taken_back_exactly(gateway, name):
    action, command = BREAKS[name]
    effect = effect_for(action)
    assert isinstance(await effect.look(action), Already)
    ip(*command)
    broken = state()
    sight = await effect.look(action)
    assert isinstance(sight, Needed)
    assert sight.undo is not None
    await effect.apply(action)
    await effect.apply(action)
    assert isinstance(await effect.look(action), Already)
    answer = await NetworkProber().ask(action.probe())
    assert answer.ok, answer
    assert not isinstance(await effect_for(sight.undo).look(sight.undo), Already)
    await effect_for(sight.undo).apply(sight.undo)
    await effect_for(sight.undo).apply(sight.undo)
    assert isinstance(await effect_for(sight.undo).look(sight.undo), Already)
    assert state() == broken


async def test_a_dead_gateway_fails_the_probe_within_a_second(gateway):
    with inside(gateway):
        ip("address", "flush", "dev", "lan0")
    ip("neighbour", "flush", "dev", "host0")
    began = time.monotonic()
    answer = await NetworkProber().ask(LinkReaches(link="host0", gateway=GATEWAY))
    assert not answer.ok
    assert time.monotonic() - began < 1


async def test_a_gateway_that_died_behind_a_fresh_entry_is_not_called_alive(gateway):
    assert (await NetworkProber().ask(LinkReaches(link="host0", gateway=GATEWAY))).ok
    with inside(gateway):
        ip("address", "flush", "dev", "lan0")
    assert not (await NetworkProber().ask(LinkReaches(link="host0", gateway=GATEWAY))).ok


async def test_the_sixth_version_is_probed_as_well(gateway):
    assert (await NetworkProber().ask(LinkReaches(link="host0", gateway=GATEWAY6))).ok


async def test_a_silent_gateway_is_noticed_and_its_return_too(gateway):
    async with sensing() as told:
        await told.until(lambda: told.last(GatewayReach, GATEWAY) is not None)
        with inside(gateway):
            ip("address", "del", f"{GATEWAY}/24", "dev", "lan0")
        await told.until(lambda: not told.last(GatewayReach, GATEWAY).reachable, within=12)
        with inside(gateway):
            ip("address", "add", f"{GATEWAY}/24", "dev", "lan0")
        await told.until(lambda: told.last(GatewayReach, GATEWAY).reachable, within=5)
