"""A replay for people: what was done beside what would have been done."""

from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from groundskeeper.lib.figures import counted
from groundskeeper.reasoning.replay import Choice, Replay, Turn, Way

SHOWN = 20
WAYS: dict[Way, str] = {
    Way.DONE: "done by itself",
    Way.ASKED: "a person is asked",
    Way.WAITED: "not yet",
    Way.REFUSED: "not allowed",
    Way.DECLINED: "nothing to do",
    Way.UNSEEN: "no trouble",
    Way.SPARED: "not needed",
}


def show(out: Console, replayed: Replay, *, everything: bool) -> None:
    """The sum of it, the decisions that differ (or all), and what cannot be known."""
    for line in summary(replayed):
        out.print(line)
    turns = [turn for turn in replayed.turns if everything or turn.differs]
    if turns:
        out.print(_table(turns if everything else turns[:SHOWN]))
    if len(turns) > SHOWN and not everything:
        out.print(f"… and {len(turns) - SHOWN} more: `--all` shows them.")
    if replayed.cannot_know:
        out.print("\nWhat nobody can know:")
        for sentence in replayed.cannot_know:
            out.print(f"  · {sentence}")


def summary(replayed: Replay) -> Iterator[str]:
    count, differ = len(replayed.turns), sum(turn.differs for turn in replayed.turns)
    span = f"{replayed.since.astimezone():%d %b %H:%M} to {replayed.until.astimezone():%d %b %H:%M}"
    yield f"{span}: {counted(count, 'decision')}, {differ or 'none'} of them otherwise under this policy."
    ways = Counter((turn.was.way, turn.would.way) for turn in replayed.turns if turn.differs)
    for (was, would), times in ways.most_common():
        yield (
            f"  {times:4}  {WAYS[was]} → {WAYS[would]}" if was is not would else f"  {times:4}  {WAYS[was]}, otherwise"
        )


def _table(turns: list[Turn]) -> Table:
    table = Table(show_edge=False, pad_edge=False, expand=True)
    for name, ratio in (("when", 2), ("trouble", 5), ("what was decided", 6), ("what this policy decides", 6)):
        table.add_column(name, ratio=ratio)
    for turn in turns:
        table.add_row(f"{turn.at.astimezone():%d %b %H:%M:%S}", turn.trouble, _told(turn.was), _told(turn.would))
    return table


def _told(choice: Choice) -> str:
    """What, why, and how it ended."""
    lines = [WAYS[choice.way] + (f": {'; '.join(choice.steps)}" if choice.steps else ""), choice.reason]
    return "\n".join([*lines, f"→ {choice.ended}"] if choice.ended else lines)
