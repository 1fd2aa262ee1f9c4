"""What is there against what should be there, link by link."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface, ip_network

from groundskeeper.model import DeviceId, Observation, Snapshot, Value
from groundskeeper.subsystems.network.types import (
    SWALLOWING,
    Address,
    Addresses,
    GatewayReach,
    Link,
    NetworkBaseline,
    Route,
    Routes,
    SteadyLink,
)
from groundskeeper.subsystems.resolver.types import Resolver

MUCH_OF_EVERYTHING = {4: 4, 6: 8}
"""A route to a network this wide, or wider, swallows much of the world."""
SITE = {4: 16, 6: 48}
"""Private networks that begin with the same bits belong to the same house."""

NOTICED = timedelta(seconds=1)
"""The silence of a gateway that follows from the trouble is noticed together with it."""


class Lost(Value, tag=False):
    """What is wrong on one link. `replaced` is what stands in the place of something that is gone, in words."""

    link: str
    gone: bool = False
    off: bool = False
    unplugged: bool = False
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    wrong: tuple[Route, ...] = ()
    fixed: tuple[str, ...] = ()
    """Gateways whose hardware address somebody fixed as another than the one that they give themselves."""
    replaced: str = ""
    proven: bool = False
    """The gateway of what is gone answers, that of what stands in its place does not."""

    @property
    def any(self) -> bool:
        return bool(
            self.gone or self.off or self.unplugged or self.addresses or self.routes or self.wrong or self.fixed
        )


class View:
    """One device's network in a snapshot, beside its baseline."""

    def __init__(self, snapshot: Snapshot, device: DeviceId, baseline: NetworkBaseline, peers: Iterable[str]) -> None:
        self._snapshot = snapshot
        self._device = device
        self.baseline = baseline
        self._peers = tuple(peers)

    def losses(self) -> Iterator[Lost]:
        """Each link on which something is wrong. A link that was never told of is not judged."""
        for steady in self.baseline.links:
            lost = self._on(steady)
            if lost.any:
                yield lost

    def _on(self, steady: SteadyLink) -> Lost:
        link = self.link(steady.name)
        if link is None:
            return Lost(link=steady.name)
        if not link.present:
            return Lost(link=steady.name, gone=not self._leads_out())
        addresses = self._addresses(steady.name)
        routes, replaced = self._routes(steady.name)
        return Lost(
            link=steady.name,
            off=not link.up,
            unplugged=link.up and steady.carrier and not link.carrier and self._has_a_cable(link),
            addresses=addresses,
            routes=routes,
            wrong=self._wrong(steady.name) if link.up else (),
            fixed=self._fixed(steady.name),
            replaced=replaced or self._renumbered(steady.name, addresses),
            proven=bool(replaced) and any(self.answers(route) for route in routes if route.via),
        )

    def _has_a_cable(self, link: Link) -> bool:
        """A bridge without machines on it has nothing at its other end, and nobody minds."""
        return bool(self.gateways(link.name)) or (not link.kind and bool(self.expected_addresses(link.name)))

    def _leads_out(self) -> bool:
        """Whether a default route is there whose next hop is not known to be silent."""
        return any(route.default and self.answers(route) is not False for route in self.present_routes())

    def link(self, name: str) -> Link | None:
        return self._snapshot.get(Link, name, self._device)

    def expected_addresses(self, link: str) -> tuple[Address, ...]:
        return next((held.addresses for held in self.baseline.addresses if held.link == link), ())

    def present_addresses(self, link: str) -> tuple[Address, ...] | None:
        told = self._snapshot.get(Addresses, link, self._device)
        return told.addresses if told else None

    def _addresses(self, link: str) -> tuple[Address, ...]:
        present = self.present_addresses(link)
        if present is None:
            return ()
        there = {address.address for address in present}
        missing = tuple(address for address in self.expected_addresses(link) if address.address not in there)
        return tuple(address for address in missing if not self._renumbering_works(link, address))

    def _strangers(self, link: str, like: Address) -> list[str]:
        """Addresses of the same family on the link which were not there before."""
        known = {address.address for address in self.expected_addresses(link)}
        present = self.present_addresses(link) or ()
        new = [address.address for address in present if address.address not in known]
        return [address for address in new if (":" in address) == (":" in like.address)]

    def _renumbering_works(self, link: str, missing: Address) -> bool:
        """Another address has taken its place, and the way out works with it (or there never was one)."""
        if not self._strangers(link, missing):
            return False
        six = ":" in missing.address
        if not any(route.default and (":" in route.destination) == six for route in self.baseline.routes):
            return True
        return any(
            self.answers(route) for route in self.present_routes() if route.default and (":" in route.via) == six
        )

    def _renumbered(self, link: str, missing: tuple[Address, ...]) -> str:
        strangers = [address for lost in missing for address in self._strangers(link, lost)]
        return f"the address {strangers[0]}" if strangers else ""

    def present_routes(self) -> tuple[Route, ...]:
        told = self._snapshot.get(Routes, "routes", self._device)
        return told.routes if told else ()

    def _routes(self, link: str) -> tuple[tuple[Route, ...], str]:
        """The routes missing on a link, and what stands in the place of one of them without working."""
        if self._snapshot.get(Routes, "routes", self._device) is None:
            return (), ""
        present = self.present_routes()
        there = {_place(route) for route in present}
        missing, replaced = [], ""
        for route in self.baseline.routes:
            if route.link != link or route.kind != "unicast" or _place(route) in there:
                continue
            instead = [other for other in present if other.destination == route.destination]
            working = [other for other in instead if other.kind == "unicast" and self.answers(other) is not False]
            if not working:
                missing.append(route)
                replaced = replaced or (instead[0].describe() if instead else "")
        return tuple(missing), replaced

    def answers(self, route: Route) -> bool | None:
        """Whether the next hop answers; None where that is not known, True where there is none to ask."""
        if not route.via:
            return True
        reach = self.reach(route.via)
        return reach.reachable if reach and reach.link == route.link else None

    def was_silent(self, gateway: str) -> bool:
        """Whether it had not answered for a while before the trouble began: then its silence shows nothing."""
        reach = self.reach(gateway)
        if reach is None or reach.reachable:
            return False
        began = [seen.at for seen, link in self._snapshot.of(Link) if self._mine(seen) and link.name == reach.link]
        began += [seen.at for seen, _ in self._snapshot.of(Routes) if self._mine(seen)]
        return bool(began) and all(reach.since + NOTICED < at for at in began)

    def _mine(self, seen: Observation) -> bool:
        return seen.device == self._device

    def reach(self, gateway: str) -> GatewayReach | None:
        return self._snapshot.get(GatewayReach, gateway, self._device)

    def _wrong(self, link: str) -> tuple[Route, ...]:
        """Routes that were not there before and swallow what must stay reachable over this link."""
        known = {_place(route) for route in self.baseline.routes}
        new = [route for route in self.present_routes() if _place(route) not in known]
        return tuple(route for route in new if self._swallows(route, link) or self._leads_astray(route, link))

    def _swallows(self, route: Route, link: str) -> bool:
        if route.kind not in SWALLOWING or not self._is_way_out(link):
            return False
        network = ip_network(route.destination)
        if network.prefixlen <= MUCH_OF_EVERYTHING[network.version] and not route.default:
            return True
        if any(_inside(address, route) for address in self._vital(link)):
            return True
        return network.num_addresses > 2 and any(
            network.version == own.version and network.overlaps(own) for own in self._house(link)
        )

    def _house(self, link: str) -> Iterator[IPv4Network | IPv6Network]:
        """The link's own networks, and their neighbours in the same house."""
        for address in self.expected_addresses(link):
            own = ip_interface(address.address).network
            site = SITE[own.version]
            yield own.supernet(new_prefix=site) if own.is_private and own.prefixlen > site else own

    def _leads_astray(self, route: Route, link: str) -> bool:
        """A better route to the gateway that does not lead to it, or a better default route to nobody."""
        if route.kind != "unicast":
            return False
        gateways = self.gateways(link)
        if route.default:
            usual = [other.metric for other in self.baseline.routes if other.destination == route.destination]
            return bool(usual) and route.metric < min(usual) and self.answers(route) is False
        wanders = route.link != link or bool(route.via)
        return wanders and any(_inside(via, route) and self._narrower(route, link) for via in gateways)

    def _narrower(self, route: Route, link: str) -> bool:
        """Whether it wins over the link's own network."""
        length = ip_network(route.destination).prefixlen
        own = [ip_interface(address.address).network for address in self.expected_addresses(link)]
        return any(
            length > network.prefixlen for network in own if (network.version == 6) == (":" in route.destination)
        )

    def _fixed(self, link: str) -> tuple[str, ...]:
        reaches = [self.reach(via) for via in self.gateways(link)]
        return tuple(r.gateway for r in reaches if r and r.fixed and r.learned and r.fixed != r.learned)

    def _vital(self, link: str) -> list[str]:
        resolver = self._snapshot.get(Resolver, "resolver", self._device)
        servers = [server.address for server in resolver.servers] if resolver else []
        return [*self.gateways(link), *servers, *self._peers]

    def _is_way_out(self, link: str) -> bool:
        """Routes that throw away belong to no link: they are reported with the first default route's."""
        ways = [route.link for route in self.baseline.routes if route.default and route.kind == "unicast"]
        return link == (ways[0] if ways else self.baseline.links[0].name)

    def gateways(self, link: str) -> list[str]:
        return [route.via for route in self.baseline.routes if route.default and route.link == link and route.via]


def _place(route: Route) -> tuple[str, str, str, int, str]:
    return (route.destination, route.link, route.via, route.metric, route.kind)


def _inside(address: str, route: Route) -> bool:
    try:
        return ip_address(address) in ip_network(route.destination)
    except ValueError:
        return False
