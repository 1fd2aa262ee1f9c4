"""One office for the whole session. No skipping: where the lab cannot run, these tests fail and say why."""

import os

import pytest

from groundskeeper.lab import Lab, load_office


@pytest.fixture(scope="session")
def office():
    with Lab.up(load_office("office"), f"office-{os.getpid()}") as lab:
        yield lab
