"""What a command gives: in colours for people, as JSON for programs."""

import sys
from typing import Any

import msgspec
from rich.console import Console

from groundskeeper import wire
from groundskeeper.cli.saying import say

WIDTH_ELSEWHERE = 120
"""Columns where standard output is no terminal, and so has none of its own."""


def console(*, error: bool = False) -> Console:
    """Standard output (or error) for people: colours only on a terminal that wants them (NO_COLOR is honoured)."""
    width = None if (sys.stderr if error else sys.stdout).isatty() else WIDTH_ELSEWHERE
    return Console(highlight=False, width=width, stderr=error)


def say_json(value: Any) -> None:
    """Any value of the model, or plain data, indented for whoever reads it."""
    say(msgspec.json.format(wire.encode(value), indent=2).decode())
