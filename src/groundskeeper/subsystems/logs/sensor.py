"""Watches over sign-ins: reads log lines as they come and tells who fails, how often, and who is a person at work."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from groundskeeper.lib.clock import Clock
from groundskeeper.model import Fact, Unavailable, Watching
from groundskeeper.subsystems.logs.auth import Kind, Sign, address_of, read
from groundskeeper.subsystems.logs.counting import SIGNED_IN, WINDOW, Failures, Peers
from groundskeeper.subsystems.logs.files import Files
from groundskeeper.subsystems.logs.forwarded import Forwarded
from groundskeeper.subsystems.logs.journal import Journal
from groundskeeper.subsystems.logs.origins import Heard, Origin
from groundskeeper.subsystems.logs.past import lately, signed_in_lately
from groundskeeper.subsystems.logs.people import signed_in
from groundskeeper.subsystems.logs.types import LogFlood

SYSTEM_LOGS: dict[Path, str] = dict.fromkeys(
    map(Path, ("/var/log/auth.log", "/var/log/secure", "/var/log/mail.log", "/var/log/maillog")), ""
)
SERVICE_LOGS: dict[Path, str] = {
    Path("/var/log/nginx/error.log"): "nginx",
    Path("/var/log/apache2/error.log"): "apache",
    Path("/var/log/exim4/mainlog"): "exim",
    Path("/var/log/vsftpd.log"): "vsftpd",
    Path("/var/log/proftpd/proftpd.log"): "proftpd",
    Path("/var/log/mysql/error.log"): "mysql",
    Path("/var/log/asterisk/messages"): "asterisk",
    Path("/var/log/xrdp-sesman.log"): "xrdp",
}
BACK = 256 << 10
"""Bytes of a log file that are read at the start, for what happened while nobody looked."""
BURST, RATE = 10_000, 1_000
"""Lines of failures that are read at once, and each second after: about 2 % of a core at the very most."""
OTHER = 0.2
"""What any other line costs, beside a line of a failure."""
SLICE = 64
"""Lines that are looked at before more are fetched: who writes them keeps only some two hundred for us."""
HOT = 10.0
"""Seconds after a sign of somebody trying during which a slow origin is asked often."""
LOOK = 5.0
MISTYPES = 3

Opening = Callable[[], Origin]


class SignInSensor:
    """Takes the first origin that can be opened for the system's log, and services' own log files beside it."""

    name = "sign-ins"

    def __init__(
        self,
        clock: Clock,
        origins: Sequence[Opening] = (Forwarded, lambda: Files(SYSTEM_LOGS, BACK), Journal),
        services: Opening | None = lambda: Files(SERVICE_LOGS),
        people: Callable[[], set[str]] = signed_in,
        burst: int = BURST,
    ) -> None:
        self._clock, self._burst = clock, burst
        self._origins, self._services = origins, services
        self._people = people
        self._failures = Failures()
        self._peers = Peers()

    async def run(self, seen: Callable[[Fact], None]) -> None:
        self._failures = Failures()  # what was seen before is read again
        opened, since = list(self._open(seen)), self._clock.now()
        listening = [_Listening(origin, self._hear(seen), seen, self._clock, self._burst) for origin in opened]
        try:
            if not isinstance(opened[0], Files):
                await self._catch_up(since, seen)
            self._tell_people(seen, self._clock.now())
            for each in listening:
                each.begin()
            while True:
                await self._clock.sleep(timedelta(seconds=LOOK))
                for fact in self._failures.fading(self._clock.now()):
                    seen(fact)
                for each in listening:
                    if why := each.lost():
                        raise Unavailable(why, timedelta(seconds=1))
        finally:
            for each in listening:
                each.end()

    def _open(self, seen: Callable[[Fact], None]) -> Iterator[Origin]:
        """The origins to read. Says which was chosen; raises Unavailable with every reason where none can be."""
        origin, reasons = _first(self._origins)
        extra, _ = _first((self._services,) if self._services else ())
        if origin is None and extra is None:
            raise Unavailable(f"failed sign-ins cannot be seen here: {'; '.join(reasons)}", timedelta(minutes=5))
        found = [each for each in (origin, extra) if each]
        seen(Watching(what=self.name, possible=True, reason="; ".join(each.words for each in found)))
        yield from found

    async def _catch_up(self, until: datetime, seen: Callable[[Fact], None]) -> None:
        """What the journal holds of the last minutes: an attack may have gone on while the agent was restarted."""
        hear = self._hear(seen)
        for heard in [*await signed_in_lately(SIGNED_IN), *await lately(WINDOW)]:
            if heard.at and heard.at < until:  # what came since is waiting at the origin
                hear(heard)

    def _hear(self, seen: Callable[[Fact], None]) -> Callable[[Heard], bool]:
        """What to do with each line; whether it tells of somebody who fails."""

        def hear(heard: Heard) -> bool:
            sign = None if heard.foreign else read(heard.text, heard.service)
            if sign is None or not sign.sure:
                return False
            now = self._clock.now()
            if sign.kind is Kind.ACCEPTED:
                self._note_person(sign, heard.at, now, seen)
            elif sign.kind is Kind.FAILED and now - (heard.at or now) <= WINDOW:
                self._note_failure(sign, heard.at or now, seen)
                return True
            return False

        return hear

    def _note_person(self, sign: Sign, at: datetime | None, now: datetime, seen: Callable[[Fact], None]) -> None:
        if address := address_of(sign.source):
            self._peers.add(address, at or now)
            if at is None:
                self._tell_people(seen, now)

    def _note_failure(self, sign: Sign, at: datetime, seen: Callable[[Fact], None]) -> None:
        if self._failures.count(sign.source) == MISTYPES:
            self._tell_people(seen, self._clock.now())  # Before anybody is cut off: who is a person at work?
        for fact in self._failures.add(sign, at):
            seen(fact)

    def _tell_people(self, seen: Callable[[Fact], None], now: datetime) -> None:
        for address in self._people():
            self._peers.add(address, now)
        if fact := self._peers.fact(now):
            seen(fact)


def _first(openings: Sequence[Opening]) -> tuple[Origin | None, list[str]]:
    """The first that can be opened, and why those before it cannot."""
    reasons: list[str] = []
    for opening in openings:
        try:
            return opening(), reasons
        except Unavailable as problem:
            reasons.append(str(problem))
    return None, reasons


class _Listening:
    """Reads one origin whenever there is news of it, and no more of it than is affordable."""

    def __init__(
        self, origin: Origin, hear: Callable[[Heard], bool], seen: Callable[[Fact], None], clock: Clock, burst: int
    ) -> None:
        self._origin, self._hear, self._seen, self._clock = origin, hear, seen, clock
        self._loop = asyncio.get_running_loop()
        self._burst = burst
        self._allowed, self._since = float(burst), clock.elapsed()
        self._skipped, self._last_skip, self._flood_told = 0, 0.0, 0.0
        self._hot_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._problem: str | None = None
        self._waiting: deque[Heard] = deque()

    def begin(self) -> None:
        self._loop.add_reader(self._origin.fileno(), self._read)
        self._read()

    def end(self) -> None:
        self._loop.remove_reader(self._origin.fileno())
        if self._timer:
            self._timer.cancel()
        self._origin.close()

    def lost(self) -> str | None:
        return self._problem or self._origin.lost()

    def _read(self) -> None:
        try:
            lines = self._origin.read()
        except (Unavailable, OSError) as problem:
            self._problem = str(problem)
            self._loop.remove_reader(self._origin.fileno())
            return
        now = self._clock.elapsed()
        self._allowed = min(self._burst, self._allowed + (now - self._since) * RATE)
        self._since = now
        self._waiting.extend(lines)
        for _ in range(min(SLICE, len(self._waiting))):
            self._take(self._waiting.popleft(), now)
        self._tell_of_flood(now)
        self._come_back(now)

    def _take(self, heard: Heard, now: float) -> None:
        if self._allowed < 1:
            self._skipped, self._last_skip = self._skipped + 1, now
            return
        if self._hear(heard):
            self._allowed -= 1
            self._hot_until = now + HOT
        else:
            self._allowed -= OTHER

    def _tell_of_flood(self, now: float) -> None:
        """Once a second while lines are skipped, and once when none were for a while."""
        if not self._skipped or now - self._flood_told < 1:
            return
        if now - self._last_skip > LOOK:
            self._skipped = 0
        self._flood_told = now
        self._seen(LogFlood(origin=self._origin.words, skipped=self._skipped))

    def _come_back(self, now: float) -> None:
        """Look again without news, where there is more to read, somebody is trying, or a flood is not over."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._waiting or self._origin.behind:
            self._timer = self._loop.call_later(0, self._read)
        elif self._origin.pace and now < self._hot_until:
            self._timer = self._loop.call_later(self._origin.pace, self._read)
        elif self._skipped:
            self._timer = self._loop.call_later(1, self._read)
