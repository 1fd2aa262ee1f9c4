"""`stop` and `start`: all automation on this machine, by one file. `touch` and `rm` of it do the same."""

from typing import Annotated

import typer

from groundskeeper.cli.here import home, now, who
from groundskeeper.cli.saying import say
from groundskeeper.model import Refused


def stop(reason: Annotated[str, typer.Argument(help="Why, for whoever finds it stopped.")] = "") -> None:
    """Stop all automation here, until `start`.

    Groundskeeper goes on seeing and telling, and changes nothing. `touch` of the same file does the same.
    """
    here = home()
    words = f"{who()} stopped it on {now():%Y-%m-%d at %H:%M UTC}" + (f": {reason}" if reason else "")
    try:
        here.config.mkdir(parents=True, exist_ok=True, mode=0o700)
        here.stop_file.write_text(f"{words}\n")
    except OSError as problem:
        raise Refused(f"{here.stop_file} could not be made ({problem.strerror}): try again with sudo") from problem
    say(f"All automation is stopped ({here.stop_file}). `groundskeeper start` lets it go on.")


def start() -> None:
    """Let automation go on, where it was stopped."""
    file = home().stop_file
    try:
        file.unlink()
    except FileNotFoundError:
        say("Automation was not stopped.")
        return
    except OSError as problem:
        raise Refused(f"{file} could not be removed ({problem.strerror}): try again with sudo") from problem
    say("Automation goes on, as policy allows.")
