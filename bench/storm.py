"""The first storm over the office: every fault twice, nobody acting and managed. Makes the README's table and picture.

Draws the score to docs/storm.svg; prints the table as Markdown before the one JSON object.

usage: make bench NAME=storm
"""

import statistics
import sys
from pathlib import Path

from groundskeeper.lab.agents import with_agents
from groundskeeper.lab.drawing import draw, spoken
from groundskeeper.lab.faults import STORMS, fault_named
from groundskeeper.lab.lab import Lab
from groundskeeper.lab.office import load_office
from groundskeeper.lab.scoring import Line, Score
from groundskeeper.lab.storm import play_storm
from measuring import aim, report, summary

DOCS = Path(__file__).parent.parent / "docs"


def table(score: Score) -> str:
    """Markdown, a row a fault."""
    rows = ["| what breaks | where | nobody acts | managed | by |", "|---|---|---|---|---|"]
    return "\n".join(rows + [row(line) for line in score.lines])


def row(line: Line) -> str:
    unaided = spoken(line.unaided_ms or 0.0, bool(line.unaided_settled))
    managed = spoken(line.impact_ms, line.settled) if line.settled else "a person's turn"
    by = line.by.split("/")[0] if line.settled else ""
    return f"| {line.what} | {fault_named(line.name).machine} | {unaided} | {managed} | {by} |"


def main() -> None:
    def tell(how: str, felt: object) -> None:
        print(how, getattr(felt, "fault", ""), getattr(felt, "impact_ms", ""), file=sys.stderr)

    with Lab.up(with_agents(load_office("office")), "gk-storm", lambda line: print(line, file=sys.stderr)) as lab:
        score = play_storm(lab, "first", STORMS["first"], tell)
    (DOCS / "storm.svg").write_text(draw(score))
    print(table(score))
    due = [line for line in score.lines if line.expected]
    managed = [line.impact_ms for line in due]
    unaided = [line.unaided_ms or 0.0 for line in due]
    counted = {"settled": score.settled, "of": len(score.lines), "a_persons_turn": len(score.lines) - len(due)}
    ours = summary(managed, **counted)
    peers = {"nobody acts": summary(unaided, version="watched for 3 s each")}
    aims = [
        aim("settled without a person, of 20", 20 * sum(line.settled for line in due) / len(due), 18, at_most=False),
        aim("made worse", len(score.made_worse), 0),
        aim("changes left unconfirmed", score.left_unconfirmed, 0),
        aim("median felt when managed over unaided", statistics.median(managed) / statistics.median(unaided), 0.1),
    ]
    report("storm", "ms felt", ours, peers, aims, {"managed": managed, "unaided": unaided})


if __name__ == "__main__":
    main()
