"""Finds what is missing of a machine's network, once a link."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import ClassVar

from groundskeeper.model import Cause, DeviceId, Fact, Finding, Observation, Severity, Snapshot, Value
from groundskeeper.runbooks.link_or_route_lost.difference import Lost, View
from groundskeeper.subsystems.network.types import Addresses, GatewayReach, Link, NetworkBaseline, Routes


class LinkOrRouteLost(Value, tag=False, forbid_unknown_fields=True):
    name: ClassVar[str] = "link_or_route_lost"
    watches: ClassVar[tuple[type[Fact], ...]] = (NetworkBaseline, Link, Addresses, Routes, GatewayReach)
    causes: ClassVar[tuple[Cause, ...]] = ()

    ignore: frozenset[str] = frozenset()
    """Links that are left alone, as glob patterns: "wlan*"."""
    peers: frozenset[str] = frozenset()
    """Addresses beside the gateway and the name servers that no new route may swallow."""
    settle: timedelta = timedelta(milliseconds=20)
    """How long an address or a route must be gone: a renewal takes it away and puts it back."""
    replacement_gets: timedelta = timedelta(seconds=5)
    """How long something else in its place may take until the gateway answers through it."""
    proof_gets: timedelta = timedelta(seconds=1)
    """The same where the old gateway answers and the new one, asked three times, does not."""
    cable_gets: timedelta = timedelta(seconds=3)
    """How long a cable may be out before a person is told."""

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, baseline in snapshot.of(NetworkBaseline):
            if now < baseline.judged_from or baseline.held_by:
                continue
            view = View(snapshot, seen.device, baseline, self.peers)
            for lost in view.losses():
                if not any(fnmatchcase(lost.link, pattern) for pattern in self.ignore):
                    yield self._finding(lost, view, snapshot, seen.device)

    def _finding(self, lost: Lost, view: View, snapshot: Snapshot, device: DeviceId) -> Finding:
        way_out = bool(view.gateways(lost.link)) or lost.link == "lo"
        return Finding(
            rule=self.name,
            device=device,
            subject=lost.link,
            severity=Severity.CRITICAL if way_out else Severity.WARNING,
            reason=told(lost),
            evidence=tuple(_evidence(lost, snapshot, device)),
            lasts=self._lasts(lost),
        )

    def _lasts(self, lost: Lost) -> timedelta:
        if lost.off:
            return timedelta()
        if lost.replaced:
            return self.proof_gets if lost.proven else self.replacement_gets
        if lost.gone or lost.unplugged:
            return self.cable_gets
        return self.settle


def told(lost: Lost) -> str:
    """What is wrong, as one sentence."""
    if lost.gone:
        return f"the network device {lost.link} itself is gone, and with it the way out"
    if lost.off:
        return f"{lost.link} is switched off"
    if lost.unplugged:
        return f"{lost.link} is on, but there is nothing at the other end of its cable"
    missing = [f"its address {address.address}" for address in lost.addresses]
    missing += [route.describe() for route in lost.routes]
    if missing:
        instead = f"; {lost.replaced} is there instead and does not lead out" if lost.replaced else ""
        return f"{lost.link} has lost {' and '.join(missing)}{instead}"
    if lost.wrong:
        return f"{lost.wrong[0].describe()} has appeared and swallows what should leave over {lost.link}"
    return f"somebody has fixed a wrong hardware address for the gateway {lost.fixed[0]}"


def _evidence(lost: Lost, snapshot: Snapshot, device: DeviceId) -> Iterator[Observation]:
    yield from (seen for seen, link in snapshot.of(Link) if seen.device == device and link.name == lost.link)
    if lost.addresses:
        yield from (seen for seen, held in snapshot.of(Addresses) if seen.device == device and held.link == lost.link)
    if lost.routes or lost.wrong:
        yield from (seen for seen, _ in snapshot.of(Routes) if seen.device == device)
    if lost.fixed:
        yield from (
            seen for seen, to in snapshot.of(GatewayReach) if seen.device == device and to.gateway in lost.fixed
        )
