"""Which services run now. Written by the sensor of units, read by the sensor of answers."""

import asyncio
from typing import NamedTuple


class Running(NamedTuple):
    unit: str
    invocation: str
    main_pid: int


class Roster:
    """`changed` is set whenever a service began to run, ended, or runs anew; whoever reads it clears it."""

    def __init__(self) -> None:
        self.running: dict[str, Running] = {}
        self.changed = asyncio.Event()
        self.refusal = ""
        """Why services cannot be watched here at all; empty where they can."""

    def put(self, service: Running) -> None:
        if self.running.get(service.unit) != service:
            self.running[service.unit] = service
            self.changed.set()

    def drop(self, unit: str) -> None:
        if self.running.pop(unit, None):
            self.changed.set()
