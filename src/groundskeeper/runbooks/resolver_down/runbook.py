"""Has a server asked first that answers."""

from collections.abc import Sequence

from groundskeeper.model import Action, Decline, Incident, Snapshot
from groundskeeper.runbooks.resolver_down.rule import ResolverDown, own_service
from groundskeeper.subsystems.resolver.types import EnsureResolver, Keeper, Resolver

MOST = 2
"""The C library asks three: one place is left for a server that stood there before."""


class AskAnotherServer:
    name = "ask_another_server"

    def __init__(self, rule: ResolverDown) -> None:
        self._rule = rule

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        device = incident.finding.device
        resolver = snapshot.get(Resolver, "resolver", device)
        if resolver is None:
            return self._decline("it is not known which servers are asked for names")
        if resolver.working:
            return self._decline("names are resolved again")
        if own_service(resolver):
            return self._decline(_service(resolver))
        servers = resolver.candidates or self._rule.fallback
        if not servers:
            return self._decline(
                "no other server that this machine knows of answers: the network or the server needs a person"
            )
        return [EnsureResolver(device=device, servers=servers[:MOST], path=resolver.path)]

    def _decline(self, reason: str) -> Decline:
        return Decline(runbook=self.name, reason=reason)


def _service(resolver: Resolver) -> str:
    if resolver.keeper is Keeper.RESOLVED:
        return (
            "systemd-resolved looks after names here, and would undo what is written past it: see `resolvectl status`"
        )
    return f"{resolver.servers[0].address} is a service of this very machine: it has to be repaired, not passed over"
