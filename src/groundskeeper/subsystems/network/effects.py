"""Puts links, addresses, routes and neighbours right, over rtnetlink. Nothing is forked."""

import asyncio
import errno

from groundskeeper.lib.clock import Clock
from groundskeeper.lib.netlink import ACK, CREATE, EXCLUDE, Request
from groundskeeper.model import (
    Action,
    Already,
    Impossible,
    Needed,
    Refused,
    Sight,
    Unavailable,
)
from groundskeeper.subsystems.network import kernel, reach, rtnetlink
from groundskeeper.subsystems.network.announce import announce
from groundskeeper.subsystems.network.kernel import GONE
from groundskeeper.subsystems.network.rtnetlink import UP, Picture
from groundskeeper.subsystems.network.types import (
    Address,
    EnsureAddress,
    EnsureLinkDown,
    EnsureLinkUp,
    EnsureNeighbourFixed,
    EnsureNeighbourLearned,
    EnsureNoAddress,
    EnsureNoRoute,
    EnsureRoute,
    Route,
)

_TENTATIVE = 20
_TENTATIVE_PAUSE = 0.15
"""An IPv6 address that has just come back may be no route's source until it is known to be nobody else's (1 to 2 s)."""


class LinkEffect:
    """EnsureLinkUp and EnsureLinkDown."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureLinkUp | EnsureLinkDown)
        row = kernel.link(action.link)
        if row is None:
            return Impossible(reason=kernel.NO_LINK.format(action.link))
        up = bool(row.flags & UP)
        if isinstance(action, EnsureLinkUp):
            undo: Action = EnsureLinkDown(device=action.device, link=action.link)
            return (
                Already(reason=f"{action.link} is on already")
                if up
                else Needed(found=f"{action.link} is off", undo=undo)
            )
        undo = EnsureLinkUp(device=action.device, link=action.link)
        return (
            Needed(found=f"{action.link} is on", undo=undo) if up else Already(reason=f"{action.link} is off already")
        )

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureLinkUp | EnsureLinkDown)
        up = isinstance(action, EnsureLinkUp)
        _make(rtnetlink.switch_link(_index(action.link), up))
        if up:
            announce(action.link, _announced(action.link))
        return f"switched {action.link} {'on' if up else 'off'}"


class AddressEffect:
    """EnsureAddress and EnsureNoAddress."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureAddress | EnsureNoAddress)
        if not kernel.index_of(action.link):
            return Impossible(reason=kernel.NO_LINK.format(action.link))
        there = _address(action.link, action.address.address)
        if isinstance(action, EnsureAddress):
            return self._wanted(action, there)
        if there is None:
            return Already(reason=f"{action.link} does not have {action.address.address}")
        undo = EnsureAddress(device=action.device, link=action.link, address=there)
        return Needed(found=f"{action.link} has {action.address.address}", undo=undo)

    def _wanted(self, action: EnsureAddress, there: Address | None) -> Sight:
        if there is not None:
            return Already(reason=f"{action.link} has {action.address.address} already")
        if action.address.until and action.address.until <= self._clock.now():
            return Impossible(reason=f"the lease of {action.address.address} has run out")
        undo = EnsureNoAddress(device=action.device, link=action.link, address=action.address)
        return Needed(found=f"{action.link} does not have {action.address.address}", undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureAddress | EnsureNoAddress)
        if isinstance(action, EnsureAddress):
            _make(rtnetlink.put_address(_index(action.link), action.address, self._clock.now()))
            announce(
                action.link, [own for own in _announced(action.link) if action.address.address.startswith(f"{own}/")]
            )
            return f"gave {action.link} the address {action.address.address}"
        _make(rtnetlink.drop_address(_index(action.link), action.address), *GONE)
        return f"took the address {action.address.address} from {action.link}"


