"""Keeps asking the default gateways whether they are there: seldom while they are, often while they are not."""

from collections.abc import Callable, Iterable
from datetime import datetime

from groundskeeper.lib.clock import Clock
from groundskeeper.lib.netlink import Netlink
from groundskeeper.model import Fact
from groundskeeper.subsystems.network import kernel, reach
from groundskeeper.subsystems.network.rtnetlink import REACHABLE, LinkRow, Picture
from groundskeeper.subsystems.network.types import GatewayReach, Route

_WELL = 5.0
_FAILING = 1.0
_MOST = 4


class Gateways:
    """The gateways of the default routes that are there or should be. `tell` is called with each change."""

    def __init__(self, clock: Clock, asking: Netlink, tell: Callable[[Fact], None]) -> None:
        self._clock = clock
        self._asking = asking
        self._tell = tell
        self._links: dict[str, LinkRow] = {}
        self._watched: dict[str, str] = {}
        self._known: dict[str, GatewayReach] = {}
        self._learned: dict[str, str] = {}
        self._asked_at = 0.0

    def concerns(self, address: str) -> bool:
        return address in self._watched

    def works(self, routes: Iterable[Route]) -> bool:
        """Whether a gateway answers to which a default route leads now."""
        ways = {route.via for route in routes if route.default and route.via}
        return any(known.reachable for via, known in self._known.items() if via in ways)

    def follow(self, picture: Picture, expected: Iterable[Route]) -> None:
        """Watch the gateways of these, and ask them at once where something has changed."""
        links = {row.name: row for row in picture.links.values()}
        ways = [route for route in (*picture.routes, *expected) if route.default and route.via]
        watched = dict([(route.via, route.link) for route in reversed(ways)][-_MOST:])
        changed = watched != self._watched or links != self._links
        self._watched, self._links = watched, links
        if changed or self._clock.elapsed() - self._asked_at >= self._pace():
            self._ask()
        self.check()

    def due(self) -> float | None:
        """Seconds until they should be asked again; None where there are none."""
        if not self._watched:
            return None
        return max(0.001, self._asked_at + self._pace() - self._clock.elapsed())

    def _pace(self) -> float:
        well = all(via in self._known and self._known[via].reachable for via in self._watched)
        return _WELL if well else _FAILING

    def _ask(self) -> None:
        self._asked_at = self._clock.elapsed()
        for via, name in self._watched.items():
            if name in self._links:
                reach.poke(self._asking, self._links[name], via)

    def check(self) -> None:
        """Look at what the kernel knows of each, and tell what has changed."""
        for via, name in self._watched.items():
            link = self._links.get(name)
            row = kernel.neighbour(self._asking, link.ifindex, via) if link else None
            answers, how = reach.verdict(link, row)
            if row and row.state & REACHABLE:
                self._learned[via] = row.hardware.hex(":")
            if answers is not None:
                since = self._since(via, answers)
                fixed, learned = reach.hardware(row), self._learned.get(via, "")
                self._known[via] = GatewayReach(
                    gateway=via, link=name, reachable=answers, since=since, how=how, fixed=fixed, learned=learned
                )
                self._tell(self._known[via])

    def _since(self, via: str, answers: bool) -> datetime:
        before = self._known.get(via)
        return before.since if before and before.reachable == answers else self._clock.now()
