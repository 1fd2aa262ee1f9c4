"""Keeps every sensor running, and tells what cannot be watched here, and why."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from groundskeeper.lib.clock import Clock
from groundskeeper.model import DeviceId, Fact, Observation, Refused, Sensor, Unavailable, Watching

AGAIN = timedelta(seconds=30)


async def sense(
    sensors: Iterable[Sensor], device: DeviceId, clock: Clock, observe: Callable[[Observation], None]
) -> None:
    """Run all sensors until cancelled. One that is not possible here is reported, and tried again where it may be."""

    def seen(fact: Fact) -> None:
        observe(Observation(device=device, at=clock.now(), fact=fact))

    await asyncio.gather(*(_keep(sensor, clock, seen) for sensor in sensors))


async def _keep(sensor: Sensor, clock: Clock, seen: Callable[[Fact], None]) -> None:
    said = ""
    while True:
        pause = AGAIN
        reports = _Reports(sensor.name, seen)
        try:
            await sensor.run(reports)
            reason = "it ended; it is started again"
        except Refused as problem:
            seen(Watching(what=sensor.name, possible=False, reason=str(problem)))
            return
        except Unavailable as problem:
            pause, reason = problem.retry_after or AGAIN, str(problem)
        except OSError as problem:
            reason = f"the system refused: {problem}"
        except Exception as bug:  # noqa: BLE001 - one sensor's bug must not blind the others; people are told of it
            reason = f"a fault in Groundskeeper itself ({type(bug).__name__}: {bug})"
        if reason != said or reports.any:
            seen(Watching(what=sensor.name, possible=False, reason=reason))
            said = reason
        await clock.sleep(pause)


class _Reports:
    """Passes facts on; the first one shows that the watching works."""

    def __init__(self, name: str, seen: Callable[[Fact], None]) -> None:
        self._name, self._seen = name, seen
        self.any = False

    def __call__(self, fact: Fact) -> None:
        if not self.any:
            self.any = True
            self._seen(Watching(what=self._name, possible=True, reason="watched"))
        self._seen(fact)
