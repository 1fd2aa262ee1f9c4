"""What a fault is:

a real thing that goes wrong on a real machine, what the client loses by it, and how a person mends it.
"""

from collections.abc import Callable

import msgspec

from groundskeeper.lab.felt import Service
from groundskeeper.lab.lab import Lab


class Witness(msgspec.Struct, frozen=True):
    """Who says whether it is still going on, where no client of the office feels it. Asked from outside, every `every`
    s.

    `is_well` is called in the network of `machine` and returns whether the harm has ended. It may take 100 ms at most.
    """

    machine: str
    is_well: Callable[[Lab], bool]
    every: float = 0.010


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. `inject` returns when it is done; `heal` is what the person on the phone would do in the end.

    `heal` is also called where the trouble is already settled: then it must do no harm. `hurts` is what a client loses
    as long as nobody acts. `settles` is False where nothing should act by itself, and a person's turn is the right
    answer.
    """

    name: str
    machine: str
    what: str
    hurts: frozenset[Service]
    inject: Callable[[Lab], None]
    heal: Callable[[Lab], None]
    settles: bool = True
    witness: Witness | None = None


def hurts(*services: Service) -> frozenset[Service]:
    """Shorthand for the tables of faults."""
    return frozenset(services)
