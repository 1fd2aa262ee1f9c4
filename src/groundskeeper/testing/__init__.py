"""Fakes for tests, shipped and kept like the rest of the product."""

from groundskeeper.simulation import Answer, FakeClock, PutBack, SimulatedHost, World
from groundskeeper.testing.crashing import Death, Failure, Mishap, crashing

__all__ = [
    "Answer",
    "Death",
    "Failure",
    "FakeClock",
    "Mishap",
    "PutBack",
    "SimulatedHost",
    "World",
    "crashing",
]
