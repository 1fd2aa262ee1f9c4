"""What the journal holds of the last minutes, and who signed in today: an attack goes on while an agent is restarted.

`journalctl` is asked once, as a process of its own: the library would stay in memory for good.
"""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from groundskeeper.subsystems.logs.forwarded import PEOPLE
from groundskeeper.subsystems.logs.journal import FACILITIES
from groundskeeper.subsystems.logs.origins import Heard

JOURNALCTL = "/usr/bin/journalctl"
PATIENCE = 10.0
MOST = 5_000
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_UID"


async def lately(span: timedelta) -> list[Heard]:
    """What services that people sign in to wrote within the span, oldest first; the latest few thousand lines."""
    facilities = ",".join(map(str, FACILITIES))
    return await _asked(f"--since=-{span.total_seconds():.0f}s", f"--facility={facilities}", f"--lines={MOST}")


async def signed_in_lately(span: timedelta) -> list[Heard]:
    """What sshd wrote of people who did sign in within the span."""
    return await _asked(
        f"--since=-{span.total_seconds():.0f}s", "--identifier=sshd", "--identifier=sshd-session",
        "--grep=^Accepted ", "--case-sensitive=yes", "--lines=500",
    )  # fmt: skip


async def _asked(*words: str) -> list[Heard]:
    """Empty where there is no journal, or where it takes too long."""
    common = ("--quiet", "--no-pager", "--output=json", f"--output-fields={_FIELDS}")
    try:
        process = await asyncio.create_subprocess_exec(
            JOURNALCTL, *common, *words, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
        )
    except OSError:
        return []
    try:
        told, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        return []
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return list(entries(told))


def entries(told: bytes) -> Iterator[Heard]:
    """The lines of journalctl's JSON, with their times."""
    for line in told.splitlines():
        try:
            fields: dict[str, Any] = msgspec.json.decode(line)
            at = datetime.fromtimestamp(int(fields["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        except (msgspec.DecodeError, KeyError, ValueError):
            continue
        message, user = fields.get("MESSAGE"), fields.get("_UID", "")
        pid = fields.get("SYSLOG_PID") or fields.get("_PID", "")
        if isinstance(message, str):  # bytes that are no text come as a list of numbers
            text = f"{fields.get('SYSLOG_IDENTIFIER', '')}[{pid}]: {message}"
            yield Heard(text, at=at, foreign=str(user).isdigit() and int(user) in PEOPLE)
