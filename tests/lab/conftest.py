"""One office for the whole session. No skipping: where the lab cannot run, these tests fail and say why.

Its agents are at rest until a test lets them begin; that test also ends them.
"""

import os

import pytest

from groundskeeper.lab import Lab, load_office
from groundskeeper.lab.agents import with_agents


@pytest.fixture(scope="session")
def office():
    with Lab.up(with_agents(load_office("office")), f"office-{os.getpid()}") as lab:
        yield lab
