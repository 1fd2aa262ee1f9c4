"""`approve ID`: carry out what waits for a person's word."""

import time
from typing import Annotated

import typer

from groundskeeper.agent.control import Control
from groundskeeper.agent.home import Home
from groundskeeper.cli.changes import show_changes
from groundskeeper.cli.completing import waiting_ids
from groundskeeper.cli.here import home, now, who
from groundskeeper.cli.options import Json
from groundskeeper.cli.records import read, the_incident
from groundskeeper.cli.showing import console, say_json
from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Change, Incident, Phase, Refused

PATIENCE = 60.0
"""Seconds; a change that takes longer is on probation still, and `incident ID` tells how it went."""
GLANCE = 0.05


def approve(
    id: Annotated[str, typer.Argument(help="The incident's id, or how it begins.", autocompletion=waiting_ids)],
    json: Json = False,
) -> None:
    """Carry out the plan of an incident that waits for a person."""
    here = home()
    control = Control(here.socket)
    control.ask("status")  # no agent: say so before anything else
    incident = read(here.ledger, lambda ledger: the_incident(ledger, id))
    before = len(read(here.ledger, lambda ledger: ledger.changes(incident=incident.id)))
    control.ask("approve", incident=incident.id, who=who())
    after, done = _settled(here, incident, before)
    if json:
        say_json({"incident": after, "changes": done})
    elif done:
        show_changes(console(), done, now())
    if not done:
        raise Refused(f"nothing was done: {after.reason}")


def _settled(here: Home, incident: Incident, before: int) -> tuple[Incident, list[Change]]:
    """The incident and its new changes, once each has ended or the agent has decided against any."""
    clock = SystemClock()
    until = clock.elapsed() + PATIENCE
    while True:
        after = read(here.ledger, lambda ledger: the_incident(ledger, incident.id))
        done = read(here.ledger, lambda ledger: ledger.changes(incident=incident.id))[before:]
        moved = after.generation > incident.generation and after.phase is not Phase.MITIGATING
        if (moved and all(change.stage.settled for change in done)) or clock.elapsed() > until:
            return after, done
        time.sleep(GLANCE)
