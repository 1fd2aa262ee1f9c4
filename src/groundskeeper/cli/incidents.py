"""`incidents` and `incident ID`: what was wrong, what was done about it, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from groundskeeper import wire
from groundskeeper.cli.completing import incident_ids
from groundskeeper.cli.here import home, now
from groundskeeper.cli.options import Json
from groundskeeper.cli.records import read, the_incident
from groundskeeper.cli.saying import say
from groundskeeper.cli.showing import console, say_json
from groundskeeper.cli.timeline import Moment, timeline
from groundskeeper.cli.words import PHASES, SEVERITIES, ago, clock_time
from groundskeeper.lib.figures import span
from groundskeeper.model import Change, ChangeId, Entry, Incident, Ledger, Phase


def incidents(
    all: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    json: Json = False,
) -> None:
    """What is wrong now, and how far its handling has come."""
    found = read(home().ledger, lambda ledger: ledger.incidents(live=not all))
    if json:
        say_json(found)
    elif not found:
        say("No incidents are recorded." if all else "Nothing is wrong: there is no live incident.")
    else:
        show_incidents(console(), found, now())


def show_incidents(out: Console, found: Sequence[Incident], at: datetime) -> None:
    """Two lines an incident: which and how far; and why, in its sentence."""
    for incident in found:
        sign = PHASES[incident.phase]
        line = Text(f"{sign.mark} ", style=sign.colour)
        line.append(f"{incident.id}  ", style="bold")
        line.append(f"{incident.finding.subject} on {incident.finding.device}")
        line.append(f"  {sign.word}", style=sign.colour)
        line.append(f", {ago(incident.moved_at, at)}", style="dim")
        out.print(line)
        out.print(Padding(Text(incident.reason, style="dim"), (0, 0, 0, 4)))


def incident(
    id: Annotated[str, typer.Argument(help="Its id, or how it begins.", autocompletion=incident_ids)],
    json: Json = False,
) -> None:
    """One incident from the first evidence to its end, in milliseconds."""

    async def look(ledger: Ledger) -> tuple[Incident, list[Entry], list[Change]]:
        one = await the_incident(ledger, id)
        return one, await ledger.entries(incident=one.id), await ledger.changes(incident=one.id)

    one, entries, changes = read(home().ledger, look)
    if json:
        say_json(incident_as_json(one, entries, changes))
    else:
        show_incident(console(), one, timeline(entries), now())


def incident_as_json(one: Incident, entries: Sequence[Entry], changes: Sequence[Change]) -> dict[str, object]:
    """{incident, changes, timeline: [{ms, at, what, text, change}]}"""
    moments = [wire.plain(moment) for moment in timeline(entries)]
    for moment in moments:
        del moment["colour"]
    return {"incident": wire.plain(one), "changes": wire.plain(list(changes)), "timeline": moments}


def show_incident(out: Console, one: Incident, moments: Sequence[Moment], at: datetime) -> None:
    """A heading and the timeline."""
    finding, sign = one.finding, PHASES[one.phase]
    heading = Text()
    heading.append(f"{finding.subject} on {finding.device}", style="bold")
    heading.append(f"  {sign.mark} {sign.word}", style=sign.colour)
    out.print(heading)
    about = f"incident {one.id}, {SEVERITIES[finding.severity]}, found by {finding.rule}"
    out.print(Text(f"{about}, {clock_time(one.since, at)}{_lasted(one)}", style="dim"))
    if one.cause:
        out.print(Text(f"a symptom of incident {one.cause}", style="dim"))
    out.print()
    out.print(timeline_table(moments))


def _lasted(one: Incident) -> str:
    return f", over after {span(one.moved_at - one.since)}" if one.phase is Phase.RESOLVED else ""


def timeline_table(moments: Sequence[Moment]) -> Table:
    """Milliseconds, what, the sentence; and a change's id where it begins, for `undo`."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("ms", "", "")
    told: set[ChangeId] = set()
    for moment in moments:
        text = Text(moment.text, style="dim" if moment.colour == "dim" else "")
        if moment.change and moment.change not in told:
            told.add(moment.change)
            text.append(f"  (change {moment.change})", style="dim")
        table.add_row(f"{moment.ms:,.1f}", Text(moment.what, style=moment.colour), text)
    return table
