"""`approve ID`: carry out what waits for a person's word."""

from typing import Annotated

import typer

from groundskeeper.agent.control import Control
from groundskeeper.cli.completing import waiting_ids
from groundskeeper.cli.here import home, who
from groundskeeper.cli.options import Json
from groundskeeper.cli.records import read, the_incident
from groundskeeper.cli.saying import say
from groundskeeper.cli.showing import say_json


def approve(
    id: Annotated[str, typer.Argument(help="The incident's id, or how it begins.", autocompletion=waiting_ids)],
    json: Json = False,
) -> None:
    """Carry out the plan of an incident that waits for a person."""
    control = Control(home().socket)
    control.ask("status")  # no agent: say so before anything else
    incident = read(home().ledger, lambda ledger: the_incident(ledger, id))
    control.ask("approve", incident=incident.id, who=who())
    after = read(home().ledger, lambda ledger: the_incident(ledger, incident.id))
    if json:
        say_json(after)
    else:
        say(f"Approved by {who()}. {after.reason}")
