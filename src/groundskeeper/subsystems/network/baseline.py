"""Learning what a machine's network should be from what it has been. Pure: values in, values out.

1. A thing (a link that is up, its carrier, its MTU, an address, a route) becomes steady once it has been there without
   a break for `steady`, or at once where the machine's settings name it; only steady things are expected.
2. A steady thing that is gone stays expected, so that it can be put back, unless
   - a program that is still running took it away (a network daemon, a VPN): its business;
   - something took its place, has become steady itself, and the gateway answers through it;
   - its lease has run out, or the device itself is gone and carried no default route;
   - it has been gone for `forget`: then that is how things are now.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from groundskeeper.model import Value
from groundskeeper.subsystems.network.rtnetlink import LOWER_UP, UP, AddressRow, LinkRow, Picture
from groundskeeper.subsystems.network.types import Address, Addresses, NetworkBaseline, Route, SteadyLink

Key = tuple[str, ...]
"""("link", name), ("carrier", name), ("mtu", name, number), ("address", link, address), ("route", …)."""


class Held(NamedTuple):
    link: str
    address: Address


What = Held | Route | None


class Kept(NamedTuple):
    """`since` and `gone` on the clock that never jumps, in seconds."""

    what: What
    since: float
    gone: float | None = None


Memory = Mapping[Key, Kept]


class Limits(NamedTuple):
    steady: timedelta = timedelta(seconds=60)
    forget: timedelta = timedelta(hours=1)


class Moment(NamedTuple):
    """What learning needs to know beside the picture. `works`: a default gateway answers now."""

    elapsed: float
    now: datetime
    works: bool
    removed: frozenset[Key] = frozenset()
    """What a program that is still running took away."""
    meant: frozenset[Key] = frozenset()
    """What the machine's settings name."""


class Stored(Value, tag=False):
    """What outlives the agent: the steady things, and which life of the machine they were seen in."""

    life: str
    links: tuple[SteadyLink, ...] = ()
    addresses: tuple[Addresses, ...] = ()
    routes: tuple[Route, ...] = ()


def things(picture: Picture, now: datetime) -> dict[Key, tuple[What, float]]:
    """Everything that could be expected, with when it came to be, in seconds since the start (0: nobody knows)."""
    names = picture.names
    born: dict[int, float] = {}
    for row in picture.addresses:
        born[row.ifindex] = min(row.born, born.get(row.ifindex, row.born))
    found: dict[Key, tuple[What, float]] = {}
    for link in picture.links.values():
        if link.flags & UP and (link.ifindex in born or link.master):
            found |= dict.fromkeys(_of_link(link), (None, born.get(link.ifindex, 0.0)))
    for row in picture.addresses:
        link_name = names.get(row.ifindex, "")
        found["address", link_name, row.address.address] = (Held(link_name, _leased(row, now)), row.born)
    born_by_name = {names[index]: at for index, at in born.items() if index in names}
    for route in picture.routes:
        found[route_key(route)] = (route, born_by_name.get(route.link, 0.0))
    return found


def _leased(row: AddressRow, now: datetime) -> Address:
    if row.lasts is None:
        return row.address
    return msgspec.structs.replace(row.address, until=now + timedelta(seconds=row.lasts))


def _of_link(link: LinkRow) -> Iterable[Key]:
    yield ("link", link.name)
    yield ("mtu", link.name, str(link.mtu))
    if link.flags & LOWER_UP:
        yield ("carrier", link.name)


def route_key(route: Route) -> Key:
    return ("route", route.link, route.destination, route.via, str(route.metric), route.kind)


def learn(memory: Memory, picture: Picture, moment: Moment, limits: Limits) -> dict[Key, Kept]:
    """The memory after this look; see the steps at the top."""
    present = things(picture, moment.now)
    steady = limits.steady.total_seconds()
    learned: dict[Key, Kept] = {}
    for key, (what, born) in present.items():
        before = memory.get(key)
        since = before.since if before else _began(key, born, bool(memory), moment)
        if key in moment.meant:
            since = min(since, moment.elapsed - steady)
        learned[key] = Kept(_same_lease(before, what), min(since, moment.elapsed))
    settled = {key for key, kept in learned.items() if moment.elapsed - kept.since >= steady}
    lost = {key: kept for key, kept in memory.items() if key not in present and _was_steady(kept, moment, steady)}
    devices = set(picture.names.values())
    for key, kept in lost.items():
        gone = kept._replace(gone=moment.elapsed if kept.gone is None else kept.gone)
        if not _given_up(key, gone, lost, settled, devices, moment, limits):
            learned[key] = gone
    return learned


