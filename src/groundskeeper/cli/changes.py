"""`changes` and `undo ID`: everything that Groundskeeper changed on this machine, and how it is taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from groundskeeper import wire
from groundskeeper.agent.control import Control
from groundskeeper.cli.completing import change_ids
from groundskeeper.cli.here import home, now, who
from groundskeeper.cli.options import Json
from groundskeeper.cli.records import read, the_change
from groundskeeper.cli.saying import say
from groundskeeper.cli.showing import console, say_json
from groundskeeper.cli.words import STAGES, clock_time, took
from groundskeeper.model import Change, Outcome, Refused, Result, Stage


def changes(json: Json = False) -> None:
    """Every change that was made here, with what became of it."""
    found = read(home().ledger, lambda ledger: ledger.changes())
    if json:
        say_json(found)
    elif not found:
        say("Nothing was changed here.")
    else:
        show_changes(console(), found, now())


def show_changes(out: Console, found: Sequence[Change], at: datetime) -> None:
    """Two lines a change: what and what became of it; and why."""
    for change in found:
        out.print(change_line(change, at))
        out.print(Padding(Text(f"{change.reason}{_back(change)}", style="dim"), (0, 0, 0, 4)))


def change_line(change: Change, at: datetime) -> Text:
    """When, which, what should be so, what became of it, after how long."""
    sign = STAGES[change.stage]
    line = Text(f"{sign.mark} ", style=sign.colour)
    line.append(f"{change.id}  ", style="bold")
    line.append(f"{clock_time(change.intended_at, at)}  ", style="dim")
    line.append(change.action.describe())
    line.append(f"  {sign.word}", style=sign.colour)
    if change.stage is Stage.CONFIRMED:
        line.append(f" after {took(change.moved_at - change.intended_at)}", style="dim")
    return line


def _back(change: Change) -> str:
    if change.stage is not Stage.CONFIRMED:
        return ""
    if change.undo is None:
        return "; cannot be taken back"
    return f"; `groundskeeper undo {change.id}` takes it back"


def undo(
    id: Annotated[str, typer.Argument(help="The change's id, or how it begins.", autocompletion=change_ids)],
    json: Json = False,
) -> None:
    """Take one change back, now.

    The loop does not do it again for the same trouble.
    """
    control = Control(home().socket)
    control.ask("status")  # no agent: say so before anything else
    change = read(home().ledger, lambda ledger: the_change(ledger, id))
    outcome = wire.from_plain(control.ask("undo", change=change.id, who=who()), Outcome)
    if json:
        say_json(outcome)
    if outcome.result is not Result.REVERTED:
        raise Refused(f"it could not be taken back: {outcome.reason}")
    if not json:
        say(f"Taken back: {change.undo.describe() if change.undo else outcome.reason}.")
