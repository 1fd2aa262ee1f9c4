"""Cards, addresses, routes and resolvers that are lost."""

from collections.abc import Callable

from groundskeeper.lab.faults.fault import Fault, hurts
from groundskeeper.lab.felt import Service
from groundskeeper.lab.lab import Lab

ON_WEB = hurts(Service.WEB, Service.UPLOAD, Service.SSH)
BEYOND = ON_WEB | {Service.DB}
RESOLVER = "etc/resolv.conf"
WRONG_WAY = "blackhole 10.77.1.0/24"


def ip(machine: str, *argv: str) -> Callable[[Lab], None]:
    """Change the machine's network with `ip`, from inside."""

    def inject(lab: Lab) -> None:
        lab.machine(machine).run("ip", *argv)

    return inject


def as_configured(machine: str) -> Callable[[Lab], None]:
    """Put back what the office's plan says: cards up, addresses and default route there, the wrong route gone."""

    def heal(lab: Lab) -> None:
        there = lab.machine(machine)
        there.run("ip", "route", "del", *WRONG_WAY.split(), check=False)
        for link in lab.office.machine(machine).links:
            there.run("ip", "link", "set", link.name, "up")
            there.run("ip", "address", "replace", link.address, "dev", link.name)
            if link.gateway:
                there.run("ip", "route", "replace", "default", "via", link.gateway, "dev", link.name)

    return heal


def _resolver_overwritten(lab: Lab) -> None:
    lab.machine("workstation").write(RESOLVER, "# written by a tool that knew better\nnameserver 10.77.1.250\n")


def _resolver_put_back(lab: Lab) -> None:
    plan = lab.office.machine("workstation")
    lab.machine("workstation").write(RESOLVER, f"nameserver {plan.resolver}\n")


def _lost(name: str, machine: str, what: str, hurt: frozenset[Service], *argv: str) -> Fault:
    return Fault(
        name=name, machine=machine, what=what, hurts=hurt, inject=ip(machine, *argv), heal=as_configured(machine)
    )


FAULTS = (
    _lost("link-down", "web-1", "the server's network card is switched off", ON_WEB, "link", "set", "eth0", "down"),
    _lost("address-lost", "web-1", "the server loses its address", ON_WEB, "address", "flush", "dev", "eth0"),
    _lost("route-lost", "web-1", "the server loses its default route", ON_WEB, "route", "del", "default"),
    _lost("wrong-route", "web-1", "a wrong route swallows answers", ON_WEB, "route", "add", *WRONG_WAY.split()),
    _lost("client-route-lost", "workstation", "the workstation loses its way out", BEYOND, "route", "del", "default"),
    _lost("gateway-link-down", "gateway", "the link to the servers fails", BEYOND, "link", "set", "srv0", "down"),
    Fault(
        name="resolver-overwritten", machine="workstation", hurts=hurts(Service.NAME),
        inject=_resolver_overwritten, heal=_resolver_put_back,
        what="a tool wrote a dead name server into the workstation's resolv.conf",
    ),
)  # fmt: skip
