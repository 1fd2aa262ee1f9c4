"""What the agents did about a fault, read from their ledgers.

It is told beside the client's judgement, never part of it.
"""

import time

from groundskeeper.lab.agents import Agents
from groundskeeper.lab.scoring import Deeds
from groundskeeper.model import Change, Stage

ACTED = (Stage.APPLIED, Stage.CONFIRMED)


def deeds(agents: Agents, patience: float = 12.0) -> Deeds:
    """Wait until no change is on probation any more, at most `patience` seconds;

    then tell who acted and what was left.
    """
    until = time.monotonic() + patience
    changes = agents.changes()
    while any(not change.stage.settled for change in changes) and time.monotonic() < until:
        time.sleep(0.1)
        changes = agents.changes()
    by = dict.fromkeys(f"{_rule(change)}/{change.runbook}" for change in changes if change.stage in ACTED)
    left = sum(not change.stage.settled or change.stage is Stage.NEEDS_PERSON for change in changes)
    return Deeds(by=", ".join(by), left_unconfirmed=left)


def _rule(change: Change) -> str:
    return change.fingerprint.partition("|")[0]
