"""When somebody tries names and passwords."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from groundskeeper.lib.figures import counted, span
from groundskeeper.model import Cause, Fact, Finding, Observation, Severity, Snapshot, Value
from groundskeeper.subsystems.firewall.types import SourceRefusal
from groundskeeper.subsystems.logs.types import AuthFailures, ManagementPeers


class AuthBruteforce(Value, tag=False, forbid_unknown_fields=True):
    """One source failed to sign in `failures` times within `window`, or `patience` times within a day, slowly.

    What failed before a ban of that source began does not count again. An IPv6 /64 network is a source as well, once
    more than one of its addresses has failed.
    """

    failures: int = 5
    window: timedelta = timedelta(minutes=10)
    """At most ten minutes: what is older is only counted, its times are not kept."""
    patience: int = 30
    ban: timedelta = timedelta(minutes=10)
    """For a source that comes back, twice as long each time, up to `longest`."""
    longest: timedelta = timedelta(days=1)
    echo: timedelta = timedelta(seconds=3)
    """How long after a ban began lines about attempts before it may still come."""

    name: ClassVar[str] = "auth_bruteforce"
    watches: ClassVar[tuple[type[Fact], ...]] = (AuthFailures, SourceRefusal, ManagementPeers)
    causes: ClassVar[tuple[Cause, ...]] = ()

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, failed in snapshot.of(AuthFailures):
            few = failed.total < self.failures and failed.total < self.patience
            reason = None if few else self._trouble(snapshot, seen, failed, now)
            if reason:
                yield Finding(
                    rule=self.name,
                    device=seen.device,
                    subject=failed.source,
                    severity=Severity.WARNING,
                    reason=reason,
                    evidence=(seen,),
                )

    def length(self, failed: AuthFailures) -> timedelta:
        """How long the source is refused: longer, the more often it has come back."""
        rounds = max(0, failed.total // max(1, self.failures) - 1)
        return min(self.ban * (1 << min(rounds, 30)), max(self.ban, self.longest))

    def _trouble(self, snapshot: Snapshot, seen: Observation, failed: AuthFailures, now: datetime) -> str | None:
        refusal = snapshot.get(SourceRefusal, failed.source, seen.device)
        begin = max(now - self.window, refusal.since + self.echo if refusal else now - self.window)
        recent = [at for at in failed.times if at >= begin]
        if len(recent) >= self.failures:
            within = span(max(recent[-1] - recent[0], timedelta(seconds=1)))
            return f"{counted(len(recent), 'failed sign-in')} from {failed.source} within {within}{_how(failed)}"
        if recent and failed.total >= self.patience and failed.since:
            within = span(now - failed.since)
            return f"{counted(failed.total, 'failed sign-in')} from {failed.source} in {within}, slowly{_how(failed)}"
        return None


def _how(failed: AuthFailures) -> str:
    """At what, and as whom: " (sshd, as root, admin)". Names are the other side's own words: cut short."""
    names = ", ".join(name[:24] for name in failed.users[-3:] if name.isprintable())
    words = ", ".join([*failed.services[-2:], *([f"as {names}"] if names else [])])
    return f" ({words})" if words else ""
