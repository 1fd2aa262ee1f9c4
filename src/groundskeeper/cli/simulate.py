"""`simulate FILE`: plays a made-up world with the real engine, and tells what happened. No machine is touched."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from groundskeeper.cli.incidents import incident_as_json, show_incident
from groundskeeper.cli.options import Json
from groundskeeper.cli.saying import say
from groundskeeper.cli.showing import console, say_json
from groundskeeper.cli.timeline import timeline
from groundskeeper.knowledge.ledger import MemoryLedger
from groundskeeper.model import Change, Entry, Incident
from groundskeeper.simulation import Script, read_script
from groundskeeper.simulation import simulate as play

Story = tuple[Incident, list[Entry], list[Change]]


def simulate(
    file: Annotated[Path, typer.Argument(help="A script: examples/*.json show what it looks like.")],
    json: Json = False,
) -> None:
    """Play a scripted world and show what Groundskeeper would do in it."""
    script = read_script(file)
    stories = asyncio.run(_played(script))
    if json:
        incidents = [incident_as_json(*story) for story in stories]
        say_json({"because": script.because, "device": script.device, "incidents": incidents})
        return
    out = console()
    say(f"{script.because}\n")
    for one, entries, _ in stories:
        show_incident(out, one, timeline(entries), entries[-1].at)
        out.print()
    if not stories:
        say("Nothing was found wrong, and nothing was changed.")


async def _played(script: Script) -> list[Story]:
    ledger = MemoryLedger()
    await play(script, ledger)
    return [
        (one, await ledger.entries(incident=one.id), await ledger.changes(incident=one.id))
        for one in await ledger.incidents(live=False)
    ]
