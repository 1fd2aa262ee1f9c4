"""The lab's wiring: bridges in the lab's own network namespace, and a pair of virtual cards per plug.

Everything is created by the owner, inside the namespace it lives in; nothing of the host's network is touched.
"""

import hashlib
import subprocess
from collections.abc import Iterable

from groundskeeper.lab.office import Link, MachinePlan, Office


def ip_batch(commands: Iterable[str]) -> None:
    """Run `ip` once over many commands, in the calling process's network namespace."""
    subprocess.run(("ip", "-batch", "-"), input="\n".join(commands), text=True, check=True, capture_output=True)


def make_bridges(office: Office) -> None:
    """One bridge per network of the office."""
    ip_batch(
        [
            "link set lo up",
            *(f"link add {n} type bridge forward_delay 0" for n in office.networks),
            *(f"link set {n} up" for n in office.networks),
        ]
    )


def plug_in(office: Office, plan: MachinePlan, boot: int, netns_path: str) -> None:
    """Give the machine's network namespace its cards, each plugged into its bridge; the machine configures them itself.

    The outer end is named after the boot too: the kernel removes the cards of the boot before only some time after its
    end.
    """
    number = office.machines.index(plan)
    commands = []
    for position, link in enumerate(plan.links):
        outside = f"m{number}p{position}b{boot}"
        commands += [
            f"link add {outside} type veth peer name {link.name} address {mac(plan, link)} netns {netns_path}",
            f"link set {outside} master {link.network} up",
        ]
    ip_batch(commands)


def mac(plan: MachinePlan, link: Link) -> str:
    """The card's address, the same at every boot: the neighbours remember it, and would send to the old one."""
    digest = hashlib.sha256(f"{plan.name} {link.name}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (2, *digest[:5]))


def interfaces_file(plan: MachinePlan) -> str:
    """/etc/network/interfaces as an administrator would write it."""
    lines = ["auto lo", "iface lo inet loopback", ""]
    for link in plan.links:
        lines += [f"auto {link.name}", f"iface {link.name} inet static", f"    address {link.address}"]
        lines += [f"    gateway {link.gateway}"] if link.gateway else []
        lines += [""]
    return "\n".join(lines)
