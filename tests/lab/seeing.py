"""Run inside a machine: the sign-in sensor, its facts as lines of JSON, each with the machine's time in seconds."""

import asyncio
import sys
import time
from datetime import timedelta
from pathlib import Path

from groundskeeper import wire
from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Fact
from groundskeeper.subsystems.logs.sensor import SignInSensor


def tell(fact: Fact) -> None:
    print(time.clock_gettime(time.CLOCK_BOOTTIME), wire.encode(fact).decode(), flush=True)


async def main() -> None:
    sensor = asyncio.ensure_future(SignInSensor(SystemClock()).run(tell))
    ended = Path(sys.argv[1])  # the test makes this file when it has seen enough
    while not ended.exists() and not sensor.done():  # noqa: ASYNC110 - the file is the test's, in another process
        await asyncio.sleep(0.1)
    before = time.process_time()
    await asyncio.sleep(float(sys.argv[2]))
    print(time.process_time() - before, '{"type": "cost"}', flush=True)
    sensor.cancel()
    await asyncio.wait([sensor], timeout=timedelta(seconds=1).total_seconds())


asyncio.run(main())
