"""What the machine's own settings name: that is how it should be from the first look on, not only after a minute.

The settings of ifupdown, systemd-networkd, netplan and NetworkManager, and DHCP's leases, are not understood here, only
searched: an address, a gateway or a link that is there now and is named in them was meant to be there. A name in a
comment does no harm: it says nothing about what is not there.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path
from re import compile as pattern

from groundskeeper.subsystems.network.baseline import Held, Key, What
from groundskeeper.subsystems.network.types import Route

_PLACES = (
    "etc/network/interfaces",
    "etc/network/interfaces.d/*",
    "etc/systemd/network/*.network",
    "run/systemd/network/*.network",
    "etc/netplan/*.yaml",
    "etc/NetworkManager/system-connections/*",
    "run/NetworkManager/system-connections/*",
    "run/systemd/netif/leases/*",
    "var/lib/dhcp/*.leases",
)
_LARGEST = 1 << 18
_WORD = pattern(r"[0-9A-Za-z_.:@-]+")


def words(root: Path = Path("/")) -> frozenset[str]:
    """Every word of the settings."""
    return frozenset(word for text in _texts(root) for word in _WORD.findall(text))


def _texts(root: Path) -> Iterator[str]:
    for place in _PLACES:
        for file in root.glob(place):
            try:
                with file.open("rb") as opened:
                    yield opened.read(_LARGEST).decode("utf-8", "replace")
            except OSError:
                continue


def meant(things: Iterable[tuple[Key, What]], named: frozenset[str]) -> frozenset[Key]:
    """Those that the settings name. The loopback is meant on every machine."""
    found = dict(things)
    links = {key[1] for key, what in found.items() if isinstance(what, Held) and _is_named(what, named)} | {"lo"}
    return frozenset(key for key, what in found.items() if _is_meant(key, what, links, named))


def _is_meant(key: Key, what: What, links: set[str], named: frozenset[str]) -> bool:
    match what:
        case Held():
            return _is_named(what, named)
        case Route():
            return what.via in named if what.default else str(ip_network(what.destination).network_address) in named
    return key[0] in ("link", "carrier", "mtu") and key[1] in links


def _is_named(held: Held, named: frozenset[str]) -> bool:
    return held.link == "lo" or held.address.address.split("/")[0] in named
