"""What is known of a machine's network, what it should be, and what can be put right."""

from datetime import datetime, timedelta
from typing import ClassVar

from groundskeeper.model import Action, DeviceId, Fact, Probe, Radius, Value

DEFAULT = ("0.0.0.0/0", "::/0")
"""The destinations that a person calls "the default route"."""

SWALLOWING = ("blackhole", "unreachable", "prohibit", "throw")
"""Kinds of route that throw packets away, or refuse them."""


class Address(Value, tag=False):
    """An address with its prefix length ("192.0.2.7/24"). `until` is when a lease ends; None for good."""

    address: str
    peer: str = ""
    broadcast: str = ""
    label: str = ""
    metric: int = 0
    until: datetime | None = None
    unchecked: bool = False
    """Used at once, without first asking whether somebody else has it (IPv6: "nodad")."""
    alone: bool = False
    """Without a route to its network, which somebody else sets ("noprefixroute")."""


class Route(Value, tag=False):
    """A route of the main table. `destination` is always a network in CIDR form; `via` is "" for an on-link route."""

    destination: str
    link: str = ""
    via: str = ""
    metric: int = 0
    kind: str = "unicast"
    source: str = ""
    protocol: int = 4
    scope: int = 0
    onlink: bool = False

    @property
    def default(self) -> bool:
        return self.destination in DEFAULT

    def describe(self) -> str:
        name = "the default route" if self.default else f"the route to {self.destination}"
        if self.kind != "unicast":
            name = f"a route that throws away what is sent to {self.destination}"
        over = f" through {self.via}" if self.via else ""
        return name + over + (f" on {self.link}" if self.link else "")


class SteadyLink(Value, tag=False):
    """A link that has been up for a while; `carrier` says whether the other end was there too."""

    name: str
    carrier: bool
    mtu: int


class Link(Fact, Value):
    """A network interface. `up` is what was asked of it, `carrier` is whether the other end is there."""

    name: str
    up: bool
    carrier: bool
    mtu: int = 1500
    kind: str = ""
    master: str = ""
    present: bool = True

    @property
    def subject(self) -> str:
        return self.name


class Addresses(Fact, Value):
    """Every address of one link, those of the kernel's own making (link-local, router-announced) left out."""

    link: str
    addresses: tuple[Address, ...]

    @property
    def subject(self) -> str:
        return self.link


class Routes(Fact, Value):
    """The routes of the main table that somebody set: those of the kernel's own making are left out."""

    routes: tuple[Route, ...]

    @property
    def subject(self) -> str:
        return "routes"


class NetworkBaseline(Fact, Value):
    """What has been there long enough to be what should be there.

    `judged_from`: a machine that is still starting is not judged before. `held_by`: who is changing the network right
    now (ifdown …), whose work is waited for; "" for nobody.
    """

    links: tuple[SteadyLink, ...]
    addresses: tuple[Addresses, ...]
    routes: tuple[Route, ...]
    judged_from: datetime
    held_by: str = ""

    @property
    def subject(self) -> str:
        return "network"


class GatewayReach(Fact, Value):
    """Whether a default gateway answers on its own network. `how` says how that is known."""

    gateway: str
    link: str
    reachable: bool
    since: datetime
    how: str
    fixed: str = ""
    """The hardware address that somebody fixed for it by hand; "" where it is learned, as it should be."""
    learned: str = ""
    """The hardware address that it last gave itself when asked; "" where it has not been heard."""

    @property
    def subject(self) -> str:
        return self.gateway


class LinkReaches(Probe, Value):
    """Does the gateway answer? Where none is known: is the link up, with its other end there?"""

    link: str
    gateway: str = ""

    def describe(self) -> str:
        return f"{self.gateway} answers on {self.link}" if self.gateway else f"{self.link} is connected"


class LinkIs(Probe, Value):
    """Is the link in this state? Asked after a change was taken back."""

    link: str
    up: bool

    def describe(self) -> str:
        return f"{self.link} is {'up' if self.up else 'down'}"


class _OnLink(Action):
    """What the actions on one link have in common."""

    __slots__ = ()

    link: str

    @property
    def subject(self) -> str:
        return self.link

    def radius(self) -> Radius:
        return Radius(touches=(f"link:{self.link}",))


class EnsureLinkUp(_OnLink, Value):
    """`gateway`: who must answer afterwards, "" where none is known. Undo switches the link off again."""

    probation: ClassVar[timedelta] = timedelta(seconds=45)
    """A bridge port may take 30 s to forward, a long cable 3 s to agree on its speed."""

    device: DeviceId
    link: str
    gateway: str = ""

    def describe(self) -> str:
        return f"{self.link} is switched on"

    def probe(self) -> Probe:
        return LinkReaches(link=self.link, gateway=self.gateway)


class EnsureLinkDown(_OnLink, Value):
    """The inverse of EnsureLinkUp."""

    device: DeviceId
    link: str

    def describe(self) -> str:
        return f"{self.link} is switched off"

    def radius(self) -> Radius:
        return Radius(touches=(f"link:{self.link}",), management=True)

    def probe(self) -> Probe:
        return LinkIs(link=self.link, up=False)


class EnsureAddress(_OnLink, Value):
    device: DeviceId
    link: str
    address: Address
    gateway: str = ""

    def describe(self) -> str:
        return f"{self.link} has the address {self.address.address}"

    def probe(self) -> Probe:
        return LinkReaches(link=self.link, gateway=self.gateway)


class EnsureNoAddress(_OnLink, Value):
    device: DeviceId
    link: str
    address: Address

    def describe(self) -> str:
        return f"{self.link} does not have the address {self.address.address}"

    def radius(self) -> Radius:
        return Radius(touches=(f"link:{self.link}",), management=True)

    def probe(self) -> Probe:
        return LinkIs(link=self.link, up=True)


class _OnRoute(Action):
    __slots__ = ()

    route: Route

    @property
    def subject(self) -> str:
        return self.route.destination

    def radius(self) -> Radius:
        return Radius(touches=(f"route:{self.route.destination}", f"link:{self.route.link}"))


class EnsureRoute(_OnRoute, Value):
    """The route is there. Another in its place (same destination and metric) is replaced; undo puts that one back.

    `gateway`: who must answer afterwards, "" where nobody can be asked.
    """

    device: DeviceId
    route: Route
    gateway: str = ""

    def describe(self) -> str:
        return f"{self.route.describe()} is there"

    def probe(self) -> Probe:
        return LinkReaches(link=self.route.link, gateway=self.gateway)


class EnsureNoRoute(_OnRoute, Value):
    """The route is not there. `gateway` and `link`: who must answer afterwards."""

    device: DeviceId
    route: Route
    link: str
    gateway: str = ""

    def describe(self) -> str:
        return f"{self.route.describe()} is not there"

    def probe(self) -> Probe:
        return LinkReaches(link=self.link, gateway=self.gateway)


class EnsureNeighbourLearned(_OnLink, Value):
    """The gateway's hardware address is learned by asking, not fixed by hand."""

    device: DeviceId
    link: str
    gateway: str

    def describe(self) -> str:
        return f"the hardware address of {self.gateway} is learned by asking"

    def probe(self) -> Probe:
        return LinkReaches(link=self.link, gateway=self.gateway)


class EnsureNeighbourFixed(_OnLink, Value):
    """The inverse of EnsureNeighbourLearned."""

    device: DeviceId
    link: str
    gateway: str
    hardware: str

    def describe(self) -> str:
        return f"the hardware address of {self.gateway} is fixed as {self.hardware}"

    def probe(self) -> Probe:
        return LinkIs(link=self.link, up=True)
