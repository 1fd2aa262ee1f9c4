"""How things stand, as a screen: a heading, one line that says it all, and five sections. Pure.

Every line is cut to the width here, so that the number of lines is known and fits the height: a live screen that is one
line too long scrolls, and flickers.
"""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from groundskeeper.cli.gauges import COLOURS, Gauge, Level, gauges
from groundskeeper.cli.standing import Standing
from groundskeeper.cli.summary import autonomy, summary
from groundskeeper.cli.words import GOOD, PHASES, STAGES, ago, clock_time, took
from groundskeeper.lib.figures import span
from groundskeeper.model import Change, Incident, Phase, Stage

GUTTER = 10
WIDEST = 132
"""Lines longer than this are hard to read, however wide the window."""
BAR = 12
URGENCY = (Phase.ESCALATED, Phase.OPEN, Phase.MITIGATING, Phase.PENDING, Phase.WATCHING, Phase.RESOLVED)
"""Whose lines are shown first."""
MARKS = {Level.GOOD: "●", Level.WARN: "▲", Level.BAD: "▲", Level.OFF: "○"}
KEYS = "q quits"
NEXT = "`groundskeeper incident ID` tells a story   `groundskeeper undo ID` takes a change back"


class Section(NamedTuple):
    """A title in the gutter and lines beside it. `least` is how many are kept when room is short."""

    title: str
    lines: Sequence[Text]
    least: int


class Screen:
    """Drawn at the width it is given. `height`: fill exactly so many lines; None: as many as there are."""

    def __init__(self, standing: Standing, height: int | None = None, keys: bool = False) -> None:
        self._standing = standing
        self._height = height
        self._keys = keys

    def lines(self, width: int) -> list[Text]:
        """What it shows in a window of this width."""
        return drawn(self._standing, min(width, WIDEST), self._height, self._keys)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines(options.max_width):
            line.no_wrap = True
            line.truncate(options.max_width, overflow="ellipsis")
            yield line


def drawn(standing: Standing, width: int, height: int | None, keys: bool) -> list[Text]:
    """Every line of the screen, top to bottom; exactly `height` of them where it is given."""
    head = _head(standing, width)
    foot = _foot(standing, width) if keys else []
    inner = width - GUTTER - 1
    sections = [
        Section("Watched", _watched(standing, inner), 2),
        Section("Seen", [_gauge(gauge) for gauge in gauges(standing.snapshot)], 3),
        Section("Wrong", _wrong(standing, inner), 2),
        Section("Done", _done(standing), 1),
    ]
    room = None if height is None else height - len(head) - len(foot)
    body = _stacked([section for section in sections if section.lines], room)
    if room is not None:
        body = [*body, *(Text() for _ in range(room - len(body)))][: max(room, 0)]
    return [*head, *body, *foot]


def _head(standing: Standing, width: int) -> list[Text]:
    left, right = Text(" Groundskeeper", style="bold"), Text()
    agent = standing.agent
    if agent:
        left.append(f"  {agent.device}", style="")
        right = Text(f"{agent.policy} v{agent.policy_version}: {autonomy(agent.autonomy)}", style="dim")
    lines = [_apart(left, right, width)]
    said = summary(standing)
    style = COLOURS[said.level] if said.level is not Level.OFF else "yellow"
    for number, part in enumerate(textwrap.wrap(said.text, width - 4)[:3]):
        lines.append(Text(f" {MARKS[said.level] if not number else ' '} {part}", style=f"bold {style}"))
    return [*lines, Text("─" * width, style="dim")]


def _foot(standing: Standing, width: int) -> list[Text]:
    since = Text()
    if standing.agent:
        since = Text(f"running for {span(standing.at - standing.agent.since)}", style="dim")
    left = Text(f" {KEYS}", style="dim")
    if width >= len(NEXT) + len(KEYS) + len(since) + 10:
        left.append(f"   {NEXT}")
    return [Text("─" * width, style="dim"), _apart(left, since, width)]


def _apart(left: Text, right: Text, width: int) -> Text:
    """Both on one line, as far apart as it is wide; the right one gives way where there is no room for both."""
    room = width - len(left) - 2
    if room < 12:
        return left
    right.truncate(room, overflow="ellipsis")
    return Text.assemble(left, " " * (width - len(left) - len(right) - 1), right)


