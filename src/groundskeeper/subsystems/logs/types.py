"""What log lines tell about sign-ins."""

from datetime import datetime

from groundskeeper.model import Fact, Value


class AuthFailures(Fact, Value):
    """Failed sign-ins from one source, told again at each new one.

    `source` is an address ("203.0.113.9", "2001:db8::7"), or an IPv6 /64 network ("2001:db8:0:1::/64") once more than
    one address of it has failed: whoever holds a /64 has as many addresses as they like. `times` are the latest, at
    most 50 and none older than ten minutes, in order. `total` counts all since `since`, as far as 24 hours back, so
    that a patient attacker and a returning one show. `users` and `services` are a few of the names, latest last.
    """

    source: str
    times: tuple[datetime, ...]
    users: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    total: int = 0
    since: datetime | None = None
    addresses: int = 1
    """How many different addresses of a network failed, as far as five; 1 for a single address."""
    forgotten: bool = False
    """The last word about a source that has been quiet for a day."""

    @property
    def subject(self) -> str:
        return self.source


class ManagementPeers(Fact, Value):
    """Addresses from which somebody is signed in now, or did sign in during the last 12 hours.

    Whoever is here is taken for a person who mistypes, and is not cut off by the loop.
    """

    addresses: tuple[str, ...]

    @property
    def subject(self) -> str:
        return "management"


class LogFlood(Fact, Value):
    """Log lines that were not read because more came than may be read at once. `skipped` = 0 when it is over."""

    origin: str
    skipped: int

    @property
    def subject(self) -> str:
        return self.origin
