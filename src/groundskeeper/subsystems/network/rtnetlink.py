"""rtnetlink's messages as values and back. No socket here: bytes in, values out (kernel uapi linux/rtnetlink.h)."""

import socket
import struct
from datetime import datetime
from typing import NamedTuple

from groundskeeper.lib import netlink
from groundskeeper.lib.netlink import Message, Request
from groundskeeper.subsystems.network.types import Address, Route

NEWLINK, DELLINK, GETLINK = 16, 17, 18
NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30
GROUPS = (1, 3, 5, 7, 9, 11)
"""Links, neighbours, and addresses and routes of IPv4 and IPv6."""

MAIN_TABLE = 254
_OURS_TO_KEEP = frozenset({0, 3, 4, 16})
"""Routes set by nobody in particular, by hand at run time, by configuration, by DHCP. The kernel's, a router's
announcements and those of routing programs (BGP, OSPF …) are put back by whoever made them."""

UP, LOOPBACK, NO_NEIGHBOURS, LOWER_UP = 0x1, 0x8, 0x80, 0x10000

INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, PERMANENT = (1 << bit for bit in range(8))

_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_CACHE = struct.Struct("=IIII")
_FOREVER = 0xFFFFFFFF
_ADDRESS_PERMANENT, _ADDRESS_TEMPORARY = 0x80, 0x01
_UNCHECKED, _ALONE = 0x02, 0x200
_MADE_BY_KERNEL = (1, 2, 3)
_ONLINK = 4
_LINK_SCOPE = 253
_KINDS = {1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}
_NUMBERS = {name: number for number, name in _KINDS.items()}


class LinkRow(NamedTuple):
    ifindex: int
    name: str
    flags: int
    mtu: int
    kind: str
    master: int


class AddressRow(NamedTuple):
    """`born` is in seconds since the machine started (the kernel's own note); `lasts` in seconds, None for good."""

    ifindex: int
    address: Address
    born: float
    lasts: float | None


class Picture(NamedTuple):
    """The network at one moment."""

    links: dict[int, LinkRow]
    addresses: tuple[AddressRow, ...]
    routes: tuple[Route, ...]

    @property
    def names(self) -> dict[int, str]:
        return {index: row.name for index, row in self.links.items()}


class NeighbourRow(NamedTuple):
    ifindex: int
    address: str
    state: int
    hardware: bytes


def family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _packed(address: str) -> bytes:
    return socket.inet_pton(family_of(address), address)


def _shown(family: int, data: bytes) -> str:
    """The address as text, or "" where the bytes are no address of the family."""
    if family not in (socket.AF_INET, socket.AF_INET6) or len(data) != (4 if family == socket.AF_INET else 16):
        return ""
    return socket.inet_ntop(family, data)


def link_row(message: Message) -> LinkRow | None:
    if len(message.body) < _IFINFO.size:
        return None
    family, _, index, flags, _ = _IFINFO.unpack_from(message.body)
    told = netlink.attributes(message.body, _IFINFO.size)
    if family != socket.AF_UNSPEC or 3 not in told:
        return None  # A bridge telling of its port, not of the link itself
    kind = netlink.string(netlink.attributes(told.get(18, b"")).get(1, b""))
    return LinkRow(
        index, netlink.string(told[3]), flags, netlink.number(told.get(4, b"")), kind, netlink.number(told.get(10, b""))
    )


def address_row(message: Message) -> AddressRow | None:
    """None for malformed bytes, and for an address of the kernel's own making."""
    if len(message.body) < _IFADDR.size:
        return None
    family, length, flags, scope, index = _IFADDR.unpack_from(message.body)
    told = netlink.attributes(message.body, _IFADDR.size)
    flags = netlink.number(told[8]) if 8 in told else flags
    local = _shown(family, told.get(2, told.get(1, b"")))
    if not local or _kernels_own(family, flags, scope, netlink.number(told.get(11, b"")), local):
        return None
    _, valid, created, _ = _CACHE.unpack(told[6]) if len(told.get(6, b"")) == _CACHE.size else (0, _FOREVER, 0, 0)
    other = _shown(family, told.get(1, b""))
    address = Address(
        address=f"{local}/{length}",
        peer=other if other != local else "",
        broadcast=_shown(family, told.get(4, b"")),
        label=netlink.string(told.get(3, b"")),
        metric=netlink.number(told.get(9, b"")),
        unchecked=bool(family == socket.AF_INET6 and flags & _UNCHECKED),
        alone=bool(flags & _ALONE),
    )
    return AddressRow(index, address, created / 100, None if valid == _FOREVER else float(valid))


def _kernels_own(family: int, flags: int, scope: int, maker: int, local: str) -> bool:
    if family != socket.AF_INET6 or local == "::1":
        return False
    link_local = scope == _LINK_SCOPE
    announced = maker in _MADE_BY_KERNEL or bool(flags & _ADDRESS_TEMPORARY) or not flags & _ADDRESS_PERMANENT
    return link_local or announced


