"""Pressure: what the kernel's files say, and what happens where there are none."""

from pathlib import Path

import pytest

from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Refused
from groundskeeper.subsystems.pressure.sensor import PressureSensor, stalled

FILE = """some avg10=4.52 avg60=1.01 avg300=1.06 total=18037819
full avg10=0.25 avg60=0.00 avg300=0.00 total=500000
"""


@pytest.mark.parametrize(
    ("text", "totals"), [(FILE, (18.037819, 0.5)), (FILE.splitlines()[0], (18.037819, 0.0)), ("", (0.0, 0.0))]
)
def test_the_running_totals_are_read(text: str, totals: tuple[float, float]) -> None:
    assert stalled(text) == totals


async def test_a_kernel_that_does_not_measure_pressure_is_no_fault_of_ours(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not measure pressure"):
        await PressureSensor(SystemClock(), str(tmp_path / "pressure")).run(lambda fact: None)
