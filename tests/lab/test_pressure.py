"""Pressure on this machine's own processors, made and ended for real."""

import asyncio
import os
import sys
import time

from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Fact
from groundskeeper.subsystems.pressure.sensor import PressureSensor
from groundskeeper.subsystems.pressure.types import Pressure


async def test_it_is_told_when_work_begins_to_wait_and_when_that_is_over() -> None:
    told: asyncio.Queue[Pressure] = asyncio.Queue()

    def seen(fact: Fact) -> None:
        if isinstance(fact, Pressure) and fact.resource == "cpu":
            told.put_nowait(fact)

    sensor = asyncio.ensure_future(PressureSensor(SystemClock()).run(seen))
    hogs = []
    try:
        first = await asyncio.wait_for(told.get(), 5)
        assert not first.high
        began = time.perf_counter()
        for _ in range(4 * (os.cpu_count() or 1)):
            hogs.append(await asyncio.create_subprocess_exec("timeout", "30", "sha256sum", "/dev/zero"))
        risen = await asyncio.wait_for(told.get(), 15)
        print(f"told {time.perf_counter() - began:.1f} s after the rush began: {risen.some} %", file=sys.stderr)
        assert risen.high and risen.some >= 60
        for hog in hogs:
            hog.terminate()
        over = await asyncio.wait_for(told.get(), 90)
        assert not over.high and over.some < 40
    finally:
        sensor.cancel()
        for hog in hogs:
            if hog.returncode is None:
                hog.terminate()
            await hog.wait()