def route_row(message: Message, names: dict[int, str]) -> Route | None:
    """None for malformed bytes, other tables, other makers, and routes over several ways at once."""
    if len(message.body) < _ROUTE.size:
        return None
    family, length, _, _, table, protocol, scope, kind, flags = _ROUTE.unpack_from(message.body)
    told = netlink.attributes(message.body, _ROUTE.size)
    table = netlink.number(told[15]) if 15 in told else table
    if table != MAIN_TABLE or protocol not in _OURS_TO_KEEP or kind not in _KINDS or {9, 18} & told.keys():
        return None
    empty = bytes(4 if family == socket.AF_INET else 16)
    target = _shown(family, told.get(1, empty))
    if not target:
        return None
    return Route(
        destination=f"{target}/{length}",
        link=names.get(netlink.number(told.get(4, b"")), "") if _KINDS[kind] == "unicast" else "",
        via=_shown(family, told.get(5, b"")),
        metric=netlink.number(told.get(6, b"")),
        kind=_KINDS[kind],
        source=_shown(family, told.get(7, b"")),
        protocol=protocol,
        scope=scope,
        onlink=bool(flags & _ONLINK),
    )


def neighbour_row(message: Message) -> NeighbourRow | None:
    if len(message.body) < _NEIGHBOUR.size:
        return None
    family, index, state, _, _ = _NEIGHBOUR.unpack_from(message.body)
    told = netlink.attributes(message.body, _NEIGHBOUR.size)
    address = _shown(family, told.get(1, b""))
    return NeighbourRow(index, address, state, told.get(2, b"")) if address else None


def about(message: Message) -> int:
    """The number of the link that an announcement is about; 0 where it names none."""
    if message.kind in (NEWLINK, DELLINK) and len(message.body) >= _IFINFO.size:
        return int(_IFINFO.unpack_from(message.body)[2])
    if message.kind in (NEWADDR, DELADDR) and len(message.body) >= _IFADDR.size:
        return int(_IFADDR.unpack_from(message.body)[4])
    if message.kind in (NEWROUTE, DELROUTE) and len(message.body) >= _ROUTE.size:
        return netlink.number(netlink.attributes(message.body, _ROUTE.size).get(4, b""))
    return 0


def all_links() -> bytes:
    return _IFINFO.pack(0, 0, 0, 0, 0)


def one_link(index: int) -> bytes:
    return _IFINFO.pack(0, 0, index, 0, 0)


def all_addresses() -> bytes:
    return _IFADDR.pack(0, 0, 0, 0, 0)


def all_routes(family: int) -> bytes:
    return _ROUTE.pack(family, 0, 0, 0, MAIN_TABLE, 0, 0, 0, 0)


def one_neighbour(index: int, address: str) -> bytes:
    return _NEIGHBOUR.pack(family_of(address), index, 0, 0, 0) + netlink.attribute(1, _packed(address))


def switch_link(index: int, up: bool) -> Request:
    return Request(NEWLINK, _IFINFO.pack(0, 0, index, UP if up else 0, UP))


def put_address(index: int, address: Address, now: datetime) -> Request:
    """Adds it, or renews it where it is there already. A lease goes on for what is left of it."""
    body = _address_body(index, address)
    if address.broadcast:
        body += netlink.attribute(4, _packed(address.broadcast))
    if address.label:
        body += netlink.text(3, address.label)
    if address.metric:
        body += netlink.u32(9, address.metric)
    if address.unchecked or address.alone:
        body += netlink.u32(8, _UNCHECKED * address.unchecked | _ALONE * address.alone)
    if address.until is not None:
        left = max(1, int((address.until - now).total_seconds()))
        body += netlink.attribute(6, _CACHE.pack(left, left, 0, 0))
    return Request(NEWADDR, body, netlink.ACK | netlink.CREATE | netlink.REPLACE)


def drop_address(index: int, address: Address) -> Request:
    return Request(DELADDR, _address_body(index, address))


def _address_body(index: int, address: Address) -> bytes:
    local, length = address.address.split("/")
    family = family_of(local)
    scope = 254 if local.startswith("127.") or local == "::1" else 0
    body = _IFADDR.pack(family, int(length), 0, scope, index)
    return body + netlink.attribute(2, _packed(local)) + netlink.attribute(1, _packed(address.peer or local))


def put_route(route: Route, index: int) -> Request:
    """Adds it, in the place of another with the same destination and metric, if there is one."""
    return Request(NEWROUTE, _route_body(route, index), netlink.ACK | netlink.CREATE | netlink.REPLACE)


def drop_route(route: Route, index: int) -> Request:
    return Request(DELROUTE, _route_body(route, index))


def _route_body(route: Route, index: int) -> bytes:
    target, length = route.destination.split("/")
    family = family_of(target)
    flags = _ONLINK if route.onlink else 0
    kind = _NUMBERS[route.kind]
    body = _ROUTE.pack(family, int(length), 0, 0, MAIN_TABLE, route.protocol, route.scope, kind, flags)
    if int(length):
        body += netlink.attribute(1, _packed(target))
    if index:
        body += netlink.u32(4, index)
    if route.via:
        body += netlink.attribute(5, _packed(route.via))
    if route.metric:
        body += netlink.u32(6, route.metric)
    if route.source:
        body += netlink.attribute(7, _packed(route.source))
    return body


def put_neighbour(index: int, address: str, state: int, hardware: bytes) -> Request:
    body = _NEIGHBOUR.pack(family_of(address), index, state, 0, 0) + netlink.attribute(1, _packed(address))
    if hardware:
        body += netlink.attribute(2, hardware)
    return Request(NEWNEIGH, body, netlink.ACK | netlink.CREATE | netlink.REPLACE)


def drop_neighbour(index: int, address: str) -> Request:
    return Request(
        DELNEIGH, _NEIGHBOUR.pack(family_of(address), index, 0, 0, 0) + netlink.attribute(1, _packed(address))
    )
