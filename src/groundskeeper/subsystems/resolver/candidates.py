"""Where else a working name server may be known on this machine. No public one is ever among them."""

from collections.abc import Iterator
from pathlib import Path
from re import MULTILINE
from re import compile as pattern

from groundskeeper.subsystems.resolver import conf

_LEASES = (
    ("run/systemd/netif/leases", "*", pattern(r"^DNS=(.*)$", MULTILINE)),
    ("var/lib/dhcp", "dhclient*.leases", pattern(r"option domain-name-servers ([^;]*);")),
    ("var/lib/NetworkManager", "*.lease", pattern(r"^DNS=(.*)$", MULTILINE)),
)
_LISTS = ("run/systemd/resolve/resolv.conf", "run/NetworkManager/no-stub-resolv.conf")
_LARGEST = 1 << 16


def known_on_this_machine(root: Path = Path("/")) -> tuple[str, ...]:
    """Servers that DHCP or a network program was told of, the latest lease first."""
    return tuple(dict.fromkeys([*_leased(root), *_listed(root)]))


def _leased(root: Path) -> Iterator[str]:
    for folder, names, line in _LEASES:
        files = sorted((root / folder).glob(names), key=_age)
        for file in files:
            for told in reversed(line.findall(_text(file))):
                yield from (word for word in told.replace(",", " ").split() if conf.is_address(word))


def _age(file: Path) -> float:
    try:
        return -file.stat().st_mtime
    except OSError:
        return 0.0


def _listed(root: Path) -> Iterator[str]:
    for name in _LISTS:
        yield from (server for server in conf.servers(_text(root / name)) if not conf.is_local(server))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
