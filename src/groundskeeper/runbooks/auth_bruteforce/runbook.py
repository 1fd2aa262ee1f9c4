"""Refuses the source for a while; never a person at work, never the gateway, never this machine itself."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from groundskeeper.model import Action, Decline, DeviceId, Incident, Snapshot
from groundskeeper.runbooks.auth_bruteforce.rule import AuthBruteforce
from groundskeeper.subsystems.firewall.types import EnsureSourceBanned
from groundskeeper.subsystems.logs.types import AuthFailures, ManagementPeers
from groundskeeper.subsystems.network.types import Addresses, Routes


class RefuseSource:
    name = "auth_bruteforce"

    def __init__(self, rule: AuthBruteforce) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        source, device = incident.finding.subject, incident.finding.device
        failed = snapshot.get(AuthFailures, source, device)
        if failed is None:
            return self._decline(f"the failed sign-ins of {source} are not known any more")
        people = snapshot.get(ManagementPeers, "management", device)
        if people is None:
            return self._decline("it is not known from where people are signed in, so nobody is cut off")
        kept = _first_kept(source, people, device, snapshot)
        if kept:
            return self._decline(kept)
        reason = f"{failed.total} failed sign-ins"
        return [EnsureSourceBanned(device=device, source=source, duration=self._rule.length(failed), reason=reason)]

    def _decline(self, reason: str) -> Decline:
        return Decline(runbook=self.name, reason=reason)


def _first_kept(source: str, people: ManagementPeers, device: DeviceId, snapshot: Snapshot) -> str | None:
    """Why this source is not to be cut off, or None."""
    if ip_network(source).is_loopback:
        return f"{source} is this machine itself: a program on it signs in with a wrong password"
    for address in people.addresses:
        if _within(address, source):
            return f"somebody signed in from {address} lately: taken for a person who mistypes, and not cut off"
    for address in _own(snapshot, device):
        if _within(address, source):
            return f"{address} is an address of this machine itself, and not cut off"
    for gateway in _gateways(snapshot, device):
        if _within(gateway, source):
            return f"{gateway} is the default gateway: a whole office may be behind it, and it is not cut off"
    return None


def _own(snapshot: Snapshot, device: DeviceId) -> Iterator[str]:
    for seen, link in snapshot.of(Addresses):
        if seen.device == device:
            yield from (address.address.partition("/")[0] for address in link.addresses)


def _gateways(snapshot: Snapshot, device: DeviceId) -> Iterator[str]:
    for seen, table in snapshot.of(Routes):
        if seen.device == device:
            yield from (route.via for route in table.routes if route.default and route.via)


def _within(address: str, source: str) -> bool:
    """Whether cutting off the source would cut off the address."""
    return ip_address(address.partition("%")[0]) in ip_network(source)
