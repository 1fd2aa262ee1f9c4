"""`completion show | install`: the shell completes commands, ids, faults and machines."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script
from typer._completion_shared import install as install_script

from groundskeeper.cli.saying import say

PROGRAM = "groundskeeper"
VARIABLE = "_GROUNDSKEEPER_COMPLETE"

completion = typer.Typer(help="Let your shell complete commands and ids.", no_args_is_help=True)


class Shell(Enum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


Which = Annotated[Shell, typer.Argument(help="Your shell: bash, zsh or fish.")]


@completion.command()
def show(shell: Which = Shell.BASH) -> None:
    """Print the script: `eval "$(groundskeeper completion show bash)"` tries it out."""
    say(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value))


@completion.command()
def install(shell: Which = Shell.BASH) -> None:
    """Put the script where your shell looks for it."""
    _, path = install_script(shell=shell.value, prog_name=PROGRAM, complete_var=VARIABLE)
    say(f"Completion is in {Path(path)}; it works in the next {shell.value} that you open.")
