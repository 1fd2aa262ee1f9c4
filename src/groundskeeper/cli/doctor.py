"""`doctor`: is everything in order here, and what is not possible here, why, and which command makes it possible?"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

import typer
from rich.padding import Padding
from rich.text import Text

from groundskeeper import wire
from groundskeeper.agent.control import Control
from groundskeeper.agent.home import Home
from groundskeeper.agent.install import forwards_already
from groundskeeper.agent.policy import PolicySource
from groundskeeper.agent.status import Status
from groundskeeper.cli.exits import TROUBLE
from groundskeeper.cli.here import home
from groundskeeper.cli.options import Json
from groundskeeper.cli.records import read
from groundskeeper.cli.showing import console, say_json
from groundskeeper.cli.words import BAD, GOOD, WARN
from groundskeeper.lib.clock import SystemClock
from groundskeeper.lib.figures import counted, size
from groundskeeper.model import Corrupt, GroundskeeperError, Invalid, Refused, Unavailable, Value
from groundskeeper.subsystems.firewall.table import Table

DBUS = Path("/run/dbus/system_bus_socket")
SYSTEMD = Path("/run/systemd/system")
PRESSURE = Path("/proc/pressure/cpu")
ROOM = 100_000_000
"""Bytes that the ledger should be able to grow by."""


class State(Enum):
    GOOD = "good"
    LIMITED = "limited"
    """Not possible here; the rest works without it."""
    BAD = "bad"


class Check(Value, tag=False):
    """One answer. `next` is the command that helps, where one does."""

    what: str
    state: State
    reason: str
    next: str = ""


SIGNS = {State.GOOD: ("✓", GOOD), State.LIMITED: ("○", WARN), State.BAD: ("✗", BAD)}


def doctor(json: Json = False) -> None:
    """Check that all is in order, and tell what is not possible here.

    Where a command makes it possible, it is named.
    """
    here = home()
    checks = [check for look in LOOKS for check in look(here)]
    if json:
        say_json({"checks": checks, "in_order": not _bad(checks)})
    else:
        _show(checks)
    if _bad(checks):
        raise typer.Exit(TROUBLE)


def _bad(checks: list[Check]) -> bool:
    return any(check.state is State.BAD for check in checks)


def _show(checks: list[Check]) -> None:
    out = console()
    for check in checks:
        mark, colour = SIGNS[check.state]
        line = Text.assemble((f"{mark} ", colour), (f"{check.what}: ", "bold"), check.reason)
        out.print(line)
        if check.next:
            out.print(Padding(Text(check.next, style="dim"), (0, 0, 0, 2)))


def _root(here: Home) -> Iterator[Check]:
    if os.geteuid() == 0:
        yield Check(what="rights", state=State.GOOD, reason="root: everything may be watched and put right")
    else:
        reason = "an ordinary user: much is seen, and little may be changed"
        yield Check(what="rights", state=State.LIMITED, reason=reason, next="sudo groundskeeper up")


def _systemd(here: Home) -> Iterator[Check]:
    if not SYSTEMD.is_dir():
        reason = "this machine is not run by systemd, so its services are not watched or restarted"
        yield Check(what="services", state=State.LIMITED, reason=reason)
        return
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(2)
            link.connect(str(DBUS))
        yield Check(what="services", state=State.GOOD, reason="systemd runs, and answers on D-Bus")
    except OSError as problem:
        reason = f"systemd runs, and D-Bus does not answer ({problem.strerror or problem})"
        yield Check(what="services", state=State.LIMITED, reason=reason, next="sudo apt install dbus")


def _firewall(here: Home) -> Iterator[Check]:
    table = Table()
    try:
        banned = len(table.bans())
        reason = f"nftables works; {counted(banned, 'source')} refused now"
        yield Check(what="firewall", state=State.GOOD, reason=reason)
    except Refused as problem:
        rights = "sudo groundskeeper doctor" if os.geteuid() else ""
        yield Check(what="firewall", state=State.LIMITED, reason=str(problem), next=rights)
    except (Unavailable, OSError) as problem:
        yield Check(what="firewall", state=State.LIMITED, reason=str(problem))
    finally:
        table.close()


def _journal(here: Home) -> Iterator[Check]:
    if not SYSTEMD.is_dir():
        return
    if forwards_already():
        yield Check(what="sign-ins", state=State.GOOD, reason="the journal passes its lines on at once")
    else:
        reason = "the journal does not pass its lines on: failed sign-ins are seen half a second later"
        yield Check(what="sign-ins", state=State.LIMITED, reason=reason, next="sudo groundskeeper agent install")


def _pressure(here: Home) -> Iterator[Check]:
    try:
        PRESSURE.read_bytes()
        yield Check(what="pressure", state=State.GOOD, reason="the kernel tells how long work waits")
    except OSError:
        reason = "this kernel does not tell how long work waits; runaway programs are judged by their share alone"
        yield Check(what="pressure", state=State.LIMITED, reason=reason, next="boot the kernel with psi=1")


def _policy(here: Home) -> Iterator[Check]:
    if not here.ledger.exists() and not here.state.exists():
        reason = "none yet; the first start puts the shipped one in place"
        yield Check(what="policy", state=State.LIMITED, reason=reason, next="groundskeeper up")
        return
    effective = asyncio.run(PolicySource(here, SystemClock()).look())
    if effective.problem:
        yield Check(what="policy", state=State.BAD, reason=effective.problem, next="groundskeeper policy show")
    else:
        signed = effective.signed or effective.policy
        reason = f"{signed.name} v{signed.version}, signature valid"
        yield Check(what="policy", state=State.GOOD, reason=reason)
    if here.stop_file.exists():
        yield Check(what="automation", state=State.BAD, reason="all of it is stopped", next="groundskeeper start")


def _ledger(here: Home) -> Iterator[Check]:
    try:
        lines = read(here.ledger, lambda ledger: ledger.verify())
        reason = f"{counted(lines, 'line')}, each just as it was written"
        yield Check(what="the ledger", state=State.GOOD, reason=reason)
    except (Corrupt, Invalid) as problem:
        yield Check(what="the ledger", state=State.BAD, reason=str(problem), next=f"ls -l {here.state}")
    except GroundskeeperError as problem:
        yield Check(what="the ledger", state=State.LIMITED, reason=str(problem))


def _room(here: Home) -> Iterator[Check]:
    place = next(folder for folder in (here.state, *here.state.parents) if folder.exists())
    about = os.statvfs(place)
    free = about.f_bavail * about.f_frsize
    state = State.GOOD if free >= ROOM else State.BAD
    yield Check(what="room", state=state, reason=f"{size(free)} free where the ledger is ({here.state})")


def _agent(here: Home) -> Iterator[Check]:
    try:
        status = wire.from_plain(Control(here.socket).ask("status"), Status)
    except Unavailable:
        yield Check(what="agent", state=State.LIMITED, reason="none runs here", next="groundskeeper up")
        return
    except Refused as problem:
        yield Check(what="agent", state=State.LIMITED, reason=str(problem))
        return
    yield Check(what="agent", state=State.GOOD, reason=f"looks after {status.device} (process {status.pid})")
    for one in status.watching:
        if not one.possible:
            yield Check(what=f"watching {one.what}", state=State.LIMITED, reason=one.reason)


LOOKS: tuple[Callable[[Home], Iterator[Check]], ...] = (
    _agent,
    _root,
    _systemd,
    _journal,
    _firewall,
    _pressure,
    _policy,
    _ledger,
    _room,
)
