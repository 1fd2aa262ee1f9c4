"""A storm's score: what each fault cost the client when nobody acted and when Groundskeeper did. Pure."""

from collections.abc import Sequence

import msgspec

from groundskeeper.lab.faults.fault import Fault
from groundskeeper.lab.judge import Felt

NOTICED_MS = 250.0


class Deeds(msgspec.Struct, frozen=True):
    """What the agents wrote in their ledgers about one fault. Told beside the judgement, and no part of it.

    `by` names the rule and the runbook that acted; `left_unconfirmed` counts changes neither confirmed nor reverted.
    """

    by: str = ""
    left_unconfirmed: int = 0


class Line(msgspec.Struct, frozen=True):
    """One fault's line in the score. What is called unaided is None for a fault that was played once only.

    `unaided_ms` is cut off where the watch ended; `unaided_settled` says whether it was over by then.
    """

    name: str
    what: str
    impact_ms: float
    settled: bool
    expected: bool
    by: str
    made_worse: bool
    left_unconfirmed: int
    unaided_ms: float | None
    unaided_settled: bool | None
    managed: Felt
    unaided: Felt | None


class Score(msgspec.Struct, frozen=True):
    """The score of a storm."""

    storm: str
    took_s: float
    lines: tuple[Line, ...]

    @property
    def settled(self) -> int:
        """How many faults were settled without a person."""
        return sum(line.settled for line in self.lines)

    @property
    def made_worse(self) -> tuple[str, ...]:
        """The faults that were worse with Groundskeeper than without."""
        return tuple(line.name for line in self.lines if line.made_worse)

    @property
    def left_unconfirmed(self) -> int:
        """Changes that were neither confirmed nor reverted."""
        return sum(line.left_unconfirmed for line in self.lines)

    @property
    def impact_ms(self) -> float:
        """Without service, all faults together, managed."""
        return sum(line.impact_ms for line in self.lines)

    @property
    def unaided_ms(self) -> float:
        """Without service, all faults together, nobody acting, as far as was watched."""
        return sum(line.unaided_ms or 0.0 for line in self.lines)


def judged(fault: Fault, managed: Felt, deeds: Deeds, unaided: Felt | None = None) -> Line:
    """The line of a fault that was played, twice if `unaided` is given.

    Made worse: a service was hurt that the fault alone leaves alone (as it says itself, and as was seen unaided), or
    the client was still unwell after the heal.
    """
    alone = {service.name.lower() for service in fault.hurts} | set(unaided.hurt if unaided else ())
    return Line(
        name=managed.fault,
        what=fault.what,
        impact_ms=managed.impact_ms,
        settled=managed.settled,
        expected=fault.settles,
        by=deeds.by,
        made_worse=bool(alone and managed.hurt_for(NOTICED_MS) - alone) or not managed.well_after,
        left_unconfirmed=deeds.left_unconfirmed,
        unaided_ms=unaided.impact_ms if unaided else None,
        unaided_settled=unaided.settled if unaided else None,
        managed=managed,
        unaided=unaided,
    )


def as_json(score: Score) -> dict[str, object]:
    """What `--json` prints: the totals, and per fault the fields that the score promises, then the rest."""
    return {
        "storm": score.storm,
        "faults": len(score.lines),
        "settled": score.settled,
        "made_worse": list(score.made_worse),
        "left_unconfirmed": score.left_unconfirmed,
        "impact_ms": round(score.impact_ms, 1),
        "unaided_ms": round(score.unaided_ms, 1),
        "took_s": score.took_s,
        "lines": [msgspec.to_builtins(line) for line in score.lines],
    }


def missed(lines: Sequence[Line]) -> list[str]:
    """The faults that should have been settled and were not."""
    return [line.name for line in lines if line.expected and not line.settled]
