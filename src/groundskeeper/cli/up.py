"""`up`: one command, and this machine is looked after, and a person sees it."""

import signal

from groundskeeper.agent.control import Control
from groundskeeper.agent.home import Home
from groundskeeper.cli.child import child
from groundskeeper.cli.here import home
from groundskeeper.cli.live import follow
from groundskeeper.cli.options import Plain
from groundskeeper.cli.saying import say
from groundskeeper.cli.standing import Looking
from groundskeeper.model import Unavailable


def up(plain: Plain = False) -> None:
    """Look after this machine: start the agent, and show what it sees and does.

    Ctrl-C or q stops it. Where an agent runs already, as a service for instance, it is shown, and goes on afterwards.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    here = home()
    if _runs(here):
        with Looking(here) as looking:
            follow(looking, plain)
        say("The agent goes on: it was running before. `groundskeeper watch` shows it again.")
        return
    with child(here) as agent, Looking(here) as looking:
        follow(looking, plain, agent.check)
    say(f"Stopped. Nothing is lost ({here.state}): the next `groundskeeper up` goes on with it.")


def _runs(here: Home) -> bool:
    try:
        Control(here.socket).ask("status")
    except Unavailable:
        return False
    return True
