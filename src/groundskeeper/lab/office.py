"""An office as data:

which machines, on which networks, with which packages and files. Another company is another file.
"""

import ipaddress
import tomllib
from importlib.resources import files
from pathlib import Path

import msgspec

from groundskeeper.lab.errors import LabError

PACKAGES = (
    "dbus",
    "dnsmasq",
    "e2fsprogs",
    "ifupdown",
    "iproute2",
    "iputils-ping",
    "libnftables1",
    "nftables",
    "nginx-light",
    "openssh-server",
    "postgresql",
    "procps",
    "python3",
    "snmpd",
    "systemd-sysv",
)


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network card of a machine:

    its name inside, the network it is plugged into, its address with prefix length.
    """

    name: str
    network: str
    address: str
    gateway: str = ""


class MachinePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One machine. `files` are written over the image before the first boot: path to text.

    `services` are the units of the image that run here; every other service of the image is off. `cpu` pins the machine
    to one core of the host (modulo how many there are), so that a runaway in it cannot slow the others: as on real
    machines.
    """

    name: str
    links: tuple[Link, ...]
    services: tuple[str, ...] = ()
    files: dict[str, str] = {}
    resolver: str = ""
    agent: bool = False
    forward: bool = False
    cpu: int | None = None
    var_size_mb: int = 256


class Uses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client uses: addresses, and the name that must lead to `name_address`. Empty: not used."""

    name: str = ""
    name_address: str = ""
    web: str = ""
    upload: str = ""
    db: str = ""
    ssh: str = ""


class Office(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A company: its networks, its machines, and the machine of the client's chair, from which it is judged."""

    name: str
    networks: tuple[str, ...]
    machines: tuple[MachinePlan, ...]
    packages: tuple[str, ...] = PACKAGES
    chair: str = ""
    uses: Uses = Uses()

    def machine(self, name: str) -> MachinePlan:
        """The plan of one machine; LabError naming the machines there are."""
        for plan in self.machines:
            if plan.name == name:
                return plan
        raise LabError(f"no machine {name!r} in {self.name}; there are {', '.join(m.name for m in self.machines)}")

    def address(self, machine: str) -> str:
        """The first address of a machine, without its prefix length."""
        return str(ipaddress.ip_interface(self.machine(machine).links[0].address).ip)

    def with_packages(self, *extra: str) -> "Office":
        """The same office on an image that also has these Debian packages (peers to be measured, for instance)."""
        return msgspec.structs.replace(self, packages=tuple(sorted({*self.packages, *extra})))


class Order(msgspec.Struct, frozen=True):
    """What a lab is to be: its name, its office, the image, the host folders its machines see (inside: outside)."""

    lab: str
    office: Office
    image: str
    shared: dict[str, str]


def load_office(name_or_path: str) -> Office:
    """The office of that name that ships with the lab, or the one described by the TOML file at that path."""
    shipped = files("groundskeeper.lab") / "offices" / f"{name_or_path}.toml"
    try:
        text = shipped.read_text() if shipped.is_file() else Path(name_or_path).read_text()
        return msgspec.convert(tomllib.loads(text), Office, strict=True)
    except OSError as problem:
        raise LabError(f"there is no office {name_or_path!r}: `office` and `solo` ship with the lab") from problem
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise LabError(f"{name_or_path} does not describe an office: {problem}") from problem
