"""Links, addresses, routes, neighbours and bans, in a network namespace with a gateway in another."""

import json
import os
import re
from datetime import timedelta
from pathlib import Path

from groundskeeper.lab.namespaces import enter, new_network_namespace
from groundskeeper.model import Action
from groundskeeper.subsystems.firewall.table import Table, placed
from groundskeeper.subsystems.firewall.types import EnsureSourceAdmitted, EnsureSourceBanned
from groundskeeper.subsystems.network import kernel
from groundskeeper.subsystems.network.types import (
    Address,
    EnsureAddress,
    EnsureLinkUp,
    EnsureNeighbourLearned,
    EnsureNoRoute,
    EnsureRoute,
    Route,
)
from groundskeeper.testing.kills.kernel import NETFILTER, ROUTE, Announcements, done, told
from groundskeeper.testing.kills.life import DEVICE

GATEWAY, OTHER, MACHINE = "10.91.7.1", "10.91.7.250", "10.91.7.2"
ATTACKER = "203.0.113.9"
CARD = "host0"
NOWHERE = "198.51.100.0/24"


def lay_cable() -> None:
    """This process gets a card whose other end is a gateway's, in a namespace that lives as long as it does."""
    gateway, home = new_network_namespace(), os.open("/proc/self/ns/net", os.O_RDONLY)
    done("ip", "link", "set", "lo", "up")
    done("ip", "link", "add", CARD, "type", "veth", "peer", "name", "lan0")
    done("ip", "link", "set", "lan0", "netns", f"/proc/{os.getpid()}/fd/{gateway}")
    enter(gateway)
    done("ip", "link", "set", "lan0", "up")
    done("ip", "address", "add", f"{GATEWAY}/24", "dev", "lan0")
    enter(home)
    os.close(home)


def dress_card() -> None:
    """The card as it is on a machine that is well, but for the default route."""
    told("ip", "route", "flush", "table", "main")
    told("ip", "address", "flush", "dev", CARD)
    told("ip", "neigh", "flush", "dev", CARD, "nud", "all")
    done("ip", "link", "set", CARD, "up")
    done("ip", "address", "add", f"{MACHINE}/24", "dev", CARD)


class _OnCard:
    """What all subjects of the network have in common. `groups` and `kinds`: which announcements are counted."""

    name = ""
    reversible = True
    groups: tuple[int, ...] = ()
    kinds: tuple[int, ...] = ()

    def dress(self) -> None:
        self._heard = Announcements(ROUTE, self.groups, self.kinds)

    def spoil(self) -> None:
        dress_card()
        self.trouble()
        self._heard.forget()

    def trouble(self) -> None:
        raise NotImplementedError

    def made(self) -> int:
        return self._heard.count()


class LinkOff(_OnCard):
    name = "EnsureLinkUp"

    def trouble(self) -> None:
        done("ip", "link", "set", CARD, "down")
        self._ups = self._raised()

    def action(self) -> Action:
        return EnsureLinkUp(device=DEVICE, link=CARD)

    def truth(self) -> str:
        return "up" if "UP" in json.loads(told("ip", "-j", "link", "show", CARD))[0]["flags"] else "down"

    def made(self) -> int:
        return self._raised() - self._ups

    def _raised(self) -> int:
        return int(Path(f"/run/kills-sys/class/net/{CARD}/carrier_up_count").read_text())


class AddressLost(_OnCard):
    name = "EnsureAddress"
    groups, kinds = (5,), (20,)  # RTNLGRP_IPV4_IFADDR, RTM_NEWADDR

    def trouble(self) -> None:
        done("ip", "address", "flush", "dev", CARD)

    def action(self) -> Action:
        address = Address(address=f"{MACHINE}/24", broadcast="10.91.7.255")
        return EnsureAddress(device=DEVICE, link=CARD, address=address, gateway=GATEWAY)

    def truth(self) -> str:
        return MACHINE if MACHINE in told("ip", "-4", "address", "show", "dev", CARD) else "no address"


