"""Does a gateway answer on its own network? Asked by ARP or neighbour discovery, which no firewall of its own stops."""

import socket
from contextlib import suppress

from groundskeeper.lib.netlink import Netlink
from groundskeeper.subsystems.network import kernel, rtnetlink
from groundskeeper.subsystems.network.rtnetlink import NO_NEIGHBOURS, UP, LinkRow, NeighbourRow

_DISCARD = 9
_BINDTODEVICE = 25

_KNOWN = rtnetlink.REACHABLE | rtnetlink.STALE | rtnetlink.DELAY | rtnetlink.PROBE


def poke(asking: Netlink, link: LinkRow, gateway: str) -> None:
    """Make the kernel ask for the gateway's hardware address now. The answer shows in the neighbour table."""
    row = kernel.neighbour(asking, link.ifindex, gateway)
    if row and row.state & rtnetlink.PERMANENT:
        return
    if row and row.state & _KNOWN and _asked_again(row):
        return
    _send(link, gateway)


def poke_again(asking: Netlink, link: LinkRow, gateway: str) -> None:
    """The same, where nothing has come back yet: the kernel by itself would ask again only after a second.

    The other end of a link that has just come up may have received the question and not been able to answer yet.
    """
    row = kernel.neighbour(asking, link.ifindex, gateway)
    if row is None or row.state & rtnetlink.FAILED or row.state & rtnetlink.INCOMPLETE:
        with suppress(PermissionError):
            kernel.quietly(rtnetlink.drop_neighbour(link.ifindex, gateway), *kernel.GONE)
        _send(link, gateway)


def _asked_again(row: NeighbourRow) -> bool:
    """An entry that is known already is confirmed by a question of its own; False where we may not ask for that."""
    probing = rtnetlink.put_neighbour(row.ifindex, row.address, rtnetlink.PROBE, row.hardware)
    try:
        kernel.tell(probing)
    except PermissionError:
        return False
    return True


def _send(link: LinkRow, gateway: str) -> None:
    """One empty datagram to the discard port: it cannot leave before the neighbour is known."""
    family = rtnetlink.family_of(gateway)
    target = (gateway, _DISCARD, 0, link.ifindex) if family == socket.AF_INET6 else (gateway, _DISCARD)
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender, suppress(OSError):
        with suppress(PermissionError):
            sender.setsockopt(socket.SOL_SOCKET, _BINDTODEVICE, link.name.encode() + b"\0")
        sender.sendto(b"", socket.MSG_DONTROUTE, target)


def verdict(link: LinkRow | None, row: NeighbourRow | None) -> tuple[bool | None, str]:
    """(does it answer, how that is known); None where it has not been decided yet."""
    if link is None:
        return False, "its link is gone"
    if not link.flags & UP:
        return False, f"{link.name} is switched off"
    if not link.flags & rtnetlink.LOWER_UP:
        return False, f"the other end of {link.name} is not there"
    if link.flags & NO_NEIGHBOURS:
        return True, f"{link.name} leads to one place only"
    if row is None:
        return None, "it has not been asked yet"
    if row.state & rtnetlink.PERMANENT:
        return True, "its hardware address is fixed by hand"
    if row.state & rtnetlink.REACHABLE:
        return True, "it answers when asked for its hardware address"
    if row.state & rtnetlink.FAILED:
        return False, "it does not answer when asked for its hardware address"
    return None, "it has been asked"


def hardware(row: NeighbourRow | None) -> str:
    """The hardware address that somebody fixed by hand; "" where it is learned."""
    return row.hardware.hex(":") if row and row.state & rtnetlink.PERMANENT else ""
