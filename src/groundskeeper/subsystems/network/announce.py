"""Telling the neighbours at once that an address is here (RFC 5227 section 2.3: ARP announcement).

A neighbour that asked in vain while the link was off asks again only after a second; an announcement ends its waiting.
Sent both as request and as reply, because some listen to one of them only.
"""

import socket
import struct

_ARP = 0x0806
_ARPHRD_ETHER = 1
_EVERYONE = b"\xff" * 6
_BODY = struct.Struct(">HHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2


def frames(hardware: bytes, address: str) -> tuple[bytes, bytes]:
    """The announcement of an IPv4 address as two Ethernet frames."""
    own = socket.inet_pton(socket.AF_INET, address)
    head = _EVERYONE + hardware + struct.pack(">H", _ARP)
    asked = _BODY.pack(_ARPHRD_ETHER, 0x0800, 6, 4, _REQUEST, hardware, own, bytes(6), own)
    told = _BODY.pack(_ARPHRD_ETHER, 0x0800, 6, 4, _REPLY, hardware, own, hardware, own)
    return head + asked, head + told


def announce(link: str, addresses: list[str]) -> None:
    """Announce these IPv4 addresses on the link. Where that is not possible, the neighbours find out a little later."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0) as wire:
            wire.bind((link, 0))
            _, _, _, kind, hardware = wire.getsockname()
            if kind != _ARPHRD_ETHER or len(hardware) != 6:
                return  # A tunnel has no neighbours that could be told
            for address in addresses:
                for frame in frames(hardware, address):
                    wire.send(frame)
    except OSError:
        return