def _watched(standing: Standing, width: int) -> list[Text]:
    if standing.agent is None:
        return [Text("nothing now", style="dim")]
    watching = sorted(standing.agent.watching, key=lambda one: one.what)
    possible = [one for one in watching if one.possible]
    lines: list[Text] = []
    for one in possible:
        if not lines or len(lines[-1]) + len(one.what) + 5 > width:
            lines.append(Text())
        lines[-1].append("   " if len(lines[-1]) else "").append("● ", style=GOOD).append(one.what)
    for one in watching:
        if not one.possible:
            parts = textwrap.wrap(f"○ {one.what}: {one.reason}", width - 2)[:2]
            lines += [Text("  " if number else "").append(part, style="dim") for number, part in enumerate(parts)]
    return lines or [Text("nothing yet", style="dim")]


def _gauge(gauge: Gauge) -> Text:
    line = Text(f"{MARKS[gauge.level]} ", style=COLOURS[gauge.level])
    line.append(f"{_short(gauge.name, 12):<13}", style="default")
    if gauge.share is not None:
        full = round(gauge.share * BAR)
        line.append("█" * full, style=COLOURS[gauge.level])
        line.append("░" * (BAR - full) + "  ", style="dim")
    return line.append(gauge.text, style="default" if gauge.level is Level.GOOD else COLOURS[gauge.level])


def _short(name: str, width: int) -> str:
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _wrong(standing: Standing, width: int) -> list[Text]:
    lines: list[Text] = []
    for incident in sorted(standing.incidents, key=lambda one: (URGENCY.index(one.phase), -one.since.timestamp())):
        lines.append(_incident(incident, standing))
        reason = textwrap.shorten(incident.reason, width - 4, placeholder=" …")
        lines.append(Text("  ").append(reason, style="dim"))
    settled = standing.settled[-1] if standing.settled else None
    if lines:
        return lines
    words = f"nothing; last {ago(settled.since, standing.at)}: {settled.finding.subject}" if settled else "nothing"
    return [Text(words, style="dim")]


def _incident(incident: Incident, standing: Standing) -> Text:
    sign = PHASES[incident.phase]
    line = Text(f"{sign.mark} ", style=sign.colour)
    line.append(incident.finding.subject, style="bold default")
    line.append("  ").append(sign.word, style=sign.colour)
    return line.append(", ").append(f"{ago(incident.moved_at, standing.at)}  {incident.id}", style="dim default")


def _done(standing: Standing) -> list[Text]:
    if not standing.changes:
        return [Text("nothing in the last day", style="dim")]
    return [_change(change, standing) for change in reversed(standing.changes)]


def _change(change: Change, standing: Standing) -> Text:
    sign = STAGES[change.stage]
    line = Text(f"{sign.mark} ", style=sign.colour)
    line.append(clock_time(change.intended_at, standing.at), style="dim default")
    line.append("  ").append(change.action.describe(), style="default")
    line.append("  ").append(sign.word, style=sign.colour)
    if change.stage is Stage.CONFIRMED:
        line.append(" ").append(f"after {took(change.moved_at - change.intended_at)}", style="dim default")
    return line.append("  ").append(change.id, style="dim default")


def _stacked(sections: Sequence[Section], room: int | None) -> list[Text]:
    """The sections below each other. Where room is short, the last ones give way first, then the empty lines."""
    wanted = [len(section.lines) for section in sections]
    gaps = True
    if room is not None:
        gaps = sum(min(section.least, len(section.lines)) for section in sections) + len(sections) <= room
        spare = sum(wanted) + (len(sections) if gaps else 0) - room
        for place in reversed(range(len(sections))):
            given = min(max(spare, 0), max(0, wanted[place] - sections[place].least))
            wanted[place] -= given
            spare -= given
    lines: list[Text] = []
    for section, count in zip(sections, wanted, strict=True):
        lines += [Text()] * bool(gaps and lines)
        lines += [
            _beside(section.title if not number else "", line) for number, line in enumerate(section.lines[:count])
        ]
    return lines


def _beside(title: str, line: Text) -> Text:
    return Text.assemble((f" {title:<{GUTTER - 1}}", "bold dim"), line)
