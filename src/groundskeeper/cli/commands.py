"""Which commands there are. To add one: its file, and one line here.

The modules are named, not imported: a command loads what it needs itself and nothing else, so that neither `--help`
nor a press of Tab waits for the lab or for cryptography. A test holds the help lines to the commands' own docstrings.
"""

from importlib import import_module
from typing import Any, NamedTuple

import typer

SEE, DECIDE, SET_UP, TRY = "See", "Decide", "Set up", "Try"


class Command(NamedTuple):
    name: str
    place: str
    """module:attribute, below groundskeeper.cli; a function, or a Typer with commands of its own."""
    panel: str
    help: str

    def load(self) -> Any:
        """The command, ready to run."""
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(f"groundskeeper.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = self.name
            return group
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(self.name)(found)
        return typer.main.get_command(alone)


COMMANDS: tuple[Command, ...] = (
    Command("up", "up:up", SEE, "Look after this machine: start the agent, and show what it sees and does."),
    Command("status", "watch:status", SEE, "How things stand on this machine, in lines."),
    Command("watch", "watch:watch", SEE, "Look at what is watched, seen and done here, live."),
    Command("incidents", "incidents:incidents", SEE, "What is wrong now, and how far its handling has come."),
    Command("incident", "incidents:incident", SEE, "One incident from the first evidence to its end, in milliseconds."),
    Command("changes", "changes:changes", SEE, "Every change that was made here, with what became of it."),
    Command("undo", "changes:undo", DECIDE, "Take one change back, now."),
    Command("approve", "approve:approve", DECIDE, "Carry out the plan of an incident that waits for a person."),
    Command("stop", "automation:stop", DECIDE, "Stop all automation here, until `start`."),
    Command("start", "automation:start", DECIDE, "Let automation go on, where it was stopped."),
    Command("policy", "policy:policy", DECIDE, "What Groundskeeper may do here by itself, and how that is changed."),
    Command("doctor", "doctor:doctor", SET_UP, "Check that all is in order, and tell what is not possible here."),
    Command("agent", "agent:agent", SET_UP, "Make the agent a service of this machine, or take it away."),
    Command("simulate", "simulate:simulate", TRY, "Play a scripted world and show what Groundskeeper would do in it."),
    Command("lab", "lab:lab", TRY, "A company of real machines, to break things in."),
    Command("completion", "completion:completion", SET_UP, "Let your shell complete commands and ids."),
)
