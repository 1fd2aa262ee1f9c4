"""Refusing a source, on the kernel's own nftables, in two network namespaces joined by a wire."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median

import pytest

from groundskeeper.lab.namespaces import enter, new_network_namespace
from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Already, DeviceId, Impossible, Needed, Refused
from groundskeeper.subsystems.firewall.effects import SourceAccess, SourceAccessProber
from groundskeeper.subsystems.firewall.sensor import RefusalSensor
from groundskeeper.subsystems.firewall.table import Table, placed
from groundskeeper.subsystems.firewall.types import (
    EnsureSourceAdmitted,
    EnsureSourceBanned,
    SourceAdmitted,
    SourceRefusal,
    SourceRefused,
)

ATTACKER = {4: "10.99.0.66", 6: "2001:db8:99:1::66"}
NEIGHBOUR = {4: "10.99.0.67", 6: "2001:db8:99:2::67"}
SERVER = {4: "10.99.0.1", 6: "2001:db8:99::1"}
WEB_1 = DeviceId("web-1")


class Wire:
    """A server and an attacker (with a neighbour's address as well), each in its own network namespace."""

    def __init__(self) -> None:
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.server = new_network_namespace()
        self.attacker = new_network_namespace()
        self._join()
        with self.inside(self.server):
            self.table = Table()
            self.table.in_force()  # opens its socket here
            self.listener = socket.create_server(("::", 7022), family=socket.AF_INET6, dualstack_ipv6=True)
        # A fresh wire loses the first neighbour solicitations: use it once before anything is measured on it
        assert all(any(self.gets_in(source) for _ in range(4)) for source in (*ATTACKER.values(), *NEIGHBOUR.values()))

    def _join(self) -> None:
        with self.inside(self.server):
            self.ip(f"link add gks type veth peer name gka netns /proc/{os.getpid()}/fd/{self.attacker}")
            self.ip(f"addr add {SERVER[4]}/24 dev gks")
            self.ip(f"addr add {SERVER[6]}/48 dev gks nodad")
            self.ip("link set gks up")
        with self.inside(self.attacker):
            for who in (ATTACKER, NEIGHBOUR):
                self.ip(f"addr add {who[4]}/24 dev gka")
                self.ip(f"addr add {who[6]}/48 dev gka nodad")
            self.ip("link set gka up")

    @staticmethod
    def ip(words: str) -> None:
        subprocess.run(["ip", *words.split()], check=True)

    @contextmanager
    def inside(self, namespace: int) -> Iterator[None]:
        enter(namespace)
        try:
            yield
        finally:
            enter(self.home)

    def connect(self, source: str) -> socket.socket:
        """A connection to the server from that address. OSError where it is refused."""
        with self.inside(self.attacker):
            there = SERVER[6 if ":" in source else 4]
            return socket.create_connection((there, 7022), timeout=1.0, source_address=(source, 0))

    def gets_in(self, source: str) -> bool:
        try:
            self.connect(source).close()
        except (ConnectionRefusedError, TimeoutError):
            return False
        self.listener.accept()[0].close()
        return True

    def nft(self, *words: str) -> str:
        with self.inside(self.server):
            return subprocess.run(["nft", *words], check=True, capture_output=True, text=True).stdout

    def close(self) -> None:
        self.listener.close()
        self.table.close()
        for namespace in (self.server, self.attacker, self.home):
            os.close(namespace)


@pytest.fixture(scope="module")
def same_wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


@pytest.fixture
def wire(same_wire: Wire) -> Iterator[Wire]:
    yield same_wire
    same_wire.table.remove_all()


def ban(source: str, seconds: float = 60) -> EnsureSourceBanned:
    return EnsureSourceBanned(
        device=WEB_1, source=source, duration=timedelta(seconds=seconds), reason="5 failed sign-ins"
    )


def admit(source: str) -> EnsureSourceAdmitted:
    return EnsureSourceAdmitted(device=WEB_1, source=source)


@pytest.mark.parametrize("family", [4, 6])
async def test_a_banned_source_is_refused_at_once_and_its_neighbour_is_not(wire, family):
    assert wire.gets_in(ATTACKER[family])
    await SourceAccess(wire.table).apply(ban(ATTACKER[family]))
    began = time.monotonic()
    assert not wire.gets_in(ATTACKER[family])
    assert time.monotonic() - began < 0.5, "it should be told so, not left to wait"
    assert wire.gets_in(NEIGHBOUR[family])


@pytest.mark.parametrize("family", [4, 6])
async def test_a_ban_cuts_connections_that_are_open(wire, family):
    theirs = wire.connect(ATTACKER[family])
    ours = wire.listener.accept()[0]
    neighbour = wire.connect(NEIGHBOUR[family])
    for_neighbour = wire.listener.accept()[0]
    with wire.inside(wire.server):
        said = await SourceAccess(wire.table).apply(ban(ATTACKER[family]))
    assert "1 open connection ended" in said
    with pytest.raises(ConnectionAbortedError):
        ours.recv(1)
    theirs.settimeout(1.0)
    with pytest.raises(ConnectionResetError):
        theirs.recv(1)
    neighbour.send(b"x")
    assert for_neighbour.recv(1) == b"x"
    for each in (theirs, ours, neighbour, for_neighbour):
        each.close()


@pytest.mark.parametrize("family", [4, 6])
async def test_the_kernel_ends_the_ban_by_itself(wire, family):
    await SourceAccess(wire.table).apply(ban(ATTACKER[family], seconds=0.4))
    assert not wire.gets_in(ATTACKER[family])
    await asyncio.sleep(0.5)
    assert wire.gets_in(ATTACKER[family])
    assert isinstance(await SourceAccess(wire.table).look(admit(ATTACKER[family])), Already)


async def test_a_whole_v6_network_is_refused_and_the_next_one_is_not(wire):
    await SourceAccess(wire.table).apply(ban("2001:db8:99:1::/64"))
    assert not wire.gets_in(ATTACKER[6])
    assert wire.gets_in(NEIGHBOUR[6])


async def test_look_tells_what_undoes_it_and_undoing_lets_the_source_in(wire):
    access = SourceAccess(wire.table)
    sight = await access.look(ban(ATTACKER[4]))
    assert isinstance(sight, Needed)
    assert sight.undo == admit(ATTACKER[4])
    await access.apply(ban(ATTACKER[4]))
    assert isinstance(await access.look(ban(ATTACKER[4])), Already)
    await access.apply(sight.undo)
    assert wire.gets_in(ATTACKER[4])
    assert isinstance(await access.look(sight.undo), Already)
    assert await access.apply(sight.undo), "twice is as good as once"


async def test_a_longer_ban_takes_the_place_of_a_shorter_and_its_undo_is_the_shorter(wire):
    access = SourceAccess(wire.table)
    await access.apply(ban(ATTACKER[4], 60))
    sight = await access.look(ban(ATTACKER[4], 600))
    assert isinstance(sight, Needed)
    assert isinstance(sight.undo, EnsureSourceBanned)
    assert sight.undo.reason == "5 failed sign-ins"
    assert timedelta(seconds=55) < sight.undo.duration <= timedelta(seconds=60)
    await access.apply(ban(ATTACKER[4], 600))
    assert isinstance(await access.look(ban(ATTACKER[4], 600)), Already)


async def test_the_probes_tell_the_truth_also_when_somebody_empties_the_chain(wire):
    prober = SourceAccessProber(wire.table)
    refused, admitted = SourceRefused(source=ATTACKER[4]), SourceAdmitted(source=ATTACKER[4])
    assert not (await prober.ask(refused)).ok
    assert (await prober.ask(admitted)).ok
    await SourceAccess(wire.table).apply(ban(ATTACKER[4]))
    assert (await prober.ask(refused)).ok
    assert not (await prober.ask(admitted)).ok
    wire.nft("flush", "chain", "inet", "groundskeeper", "prerouting")
    assert not (await prober.ask(refused)).ok
    assert wire.gets_in(ATTACKER[4])
    assert isinstance(await SourceAccess(wire.table).look(ban(ATTACKER[4])), Needed)
    await SourceAccess(wire.table).apply(ban(ATTACKER[4]))
    assert not wire.gets_in(ATTACKER[4])


async def test_removal_takes_our_table_and_nothing_else(wire):
    wire.nft("add", "table", "inet", "somebody")
    await SourceAccess(wire.table).apply(ban(ATTACKER[4]))
    assert "gk: 5 failed sign-ins" in wire.nft("list", "ruleset"), "the owner should see whose it is and why"
    wire.table.remove_all()
    assert wire.nft("list", "ruleset").split() == ["table", "inet", "somebody", "{", "}"]
    wire.table.remove_all()
    wire.nft("delete", "table", "inet", "somebody")


@pytest.mark.parametrize("source", ["127.0.0.1", "::1", "0.0.0.0", "10.0.0.0/8", "2001:db8::/48", "nonsense", ""])
async def test_what_must_not_be_banned_is_impossible(wire, source):
    assert isinstance(await SourceAccess(wire.table).look(ban(source)), Impossible)
    assert "groundskeeper" not in wire.nft("list", "ruleset")


async def test_without_the_right_it_says_so(wire):
    os.seteuid(65534)
    table = Table()
    try:
        with pytest.raises(Refused, match="changing the firewall needs root"):
            table.declare()
    finally:
        os.seteuid(0)
        table.close()


async def test_a_ban_takes_well_under_a_millisecond(wire):
    took = []
    for last in range(1, 200):
        began = time.perf_counter()
        wire.table.ban(placed(f"198.51.100.{last}"), timedelta(seconds=9), "gk")
        took.append(time.perf_counter() - began)
    assert median(took) < 0.000_5


async def test_what_is_refused_is_told_at_the_start_and_with_each_change(wire):
    await SourceAccess(wire.table).apply(ban(ATTACKER[4]))
    told: asyncio.Queue[SourceRefusal] = asyncio.Queue()
    with wire.inside(wire.server):
        sensor = asyncio.ensure_future(RefusalSensor(SystemClock(), wire.table).run(told.put_nowait))
        first = await asyncio.wait_for(told.get(), 1)
    try:
        assert first.source == ATTACKER[4]
        assert timedelta(seconds=50) < first.until - first.since <= timedelta(seconds=60)
        await SourceAccess(wire.table).apply(ban("2001:db8:99:1::/64"))
        assert (await asyncio.wait_for(told.get(), 1)).source == "2001:db8:99:1::/64"
        await SourceAccess(wire.table).apply(admit(ATTACKER[4]))
        last = await asyncio.wait_for(told.get(), 1)
        assert (last.source, last.until - last.since) == (ATTACKER[4], timedelta())
        wire.nft("add", "table", "inet", "somebody")
        wire.nft("add", "set", "inet", "somebody", "banned4", "{ type ipv4_addr; }")
        wire.nft("add", "element", "inet", "somebody", "banned4", "{ 192.0.2.1 }")
        wire.nft("delete", "table", "inet", "somebody")
        await asyncio.sleep(0.05)
        assert told.empty(), "somebody else's sets are none of our business"
    finally:
        sensor.cancel()
        await asyncio.wait([sensor])
