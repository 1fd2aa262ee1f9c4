"""On a healthy office nothing is found wrong, nothing is changed, and the client notices nothing.

For 30 s here; QUIET_SECONDS=1800 makes it the half hour that is promised.
"""

import os
import time

import pytest

from groundskeeper.lab.agents import MANAGED, Agents
from groundskeeper.lab.felt import Samples, impact_ms

SECONDS = float(os.environ.get("QUIET_SECONDS", "30"))
NOISE = 0.01  # of the time: a busy host makes a late answer now and then


@pytest.fixture(scope="module")
def agents(office):
    agents = Agents(office)
    agents.begin(MANAGED)
    yield agents
    agents.end()


@pytest.mark.timeout(SECONDS + 60)
def test_a_healthy_office_is_left_in_peace(office, agents):
    samples = Samples(office.run_folder / "chair.samples")
    begin = time.monotonic_ns()
    time.sleep(SECONDS)
    end = time.monotonic_ns()
    felt = impact_ms(samples.new(), begin, end)
    samples.close()
    assert [(incident.finding.rule, incident.finding.reason) for incident in agents.incidents()] == []
    assert agents.changes() == []
    assert felt <= SECONDS * 1000 * NOISE + 200
