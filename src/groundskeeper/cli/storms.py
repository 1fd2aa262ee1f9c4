"""A storm's score for people: a table with a bar for each fault, nobody acting beside managed."""

from rich.markup import escape
from rich.table import Table

from groundskeeper.lab.drawing import BAR, length, spoken
from groundskeeper.lab.judge import Felt
from groundskeeper.lab.scoring import Line, Score

CELLS = 20


def felt_in_words(felt: Felt) -> str:
    """What the client would say."""
    what = f" without {', '.join(felt.hurt)}" if felt.hurt else ""
    return f"{spoken(felt.impact_ms, felt.settled)}{what}"


def score_table(score: Score) -> Table:
    """One row a fault. The bars are logarithmic: each step of the same length is ten times as long."""
    table = Table("fault", "nobody acts", "", "managed", "", "by", box=None, pad_edge=False)
    for line in score.lines:
        table.add_row(line.name, *_cells(line.unaided, "red"), *_cells(line.managed, "green"), _remarks(line))
    return table


def score_words(score: Score) -> str:
    """The score in two sentences."""
    return (
        f"{score.settled} of {len(score.lines)} settled without a person; made worse: "
        f"{', '.join(score.made_worse) or 'none'}; changes left unconfirmed: {score.left_unconfirmed}. "
        f"The client was without a service for {score.impact_ms / 1000:.1f} s; with nobody acting "
        f"{score.unaided_ms / 1000:.0f} s, and on until somebody comes."
    )


def _cells(felt: Felt | None, colour: str) -> tuple[str, str]:
    if felt is None:
        return "", ""
    bar = "█" * round(length(felt.impact_ms) / BAR * CELLS)
    return f"[{colour}]{bar}[/]", spoken(felt.impact_ms, felt.settled)


def _remarks(line: Line) -> str:
    nobody = "nobody" if line.expected else "a person's turn"
    whose = escape(line.by) if line.settled else nobody
    worse = " [red]made worse[/]" if line.made_worse else ""
    left = f" [red]{line.left_unconfirmed} left unconfirmed[/]" if line.left_unconfirmed else ""
    return f"{whose}{worse}{left}"
