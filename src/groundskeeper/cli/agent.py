"""`agent install | remove`: the agent as a service of this machine, and without a trace."""

from typing import Annotated

import typer

from groundskeeper.agent import install as installing
from groundskeeper.cli.here import home
from groundskeeper.cli.saying import say

agent = typer.Typer(help="Make the agent a service of this machine, or take it away.", no_args_is_help=True)


@agent.command()
def install() -> None:
    """Install and start the agent as a systemd service, in a slice of its own."""
    for done in installing.install(home()):
        say(done)


@agent.command()
def remove(
    keep_ledger: Annotated[bool, typer.Option("--keep-ledger", help="Leave the record of what was done.")] = False,
) -> None:
    """Stop the agent and remove everything of Groundskeeper from this machine."""
    for done in installing.remove(home(), keep_ledger=keep_ledger):
        say(done)
