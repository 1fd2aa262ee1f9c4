"""Asking the kernel about the network, and telling it. Each call takes tens of microseconds."""

import errno
import socket
from contextlib import suppress

from groundskeeper.lib.netlink import ROUTE, Netlink, Request
from groundskeeper.subsystems.network import rtnetlink
from groundskeeper.subsystems.network.rtnetlink import LinkRow, NeighbourRow, Picture
from groundskeeper.subsystems.network.types import Route

NO_LINK = "there is no link {}: it is unplugged, or its driver is gone"
GONE = (errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL, errno.ENODEV)


def opened() -> Netlink:
    return Netlink(ROUTE, strict=True)


def look(kernel: Netlink) -> Picture:
    links = {
        row.ifindex: row
        for row in map(rtnetlink.link_row, kernel.dump(rtnetlink.GETLINK, rtnetlink.all_links()))
        if row
    }
    told = kernel.dump(rtnetlink.GETADDR, rtnetlink.all_addresses())
    addresses = tuple(row for row in map(rtnetlink.address_row, told) if row)
    return Picture(links, addresses, routes(kernel, {index: row.name for index, row in links.items()}))


def routes(kernel: Netlink, names: dict[int, str]) -> tuple[Route, ...]:
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(FileNotFoundError):  # No route yet: the kernel has not made the table
            for message in kernel.dump(rtnetlink.GETROUTE, rtnetlink.all_routes(family)):
                row = rtnetlink.route_row(message, names)
                if row:
                    found.append(row)
    return tuple(sorted(found, key=lambda route: (not route.default, route.destination, route.metric, route.link)))


def neighbour(kernel: Netlink, index: int, address: str) -> NeighbourRow | None:
    """The neighbour table's entry, or None where there is none (or no such link any more)."""
    try:
        answers = kernel.ask(rtnetlink.GETNEIGH, rtnetlink.one_neighbour(index, address))
    except OSError as problem:
        if problem.errno in GONE:
            return None
        raise
    return next(filter(None, map(rtnetlink.neighbour_row, answers)), None)


def link(name: str) -> LinkRow | None:
    index = index_of(name)
    if not index:
        return None
    try:
        with Netlink(ROUTE) as asking:
            answers = asking.ask(rtnetlink.GETLINK, rtnetlink.one_link(index))
    except OSError as problem:
        if problem.errno in GONE:
            return None
        raise
    return next(filter(None, map(rtnetlink.link_row, answers)), None)


def index_of(name: str) -> int:
    """0 where there is no such link."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def tell(request: Request) -> None:
    """Make one change, over a socket of its own: one that stays open is how others know a running program's hand."""
    with Netlink(ROUTE) as kernel:
        kernel.batch((request,))


def quietly(request: Request, *accepted: int) -> bool:
    """As `tell`; False where the kernel answered one of the accepted errnos."""
    try:
        tell(request)
    except OSError as problem:
        if problem.errno in accepted:
            return False
        raise
    return True
