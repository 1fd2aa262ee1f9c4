"""The one record, in two forms that pass the same suite: `memory` for tests and simulations, `sqlite` for a device."""

from groundskeeper.knowledge.ledger.chain import GENESIS, verify
from groundskeeper.knowledge.ledger.memory import MemoryLedger
from groundskeeper.knowledge.ledger.sqlite import SqliteLedger

__all__ = ["GENESIS", "MemoryLedger", "SqliteLedger", "verify"]
