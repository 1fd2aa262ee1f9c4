"""Reads one log line: did somebody fail to sign in, try the door, or sign in? Pure; knows no clock and no file."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from groundskeeper.subsystems.logs.patterns import ONCE, PROGRAMS, SERVICES, Kind, Row

__all__ = ["Kind", "Line", "Sign", "address_of", "header", "read", "service_of"]

LONGEST = 2048
"""Characters of a line that are looked at: what tells of a sign-in is shorter, and a pattern's time has an end."""

_V4 = r"(?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3}"
_V6 = r"[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{0,40}(?:%\w{1,16})?"
_IP = rf"(?P<source>{_V4}|{_V6})"
_TOKENS = {
    "{ip}": _IP,
    "{src}": rf"(?P<source>{_V4}|{_V6}|[\w-]+(?:\.[\w-]+)*)",
    "{user}": r"(?P<user>.*)",
    "{method}": r"(?!publickey|none)[\w/-]+",
    "{stamp}": r"(?>(?:(?:\[?+(?=[\w:./,+-]*\d)[\w:./,+-]++\]?+|[A-Z][a-z]{2})\s++){0,7})",
    "{pam}": r"(?:\(?pam_\w+\)?(?:\([\w.:-]*\))?:? ?)?",
    "{tty}": r"logname=\S* uid=\d+ euid=\d+ tty=\S*",
    "{apache}": rf"(?:\[[^\]]*\] )*\[client {_IP}(?::\d+)?\] (?:\(\d+\)[\w ]+: )?",
    "{nginx}": r"(?:\S+ nginx: )?[\d/]+ [\d:]+ \[\w+\] \d+#\d+: \*\d+ ",
    "{round}": r"(?:\[[^\]]*\]: )?(?:<\w+> )?",
    "{exim}": rf"H=(?:[^\s(\[]+ )?(?:\(\S*\) )?\[{_IP}\](?::\d+)?",
}
_CLOCK = r"\d\d:\d\d:\d\d[\d.,]*"
_TIME = rf"[A-Z][a-z]{{2}} +\d{{1,2}} (?:\d{{4}} )?{_CLOCK}|\d{{4}}-\d\d-\d\d[T ]{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?"
_HEADER = re.compile(
    rf"(?:<\d{{1,3}}>)?(?:\d )?(?:(?:{_TIME}) +)?(?:[^\s:\[\]()]{{1,255}} +)?"
    r"(?P<program>[A-Za-z][\w./-]{0,64}?)(?:\([\w-]+\))?(?:\[(?P<pid>\d+)\])?: *(?P<message>.*)",
    re.DOTALL,
)
_REPEATED = re.compile(r"message repeated (\d+) times: \[ ?(.*)\]$", re.DOTALL)
_PREAUTH = " [preauth]"


class Line(NamedTuple):
    """A line of the system's log: who wrote it, and what. `repeated` = how often, where the log says so."""

    program: str
    pid: str
    message: str
    repeated: int = 1


class Sign(NamedTuple):
    """What a line tells about somebody signing in.

    `source` is an address in its usual spelling, a host name where the service logged that, or "" where the sign-in
    was on the machine itself. `clue` names the wording: several wordings under one `pid` tell of the same attempt.
    `sure` is False where the line could have been worded by the other side.
    """

    kind: Kind
    service: str
    source: str
    user: str
    pid: str
    times: int
    clue: int
    sure: bool = True


def header(text: str) -> Line | None:
    """The parts of a line of syslog or of a file that a syslog daemon wrote; None for a line of another kind."""
    found = _HEADER.match(text)
    if not found:
        return None
    message, repeated = found["message"], 1
    again = _REPEATED.match(message)
    if again:
        repeated, message = int(again[1]), again[2]
    return Line(found["program"], found["pid"] or "", message, repeated)


def service_of(program: str) -> str:
    """The service that a program belongs to; "pam" for one that is not known: any may ask PAM for a password."""
    name = program.rsplit("/", 1)[-1].lower() if program.startswith("/") else program.lower()
    for part in (name, name.split("/")[0].split("-")[0]):
        if part in PROGRAMS:
            return PROGRAMS[part]
        if part in SERVICES:
            return part
    return "pam"


def read(text: str, service: str = "") -> Sign | None:
    """What the line tells. `service` says whose file it is from, where that is not the system's own log."""
    text = text[:LONGEST].rstrip("\r\n")
    line = header(text)
    if service:
        return _first(service, text, "", 1) or (
            _first(service, line.message, line.pid, line.repeated) if line else None
        )
    if line is None:
        return None
    return _first(service_of(line.program), line.message, line.pid, line.repeated)


def address_of(source: str) -> str | None:
    """The address in its usual spelling (an IPv4 address inside an IPv6 one taken out of it); None for a host name."""
    for text in (source, source.rpartition(":")[0]):
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            continue
        inside = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return str(inside or address)
    return None


def _first(service: str, message: str, pid: str, repeated: int) -> Sign | None:
    message = message.rstrip()
    preauth = message.endswith(_PREAUTH)
    if preauth:
        message = message[: -len(_PREAUTH)]
    for clue, kind, needle, pattern in _rows(service):
        if needle not in message:
            continue
        found = pattern().fullmatch(message)
        if found and (preauth or "preauth" not in found.re.groupindex):
            return _sign(kind, service, message, pid, repeated, clue, found)
    return None


def _sign(kind: Kind, service: str, message: str, pid: str, repeated: int, clue: int, found: re.Match[str]) -> Sign:
    parts = found.groupdict()
    source = parts.get("source") or ""
    times = max(1, int(parts.get("times") or 1)) * repeated
    sure = service not in ONCE or message.count(ONCE[service]) == 1
    return Sign(kind, service, address_of(source) or source, (parts.get("user") or "")[:64], pid, times, clue, sure)


class _Lazy:
    """A pattern that is compiled when it is first needed: most machines meet a tenth of them."""

    def __init__(self, row: Row) -> None:
        self._text = row[2]
        self._made: re.Pattern[str] | None = None

    def __call__(self) -> re.Pattern[str]:
        if self._made is None:
            text = self._text
            for token, pattern in _TOKENS.items():
                text = text.replace(token, pattern)
            self._made = re.compile(text, re.DOTALL)
        return self._made


@cache
def _rows(service: str) -> tuple[tuple[int, Kind, str, _Lazy], ...]:
    return tuple(_numbered(SERVICES.get(service, ())))


def _numbered(rows: Iterable[Row]) -> Iterator[tuple[int, Kind, str, _Lazy]]:
    for clue, row in enumerate(rows):
        yield clue, row[0], row[1], _Lazy(row)
