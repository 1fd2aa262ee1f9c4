"""A storm: a script of faults, played twice over the same office. First nobody acts; then Groundskeeper does."""

import time
from collections.abc import Callable, Sequence

from groundskeeper.lab.agents import MANAGED, OBSERVE, Agents
from groundskeeper.lab.deeds import deeds
from groundskeeper.lab.faults import fault_named
from groundskeeper.lab.faults.fault import Fault
from groundskeeper.lab.judge import AIDED, UNAIDED, Felt, play
from groundskeeper.lab.lab import Lab
from groundskeeper.lab.scoring import Deeds, Line, Score, judged
from groundskeeper.lib.clock import SystemClock

LOOK_ROUND = 1.5
"""Seconds. An agent that has just begun does not know yet what answers here; a client's has run for weeks."""

Tell = Callable[[str, Felt], None]
"""Called after each fault with "unaided" or "managed", and what the client felt."""


def play_unaided(lab: Lab, faults: Sequence[Fault], tell: Tell) -> list[Felt]:
    """The break/fix client: agents see and tell, nobody acts until the phone is picked up."""
    Agents(lab).begin(OBSERVE)
    felt = []
    for fault in faults:
        felt.append(play(lab, fault, UNAIDED))
        tell("unaided", felt[-1])
        _fit_for_the_next(lab, fault, felt[-1])
    return felt


def play_managed(lab: Lab, fault: Fault) -> tuple[Felt, Deeds]:
    """One fault with the loop allowed to act, from an empty ledger, and what the ledgers say became of it.

    What nobody but a person should settle is watched as long as when nobody acts, so that the two can be compared.
    """
    agents = Agents(lab)
    agents.begin(MANAGED)
    time.sleep(LOOK_ROUND)
    since = SystemClock().now()
    done: list[Deeds] = []
    felt = play(lab, fault, AIDED if fault.settles else UNAIDED, before_heal=lambda: done.append(deeds(agents, since)))
    return felt, done[0]


def _fit_for_the_next(lab: Lab, fault: Fault, felt: Felt) -> None:
    """A machine that even the person on the phone could not mend is started again, so that the storm can go on."""
    if not felt.well_after:
        lab.machine(fault.machine).cut_power()
        lab.machine(fault.machine).start()


def play_storm(lab: Lab, name: str, faults: Sequence[str], tell: Tell) -> Score:
    """Every fault twice, and the score. The lab must have been raised with agents."""
    begun = time.monotonic()
    chosen = [fault_named(fault) for fault in faults]
    lines: list[Line] = []
    for fault, unaided in zip(chosen, play_unaided(lab, chosen, tell), strict=True):
        managed, done = play_managed(lab, fault)
        tell("managed", managed)
        _fit_for_the_next(lab, fault, managed)
        lines.append(judged(fault, managed, done, unaided))
    Agents(lab).end()
    return Score(storm=name, took_s=round(time.monotonic() - begun, 1), lines=tuple(lines))