class RouteLost(_OnCard):
    name = "EnsureRoute"
    groups, kinds = (7,), (24,)  # RTNLGRP_IPV4_ROUTE, RTM_NEWROUTE

    def trouble(self) -> None:
        pass

    def action(self) -> Action:
        route = Route(destination="0.0.0.0/0", link=CARD, via=GATEWAY)
        return EnsureRoute(device=DEVICE, route=route, gateway=GATEWAY)

    def truth(self) -> str:
        return told("ip", "-4", "route", "show", "default").strip() or "no route"


class RouteWrong(RouteLost):
    name = "EnsureRoute over another"

    def trouble(self) -> None:
        done("ip", "route", "add", "default", "via", OTHER, "dev", CARD)


class RouteSwallows(_OnCard):
    name = "EnsureNoRoute"
    groups, kinds = (7,), (25,)  # RTM_DELROUTE

    def trouble(self) -> None:
        done("ip", "route", "add", "blackhole", NOWHERE)

    def action(self) -> Action:
        with kernel.opened() as asking:
            there = [route for route in kernel.look(asking).routes if route.destination == NOWHERE]
        route = there[0] if there else Route(destination=NOWHERE, kind="blackhole")
        return EnsureNoRoute(device=DEVICE, route=route, link=CARD, gateway=GATEWAY)

    def truth(self) -> str:
        return told("ip", "-4", "route", "show", NOWHERE).strip() or "no route"


class NeighbourFixed(_OnCard):
    name = "EnsureNeighbourLearned"

    def trouble(self) -> None:
        done("ip", "neigh", "replace", GATEWAY, "lladdr", "02:00:00:00:00:99", "dev", CARD, "nud", "permanent")

    def action(self) -> Action:
        return EnsureNeighbourLearned(device=DEVICE, link=CARD, gateway=GATEWAY)

    def truth(self) -> str:
        return "fixed" if "PERMANENT" in told("ip", "neigh", "show", GATEWAY) else "learned"


class _AtTheDoor:
    """Bans in our own nftables table."""

    name = ""
    reversible = True
    counted = 12  # NFT_MSG_NEWSETELEM
    left: timedelta | None = None
    """How much longer the source is refused before anything is done."""

    def dress(self) -> None:
        self._heard = Announcements(NETFILTER, (7,), (10 << 8 | self.counted,))  # NFNLGRP_NFTABLES

    def spoil(self) -> None:
        table = Table()
        try:
            table.remove_all()
            if self.left:
                table.ban(placed(ATTACKER), self.left, "gk: before")
        finally:
            table.close()
        self._heard.forget()

    def action(self) -> Action:
        lasts = timedelta(minutes=10)
        return EnsureSourceBanned(device=DEVICE, source=ATTACKER, duration=lasts, reason="guessing")

    def truth(self) -> str:
        """How it stands in the ruleset, to a few minutes."""
        text = told("nft", "list", "set", "inet", "groundskeeper", "banned4")
        found = re.search(rf"{ATTACKER} [^,}}]*expires (?:(\d+)m)?(?:(\d+)s)?", text)
        if not found:
            return "admitted"
        return "refused for long" if int(found[1] or 0) > 4 else "refused for a while"

    def made(self) -> int:
        return self._heard.count()


class Attack(_AtTheDoor):
    name = "EnsureSourceBanned"


class AttackGoesOn(_AtTheDoor):
    name = "EnsureSourceBanned for longer"
    left = timedelta(minutes=2)


class BannedByMistake(_AtTheDoor):
    name = "EnsureSourceAdmitted"
    left = timedelta(minutes=9)
    counted = 14  # NFT_MSG_DELSETELEM

    def action(self) -> Action:
        return EnsureSourceAdmitted(device=DEVICE, source=ATTACKER)
