"""Who is signed in from where, as login (utmp(5)) and systemd-logind keep it."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from groundskeeper.subsystems.logs.auth import address_of

UTMP, SESSIONS = Path("/run/utmp"), Path("/run/systemd/sessions")
_USER_PROCESS = 7
_LAYOUTS = (struct.Struct("=h2xi32s4s32s256s52x"), struct.Struct("=h2xi32s4s32s256s68x"))
"""384 bytes on most machines; 400 where times have 64 bits."""


def signed_in(utmp: Path = UTMP, sessions: Path = SESSIONS) -> set[str]:
    """The addresses from which somebody is signed in now. Empty where nothing tells."""
    found = set()
    with suppress(OSError):
        found |= set(addresses_in(utmp.read_bytes()))
    with suppress(OSError):
        for path in sessions.iterdir():
            with suppress(OSError):
                found |= set(address_of_session(path.read_text(errors="replace")))
    return found


def addresses_in(utmp: bytes) -> Iterator[str]:
    """The far addresses of the sessions that utmp holds."""
    layout = _LAYOUTS[0] if len(utmp) % _LAYOUTS[0].size == 0 else _LAYOUTS[1]
    for at in range(0, len(utmp) - layout.size + 1, layout.size):
        kind, _, _, _, _, host = layout.unpack_from(utmp, at)
        address = address_of(host.split(b"\0", 1)[0].decode("ascii", "replace")) if kind == _USER_PROCESS else None
        if address:
            yield address


def address_of_session(text: str) -> Iterator[str]:
    """The far address of one of logind's sessions, where it has one and is not at its end."""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    address = address_of(fields.get("REMOTE_HOST", ""))
    if address and fields.get("STATE") in ("active", "online"):
        yield address
