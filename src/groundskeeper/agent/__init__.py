"""The resident process of a machine: where sensors, effects, ledger and policy meet the engine. It stays small."""