def _began(key: Key, born: float, watched: bool, moment: Moment) -> float:
    """Since when a new thing has been there. Of a route that appears before our eyes the link's age says nothing."""
    return born if born and (not watched or key[0] == "address") else moment.elapsed


def _same_lease(before: Kept | None, what: What) -> What:
    """The thing as it was told before, where only the end of its lease came out a little differently."""
    if before is None or not isinstance(what, Held) or not isinstance(before.what, Held):
        return what
    old, new = before.what.address.until, what.address.until
    same = old is not None and new is not None and abs(new - old) < timedelta(minutes=1)
    return before.what if same else what


def _was_steady(kept: Kept, moment: Moment, steady: float) -> bool:
    return kept.gone is not None or moment.elapsed - kept.since >= steady


def _given_up(
    key: Key, kept: Kept, lost: Memory, settled: set[Key], devices: set[str], moment: Moment, limits: Limits
) -> bool:
    if key in moment.removed:
        return True
    if isinstance(kept.what, Held) and kept.what.address.until and kept.what.address.until <= moment.now:
        return True
    if key[1] and key[1] not in devices and not _carried_default(key[1], lost):
        return True
    if kept.gone is not None and moment.elapsed - kept.gone >= limits.forget.total_seconds():
        return True
    return moment.works and any(_replaces(other, key) for other in settled)


def _carried_default(link: str, lost: Memory) -> bool:
    return any(isinstance(kept.what, Route) and kept.what.default and kept.what.link == link for kept in lost.values())


def _replaces(new: Key, old: Key) -> bool:
    """Does a steady thing stand in the place of one that is gone? Carrier and being switched on have no stand-in."""
    if new[0] != old[0]:
        return False
    match new[0]:
        case "mtu":
            return new[1] == old[1]
        case "address":
            return new[1] == old[1] and (":" in new[2]) == (":" in old[2])
        case "route":
            return new[2] == old[2]
    return False


def expected(
    memory: Memory, moment: Moment, limits: Limits, judged_from: datetime, held_by: str = ""
) -> NetworkBaseline:
    """The steady things as a fact."""
    steady = limits.steady.total_seconds()
    keys = {key: kept for key, kept in memory.items() if _was_steady(kept, moment, steady)}
    sizes = {key[1]: int(key[2]) for key, kept in keys.items() if key[0] == "mtu"}
    links = tuple(
        SteadyLink(name=key[1], carrier=("carrier", key[1]) in keys, mtu=sizes.get(key[1], 0))
        for key in sorted(keys)
        if key[0] == "link"
    )
    by_link: dict[str, list[Address]] = {}
    for _, kept in sorted(keys.items()):
        if isinstance(kept.what, Held):
            by_link.setdefault(kept.what.link, []).append(kept.what.address)
    addresses = tuple(Addresses(link=link, addresses=tuple(held)) for link, held in sorted(by_link.items()))
    routes = tuple(kept.what for _, kept in sorted(keys.items()) if isinstance(kept.what, Route))
    return NetworkBaseline(links=links, addresses=addresses, routes=routes, judged_from=judged_from, held_by=held_by)


def next_change(memory: Memory, elapsed: float, limits: Limits) -> float | None:
    """Seconds until the next thing becomes steady or is forgotten; None where nothing is on its way."""
    steady, forget = limits.steady.total_seconds(), limits.forget.total_seconds()
    ends = (kept.since + steady if kept.gone is None else kept.gone + forget for kept in memory.values())
    return min((end - elapsed for end in ends if end > elapsed), default=None)


def stored(baseline: NetworkBaseline, life: str) -> Stored:
    return Stored(life=life, links=baseline.links, addresses=baseline.addresses, routes=baseline.routes)


def recalled(kept: Stored, elapsed: float, limits: Limits) -> dict[Key, Kept]:
    """The memory that a stored baseline stands for: every thing has been steady long enough."""
    since = elapsed - limits.steady.total_seconds()
    keys: dict[Key, What] = {}
    for link in kept.links:
        keys["link", link.name] = None
        if link.mtu:
            keys["mtu", link.name, str(link.mtu)] = None
        if link.carrier:
            keys["carrier", link.name] = None
    for held in kept.addresses:
        keys |= {("address", held.link, address.address): Held(held.link, address) for address in held.addresses}
    keys |= {route_key(route): route for route in kept.routes}
    return {key: Kept(what, since) for key, what in keys.items()}
