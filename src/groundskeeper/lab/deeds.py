"""What the agents did about a fault, read from their ledgers. Told beside the client's judgement, never part of it."""

import time
from datetime import datetime

from groundskeeper.lab.agents import Agents
from groundskeeper.lab.scoring import Deeds
from groundskeeper.model import Change, Stage

ACTED = (Stage.APPLIED, Stage.CONFIRMED)


def deeds(agents: Agents, since: datetime, patience: float = 12.0) -> Deeds:
    """What was done since then. Waits until no change is on probation any more, at most `patience` seconds."""
    until = time.monotonic() + patience
    changes = agents.changes()
    while any(not change.stage.settled for change in changes) and time.monotonic() < until:
        time.sleep(0.1)
        changes = agents.changes()
    acted = [change for change in changes if change.stage in ACTED and change.intended_at >= since]
    left = sum(not change.stage.settled or change.stage is Stage.NEEDS_PERSON for change in changes)
    return Deeds(by=", ".join(dict.fromkeys(map(_who, acted))), left_unconfirmed=left)


def _who(change: Change) -> str:
    return f"{change.fingerprint.partition('|')[0]}/{change.runbook}"
