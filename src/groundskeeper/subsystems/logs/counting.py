"""Who failed to sign in how often, and who signed in. Keeps little, and a bounded number of sources. Pure."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from groundskeeper.subsystems.logs.auth import Kind, Sign, address_of
from groundskeeper.subsystems.logs.types import AuthFailures, ManagementPeers

WINDOW = timedelta(minutes=10)
LONG = timedelta(hours=24)
SIGNED_IN = timedelta(hours=12)
TOLD = 50
FEW = 5
EAGER = 20
"""Failures of one source in the window that are told one by one; what comes after is told once a second."""
CALM = 1.0
ATTEMPT = 300.0
"""Seconds after which another message of the same process is another attempt."""
LINGER = 900.0
"""Seconds after which no incident rests on a source that is quiet."""
PEERS = 64


class Attempts:
    """Tells one attempt from the several messages that it leaves.

    sshd says of one wrong password: "Invalid user", "authentication failure" by PAM, "Failed password" and "Connection
    closed". Each wording is counted by itself; the attempts of a process are what its most frequent wording counts.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._seen: OrderedDict[tuple[str, str, str], tuple[dict[int, int], float]] = OrderedDict()

    def new(self, sign: Sign, at: float) -> int:
        """How many attempts this message tells of that none before it has told."""
        # dovecot signs one attempt with two programs: its process numbers do not go together
        key = (sign.service, "" if sign.service == "dovecot" else sign.pid, sign.source)
        wordings, last = self._seen.pop(key, ({}, at))
        if at - last > ATTEMPT:
            wordings = {}
        before = max(wordings.values(), default=0)
        wordings[sign.clue] = wordings.get(sign.clue, 0) + sign.times
        self._seen[key] = (wordings, at)
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)
        return max(wordings.values()) - before


class _Source:
    """What is kept of one source; times are seconds since 1970."""

    __slots__ = ("addresses", "last", "services", "since", "times", "told", "total", "users")

    def __init__(self, at: float) -> None:
        self.times: list[float] = []
        self.users: tuple[str, ...] = ()
        self.services: tuple[str, ...] = ()
        self.addresses: tuple[str, ...] = ()
        self.total = 0
        self.since = self.last = at
        self.told = 0.0

    def add(self, at: float, times: int, sign: Sign) -> None:
        if at - self.last > LONG.total_seconds():
            self.total, self.since = 0, at
        recent = [before for before in self.times if at - before <= WINDOW.total_seconds()]
        self.times = [*recent, *[at] * times][-TOLD:]
        self.last = at
        self.total += times
        self.users = _latest(self.users, sign.user)
        self.services = _latest(self.services, sign.service)
        self.addresses = _latest(self.addresses, sign.source)

    def fact(self, source: str) -> AuthFailures:
        return AuthFailures(
            source=source,
            times=tuple(datetime.fromtimestamp(at, UTC) for at in self.times),
            users=self.users,
            services=self.services,
            total=self.total,
            since=datetime.fromtimestamp(self.since, UTC),
            addresses=len(self.addresses),
        )

    def due(self, at: float) -> bool:
        """Whether this failure is told now, or is one of too many."""
        if len(self.times) > EAGER and 0 <= at - self.told < CALM:
            return False
        self.told = at
        return True


class Failures:
    """Failed sign-ins by source. Of more than `limit` sources, those that were quiet longest are forgotten."""

    def __init__(self, limit: int = 4_000) -> None:
        self._limit = limit
        self._leaving: deque[tuple[str, float]] = deque()
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self._attempts = Attempts()

    def add(self, sign: Sign, at: datetime) -> list[AuthFailures]:
        """The facts that change by it: of the address, and of its /64 network once two addresses of it have failed."""
        seconds = at.timestamp()
        if sign.kind is not Kind.FAILED or not sign.sure or address_of(sign.source) is None:
            return []
        times = self._attempts.new(sign, seconds)
        if not times:
            return []
        keys = [sign.source]
        if ":" in sign.source:
            keys.append(str(ip_network((sign.source, 64), strict=False)))
        kept = [(key, self._add(key, seconds, times, sign)) for key in keys]
        return [
            source.fact(key)
            for key, source in kept
            if (key == sign.source or len(source.addresses) > 1) and source.due(seconds)
        ]

    def count(self, source: str) -> int:
        """How many of the latest failures of this source are kept; 0 where it has none."""
        kept = self._sources.get(source)
        return len(kept.times) if kept else 0

    def fading(self, now: datetime) -> Iterator[AuthFailures]:
        """The last words about those that have been quiet for a day. Of too many, the longest quiet go early: first
        it is said that they are quiet, and, once no incident can rest on them any more, the last word.
        """
        at = now.timestamp()
        for source, kept in list(self._sources.items()):
            if len(self._sources) <= self._limit and at - kept.last <= LONG.total_seconds():
                break
            del self._sources[source]
            self._leaving.append((source, at))
            yield AuthFailures(source=source, times=())
        while self._leaving and at - self._leaving[0][1] > LINGER:
            source, _ = self._leaving.popleft()
            if source not in self._sources:
                yield AuthFailures(source=source, times=(), forgotten=True)

    def _add(self, key: str, at: float, times: int, sign: Sign) -> _Source:
        source = self._sources.pop(key, None) or _Source(at)
        source.add(at, times, sign)
        self._sources[key] = source
        if len(self._sources) > 2 * self._limit:  # a flood, faster than `fading` is asked
            self._sources.popitem(last=False)
        return source


class Peers:
    """Addresses from which somebody is signed in, or was lately."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, datetime] = OrderedDict()
        self._told: tuple[str, ...] | None = None

    def add(self, address: str, at: datetime) -> None:
        self._last.pop(address, None)
        self._last[address] = at
        if len(self._last) > PEERS:
            self._last.popitem(last=False)

    def fact(self, now: datetime) -> ManagementPeers | None:
        """Who they are now; None where the same was told before."""
        addresses = tuple(sorted(address for address, at in self._last.items() if now - at <= SIGNED_IN))
        if addresses == self._told:
            return None
        self._told = addresses
        return ManagementPeers(addresses=addresses)


def _latest(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The name at the end of a few, each once."""
    if not name or (names and names[-1] == name):
        return names
    return (*(other for other in names if other != name), name)[-FEW:]
