"""Whose hand changed the network: a program that is still running, or a command that has come and gone.

The kernel announces a change with the number of the socket over which it was asked for. A command (`ip`, a script, a
slip of the hand) closes its socket within milliseconds; a network daemon or a VPN keeps it. What a running program
took away is its business; what a passing command took away is put back. Honest limits: a person's command looks like
any other, so that a change made by hand stands only once something else is in its place and works; a program that
makes its changes by running commands (dhclient, ifupdown) looks like a person, but for ifupdown, which is known.
"""

from pathlib import Path

_AT_WORK = frozenset({"ifup", "ifdown", "ifreload", "netplan", "dhclient-script"})


def still_open(port: int, table: Path = Path("/proc/net/netlink")) -> bool:
    """Whether a route socket of this number is open in this network namespace."""
    wanted = str(port)
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return False
    return any(row[1:3] == ["0", wanted] for row in (line.split(maxsplit=3) for line in lines))


def at_work(proc: Path = Path("/proc")) -> str:
    """The name of a command that is reconfiguring the network right now, and will finish by itself; "" for none."""
    for folder in proc.iterdir():
        if folder.name.isdigit():
            try:
                name = (folder / "comm").read_text().strip()
            except OSError:
                continue
            if name in _AT_WORK:
                return name
    return ""


def put_down(link: str, state: Path = Path("/run/network/ifstate")) -> bool:
    """Whether ifupdown is in charge here and has this link on its list of those that are down."""
    try:
        up = state.read_text()
    except OSError:
        return False
    known = (state.with_name(f"ifstate.{link}")).exists()
    return known and f"{link}=" not in up


def life(proc: Path = Path("/proc")) -> str:
    """Names this life of the machine: the kernel's boot, and when process 1 began (a container starts on its own)."""
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
        began = (proc / "1/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot} {began}"