class RouteEffect:
    """EnsureRoute and EnsureNoRoute."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureRoute | EnsureNoRoute)
        if action.route.link and not kernel.index_of(action.route.link):
            return Impossible(reason=kernel.NO_LINK.format(action.route.link))
        there = [route for route in _routes() if _same_place(route, action.route)]
        exact = next((route for route in there if _same(route, action.route)), None)
        if isinstance(action, EnsureNoRoute):
            if exact is None:
                return Already(reason=f"{action.route.describe()} is not there")
            return Needed(found=f"{exact.describe()} is there", undo=EnsureRoute(device=action.device, route=exact))
        if exact:
            return Already(reason=f"{action.route.describe()} is there already")
        if there:
            undo: Action = EnsureRoute(device=action.device, route=there[0])
            return Needed(found=f"{there[0].describe()} is in its place", undo=undo)
        undo = EnsureNoRoute(device=action.device, route=action.route, link=action.route.link)
        return Needed(found=f"{action.route.describe()} is missing", undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureRoute | EnsureNoRoute)
        index = _index(action.route.link) if action.route.link else 0
        if isinstance(action, EnsureNoRoute):
            _make(rtnetlink.drop_route(action.route, index), *GONE)
            return f"took {action.route.describe()} away"
        for _ in range(_TENTATIVE):
            if self._put(action.route, index):
                return f"put {action.route.describe()} there"
            await asyncio.sleep(_TENTATIVE_PAUSE)
        raise Unavailable(f"{action.route.describe()} cannot start at {action.route.source} yet")

    def _put(self, route: Route, index: int) -> bool:
        """False where the address that the route starts from cannot be used yet."""
        request = rtnetlink.put_route(route, index)
        if not any(_same_place(there, route) for there in _routes()):
            request = request._replace(flags=ACK | CREATE | EXCLUDE)  # never over a route of the kernel's own
        tentative = (errno.EINVAL,) if route.source and ":" in route.source else ()
        return _make(request, *tentative)


class NeighbourEffect:
    """EnsureNeighbourLearned and EnsureNeighbourFixed."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureNeighbourLearned | EnsureNeighbourFixed)
        index = kernel.index_of(action.link)
        if not index:
            return Impossible(reason=kernel.NO_LINK.format(action.link))
        with kernel.opened() as asking:
            fixed = reach.hardware(kernel.neighbour(asking, index, action.gateway))
        if isinstance(action, EnsureNeighbourFixed):
            undo: Action = EnsureNeighbourLearned(device=action.device, link=action.link, gateway=action.gateway)
            same = fixed == action.hardware
            return Already(reason=f"it is {fixed}") if same else Needed(found="it is not fixed so", undo=undo)
        if not fixed:
            return Already(reason=f"the hardware address of {action.gateway} is not fixed")
        undo = EnsureNeighbourFixed(device=action.device, link=action.link, gateway=action.gateway, hardware=fixed)
        return Needed(found=f"the hardware address of {action.gateway} is fixed as {fixed}", undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureNeighbourLearned | EnsureNeighbourFixed)
        index = _index(action.link)
        if isinstance(action, EnsureNeighbourFixed):
            hardware = bytes.fromhex(action.hardware.replace(":", ""))
            _make(rtnetlink.put_neighbour(index, action.gateway, rtnetlink.PERMANENT, hardware))
            return f"fixed the hardware address of {action.gateway} as {action.hardware}"
        _make(rtnetlink.drop_neighbour(index, action.gateway), *GONE)
        return f"let the hardware address of {action.gateway} be learned again"


def _index(name: str) -> int:
    index = kernel.index_of(name)
    if not index:
        raise Refused(kernel.NO_LINK.format(name))
    return index


def _make(request: Request, *accepted: int) -> bool:
    """Make one change; False where the kernel answered an errno that is accepted. Raises Refused without the right."""
    try:
        return kernel.quietly(request, *accepted)
    except PermissionError as problem:
        raise Refused("only root may change the network: run the agent as root") from problem


def _picture() -> Picture:
    with kernel.opened() as asking:
        return kernel.look(asking)


def _address(link: str, address: str) -> Address | None:
    picture = _picture()
    on_link = [row.address for row in picture.addresses if picture.names.get(row.ifindex) == link]
    return next((there for there in on_link if there.address == address), None)


def _announced(link: str) -> list[str]:
    """The link's IPv4 addresses."""
    picture = _picture()
    own = [row.address.address for row in picture.addresses if picture.names.get(row.ifindex) == link]
    return [address.split("/")[0] for address in own if ":" not in address]


def _routes() -> tuple[Route, ...]:
    return _picture().routes


def _same_place(one: Route, other: Route) -> bool:
    """Only one route can be there: same destination, same metric."""
    return (one.destination, one.metric) == (other.destination, other.metric)


def _same(one: Route, other: Route) -> bool:
    return _same_place(one, other) and (one.via, one.link, one.kind) == (other.via, other.link, other.kind)
