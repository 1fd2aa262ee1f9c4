"""A pair of network namespaces for one test: the machine (this process moves in) and its gateway, on one cable."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from groundskeeper.lab.namespaces import enter, new_network_namespace

GATEWAY, MACHINE = "10.91.7.1", "10.91.7.2"
GATEWAY6, MACHINE6 = "fd91:7::1", "fd91:7::2"


def ip(*words: str) -> None:
    """One `ip` command in the namespace that this thread is in: the passing hand of a person."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def inside(fd: int) -> Iterator[None]:
    """This thread, for a while, in another network namespace."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    enter(fd)
    try:
        yield
    finally:
        enter(home)
        os.close(home)


def dress() -> None:
    """The machine's own settings, as `ip` would make them at boot."""
    ip("link", "set", "lo", "up")
    ip("link", "set", "host0", "up")
    ip("address", "add", f"{MACHINE}/24", "dev", "host0")
    ip("-6", "address", "add", f"{MACHINE6}/64", "dev", "host0", "nodad")
    ip("route", "add", "default", "via", GATEWAY)
    ip("-6", "route", "add", "default", "via", GATEWAY6)


@contextmanager
def machine_and_gateway() -> Iterator[int]:
    """This thread becomes the machine; gives the gateway's namespace. Both end with the block."""
    gateway, machine = new_network_namespace(), new_network_namespace()
    try:
        with inside(machine):
            ip("link", "add", "host0", "type", "veth", "peer", "name", "lan0")
            subprocess.run(
                ["ip", "link", "set", "lan0", "netns", f"/proc/self/fd/{gateway}"], check=True, pass_fds=[gateway]
            )
            with inside(gateway):
                ip("link", "set", "lo", "up")
                ip("link", "set", "lan0", "up")
                ip("address", "add", f"{GATEWAY}/24", "dev", "lan0")
                ip("-6", "address", "add", f"{GATEWAY6}/64", "dev", "lan0", "nodad")
            dress()
            yield gateway
    finally:
        os.close(gateway)
        os.close(machine)
