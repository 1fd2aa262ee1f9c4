"""Finds that names are not resolved."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from groundskeeper.model import Cause, Fact, Finding, Severity, Snapshot, Value
from groundskeeper.subsystems.resolver.types import Keeper, NameServer, Resolver


class ResolverDown(Value, tag=False, forbid_unknown_fields=True):
    name: ClassVar[str] = "resolver_down"
    watches: ClassVar[tuple[type[Fact], ...]] = (Resolver,)
    causes: ClassVar[tuple[Cause, ...]] = (Cause(rule="link_or_route_lost"),)

    fallback: tuple[str, ...] = ()
    """Servers that may be asked where no other is known. None by default: a public server sees every name."""
    settle: timedelta = timedelta(milliseconds=50)
    """How long nobody may serve names before it is believed: a program that rewrites resolv.conf may do so twice."""
    silent_for: timedelta = timedelta(milliseconds=550)
    """The same for a server that is only silent, or fails in a way that may pass: it is asked once more."""
    service_gets: timedelta = timedelta(seconds=10)
    """How long a server on this very machine may take to be started again."""
    outage_gets: timedelta = timedelta(seconds=5)
    """How long nothing may answer anywhere before a person is told."""

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, resolver in snapshot.of(Resolver):
            if not resolver.working:
                yield Finding(
                    rule=self.name,
                    device=seen.device,
                    subject=resolver.subject,
                    severity=Severity.WARNING if spare(resolver) else Severity.CRITICAL,
                    reason=told(resolver),
                    evidence=(seen,),
                    lasts=self._lasts(resolver),
                )

    def _lasts(self, resolver: Resolver) -> timedelta:
        if own_service(resolver):
            return self.service_gets
        if not resolver.candidates and not self.fallback:
            return self.outage_gets
        first = resolver.servers[0] if resolver.servers else None
        return self.settle if first is None or first.sure else self.silent_for


def spare(resolver: Resolver) -> NameServer | None:
    """A server further down that answers: names are resolved, but each takes five seconds longer."""
    return next((server for server in resolver.servers[1:] if server.answers), None)


def own_service(resolver: Resolver) -> bool:
    """Whether the server that should answer is a service of this very machine, named by whoever runs it."""
    stands_first = bool(resolver.servers) and resolver.servers[0].local
    return stands_first or (resolver.keeper is Keeper.RESOLVED and any(server.local for server in resolver.servers))


def told(resolver: Resolver) -> str:
    if resolver.keeper is Keeper.NOWHERE:
        return f"{resolver.path} is missing, so that no name can be resolved"
    if not resolver.servers:
        return f"{resolver.path} names no server, so that no name can be resolved"
    first, other = resolver.servers[0], spare(resolver)
    if other:
        slow = f"the first server {first.address} fails ({first.how}), {other.address} answers"
        return f"names take five seconds longer: {slow}"
    return f"names cannot be resolved: {'; '.join(f'{one.address}: {one.how}' for one in resolver.servers)}"
