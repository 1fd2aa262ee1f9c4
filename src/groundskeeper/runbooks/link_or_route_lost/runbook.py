"""Puts back what is missing on one link: the link, then its addresses, then its routes."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_interface, ip_network

from groundskeeper.model import Action, Decline, DeviceId, Incident, Snapshot
from groundskeeper.runbooks.link_or_route_lost.difference import Lost, View
from groundskeeper.runbooks.link_or_route_lost.rule import LinkOrRouteLost
from groundskeeper.subsystems.network.types import (
    Address,
    EnsureAddress,
    EnsureLinkUp,
    EnsureNeighbourLearned,
    EnsureNoRoute,
    EnsureRoute,
    NetworkBaseline,
    Route,
)


class PutNetworkBack:
    name = "put_network_back"

    def __init__(self, rule: LinkOrRouteLost) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        device, link = incident.finding.device, incident.finding.subject
        baseline = snapshot.get(NetworkBaseline, "network", device)
        if baseline is None:
            return self._decline("it is not known what the network should be like")
        view = View(snapshot, device, baseline, self._rule.peers)
        lost = next((lost for lost in view.losses() if lost.link == link), None)
        if lost is None:
            return self._decline(f"nothing is missing on {link} any more")
        if lost.gone:
            return self._decline(
                f"{link} is unplugged or its driver is gone: nothing on this machine can bring it back"
            )
        if lost.unplugged:
            return self._decline(f"the cable of {link}, or what it is plugged into, needs somebody on the spot")
        return list(_steps(lost, view, device))

    def _decline(self, reason: str) -> Decline:
        return Decline(runbook=self.name, reason=reason)


def _steps(lost: Lost, view: View, device: DeviceId) -> Iterator[Action]:
    """In order: each step finds there what it stands on."""
    link = lost.link
    if lost.off:
        yield EnsureLinkUp(
            device=device, link=link, gateway=_reached_by(view.present_addresses(link) or (), view, link)
        )
    for route in lost.wrong:
        if not route.default:  # it may swallow the gateway that the routes below lead to
            yield _without(route, view, device, link)
    for six in (False, True):  # an IPv6 address may take two seconds until it can be used: nothing else waits for that
        for address in (address for address in lost.addresses if (":" in address.address) == six):
            yield EnsureAddress(device=device, link=link, address=address, gateway=_reached_by([address], view, link))
        for route in sorted(
            (route for route in _routes(lost, view) if (":" in route.destination) == six), key=_stands_on
        ):
            gateway = "" if view.was_silent(route.via) else route.via
            yield EnsureRoute(device=device, route=route, gateway=gateway)
    for route in lost.wrong:
        if route.default:
            yield _without(route, view, device, link)
    for gateway in lost.fixed:
        yield EnsureNeighbourLearned(device=device, link=link, gateway=gateway)


def _reached_by(addresses: Iterable[Address], view: View, link: str) -> str:
    """The gateway that can be asked with one of these addresses; one that was silent before cannot show anything."""
    networks = [ip_interface(address.address).network for address in addresses]
    for gateway in view.gateways(link):
        if any(ip_address(gateway) in network for network in networks) and not view.was_silent(gateway):
            return gateway
    return ""


def _routes(lost: Lost, view: View) -> Iterable[Route]:
    """A link that is off loses all its routes, of which the kernel may not have told yet."""
    if not lost.off:
        return lost.routes
    return [route for route in view.baseline.routes if route.link == lost.link and route.kind == "unicast"]


def _stands_on(route: Route) -> tuple[bool, bool, int]:
    """Routes without a next hop first, the default routes last."""
    return (bool(route.via), route.default, -ip_network(route.destination).prefixlen)


def _without(route: Route, view: View, device: DeviceId, link: str) -> EnsureNoRoute:
    gateway = next((via for via in view.gateways(link) if not view.was_silent(via)), "")
    return EnsureNoRoute(device=device, route=route, link=link, gateway=gateway)
