"""Fakes for tests, shipped and kept like the rest of the product."""

from groundskeeper.simulation import Answer, FakeClock, PutBack, SimulatedHost, World

__all__ = ["Answer", "FakeClock", "PutBack", "SimulatedHost", "World"]
