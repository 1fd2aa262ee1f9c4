"""What the agents did about a fault, read from their ledgers.

It is told beside the client's judgement, never part of it.
"""

import asyncio
import time
from pathlib import Path

from groundskeeper.knowledge.ledger.sqlite import SqliteLedger
from groundskeeper.lab.agents import Agents
from groundskeeper.lab.scoring import Deeds
from groundskeeper.model import Change, GroundskeeperError, Stage

ACTED = (Stage.APPLIED, Stage.CONFIRMED)


def deeds(agents: Agents, patience: float = 12.0) -> Deeds:
    """Wait until no change is on probation any more, at most `patience` seconds;

    then tell who acted and what was left.
    """
    until = time.monotonic() + patience
    changes = _changes(agents)
    while any(not change.stage.settled for change in changes) and time.monotonic() < until:
        time.sleep(0.1)
        changes = _changes(agents)
    by = dict.fromkeys(f"{_rule(change)}/{change.runbook}" for change in changes if change.stage in ACTED)
    left = sum(not change.stage.settled or change.stage is Stage.NEEDS_PERSON for change in changes)
    return Deeds(by=", ".join(by), left_unconfirmed=left)


def _rule(change: Change) -> str:
    return change.fingerprint.partition("|")[0]


def _changes(agents: Agents) -> list[Change]:
    return [change for _, path in agents.ledgers() if path.exists() for change in asyncio.run(_read(path))]


async def _read(path: Path) -> list[Change]:
    try:
        ledger = SqliteLedger(path, read_only=True)
    except GroundskeeperError:  # it is being written for the first time
        return []
    try:
        return await ledger.changes()
    finally:
        await ledger.close()
