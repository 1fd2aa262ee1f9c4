"""`watch`: the live view of the agent that looks after this machine; `status`: the same, once, in lines."""

import re
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from groundskeeper import wire
from groundskeeper.cli.gauges import gauges
from groundskeeper.cli.here import home, now
from groundskeeper.cli.lines import told
from groundskeeper.cli.live import follow, follow_json
from groundskeeper.cli.options import Json, Plain
from groundskeeper.cli.saying import say
from groundskeeper.cli.screen import Screen
from groundskeeper.cli.showing import console, say_json
from groundskeeper.cli.standing import Looking, Standing
from groundskeeper.cli.summary import summary

PICTURE_WIDTH = 100


def watch(
    plain: Plain = False,
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="With --once: draw it into this file as a picture.")] = None,
    json: Json = False,
) -> None:
    """Look at what is watched, seen and done here, live.

    It looks only: the agent goes on whether somebody looks or not. With --json, each line of the ledger as it comes.
    """
    with Looking(home()) as looking:
        if once or svg:
            _show_once(looking.standing(now()), plain, svg)
        elif json:
            follow_json(looking)
        else:
            follow(looking, plain)


def _show_once(standing: Standing, plain: bool, svg: Path | None) -> None:
    if svg:
        svg.write_text(picture(standing))
        say(f"drawn into {svg}")
    elif plain:
        for line in told(standing):
            say(line)
    else:
        console().print(Screen(standing))


def picture(standing: Standing) -> str:
    """The screen as an SVG that fetches nothing from anywhere."""
    paper = Console(record=True, width=PICTURE_WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    paper.print(Screen(standing))
    fontless = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return paper.export_svg(title="groundskeeper watch", code_format=fontless)


def status(json: Json = False) -> None:
    """How things stand on this machine, in lines."""
    with Looking(home()) as looking:
        standing = looking.standing(now())
    if json:
        say_json(status_as_json(standing))
        return
    for line in told(standing):
        say(line)


def status_as_json(standing: Standing) -> dict[str, object]:
    """{running, level, summary, agent, stopped, gauges, incidents, changes}; agent is null where none runs."""
    said = summary(standing)
    return {
        "running": standing.agent is not None,
        "level": said.level.value,
        "summary": said.text,
        "agent": wire.plain(standing.agent),
        "stopped": standing.stopped,
        "gauges": wire.plain(gauges(standing.snapshot)),
        "incidents": wire.plain(standing.incidents),
        "changes": wire.plain(standing.changes),
    }
