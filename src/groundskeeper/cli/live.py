"""The live view: how things stand, as long as somebody looks. It looks only; whoever calls it minds the agent."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console
from rich.live import Live

from groundskeeper import wire
from groundskeeper.cli.here import now
from groundskeeper.cli.keys import Keys
from groundskeeper.cli.lines import news, told
from groundskeeper.cli.saying import say
from groundskeeper.cli.screen import Screen
from groundskeeper.cli.showing import console
from groundskeeper.cli.standing import Looking

GLANCE = 0.25
"""Seconds between two looks: soon enough to seem at once, and rare enough to cost nothing."""

Going = Callable[[], None]
"""Called at each look; raises where there is nothing left to look at."""


def follow(looking: Looking, plain: bool, going: Going = lambda: None) -> None:
    """Show what happens until q, Ctrl-C or SIGTERM."""
    with suppress(KeyboardInterrupt):
        if plain or not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
            _lines(looking, going)
        else:
            _screen(looking, console(), going)


def _screen(looking: Looking, out: Console, going: Going) -> None:
    shown: object = None
    with Keys() as keys, Live(console=out, screen=True, auto_refresh=False) as live:
        while True:
            going()
            standing, size = looking.standing(now()), out.size
            screen = Screen(standing, size.height, keys=True)
            face = (size, screen.lines(size.width))
            if face != shown:  # a screen that is drawn again though nothing changed flickers over slow lines
                shown = face
                live.update(screen, refresh=True)
            if keys.pressed(GLANCE) in ("q", "Q", "\x1b"):
                return


def _lines(looking: Looking, going: Going) -> None:
    looking.news()
    for line in told(looking.standing(now())):
        say(line)
    with Keys() as keys:
        while keys.pressed(GLANCE) not in ("q", "Q"):
            going()
            for entry in looking.news():
                for line in news(entry, now()):
                    say(line)
            sys.stdout.flush()


def follow_json(looking: Looking) -> None:
    """Every line of the ledger from now on, one JSON object a line."""
    looking.news()
    with suppress(KeyboardInterrupt), Keys() as keys:
        while keys.pressed(GLANCE) != "q":
            for entry in looking.news():
                say(wire.encode(entry).decode())
            sys.stdout.flush()
