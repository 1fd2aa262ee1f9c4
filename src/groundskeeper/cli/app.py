"""The command line as a whole, and every way in which a command can end badly, told in one sentence."""

import os
import sys
from typing import Annotated, Any

import typer
from typer._completion_classes import completion_init
from typer.core import TyperCommand, TyperGroup

from groundskeeper import __version__
from groundskeeper.cli.commands import COMMANDS
from groundskeeper.cli.exits import IN_WORDS, INTERRUPTED, code_for
from groundskeeper.cli.saying import complain, say
from groundskeeper.model import GroundskeeperError


class Lazily(TyperGroup):
    """Lists every command from the table, and loads the one that is run."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for command in COMMANDS:
            self.commands[command.name] = TyperCommand(
                command.name, help=command.help, rich_help_panel=command.panel, rich_markup_mode=None
            )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, next(command.load() for command in COMMANDS if command.name == name), rest


app = typer.Typer(
    name="groundskeeper",
    cls=Lazily,
    epilog=IN_WORDS,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        say(__version__)
        raise typer.Exit


@app.callback()
def groundskeeper(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Which one.")
    ] = False,
) -> None:
    """Looks after this machine: sees trouble, puts it right, proves it, or takes it back."""


def main() -> None:
    """The `groundskeeper` command."""
    completion_init()  # typer does so only where it adds options of its own; ours is a command
    try:
        app(prog_name="groundskeeper")
    except GroundskeeperError as problem:
        complain(str(problem))
        sys.exit(code_for(problem))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read us went away (`| head`): say nothing more, not at interpreter exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
