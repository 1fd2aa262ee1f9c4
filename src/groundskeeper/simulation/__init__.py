"""A scripted world: the real engine on a host and a clock that are made up. No machine needed."""

from groundskeeper.simulation.clock import FakeClock
from groundskeeper.simulation.host import Answer, PutBack, SimulatedHost
from groundskeeper.simulation.script import Scene, Script, read_script
from groundskeeper.simulation.world import World, simulate

__all__ = [
    "Answer",
    "FakeClock",
    "PutBack",
    "Scene",
    "Script",
    "SimulatedHost",
    "World",
    "read_script",
    "simulate",
]
