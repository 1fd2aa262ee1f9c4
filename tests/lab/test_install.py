"""The agent as a service of a real machine: installed with one command, started with it, removed without a trace."""

import os
import time
from collections.abc import Iterator

import pytest

from groundskeeper.lab.lab import PACKAGES, SOURCE, Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.office import load_office

INSIDE = ("/usr/bin/env", f"PYTHONPATH={SOURCE}:{PACKAGES}", "/usr/bin/python3", "-c")
INSTALL = """
from groundskeeper.agent.home import home
from groundskeeper.agent.install import install, remove
for said in {}(home()): print(said)
"""
IGNORED = ("/proc", "/sys", "/dev", "/run", "/tmp", "/opt/groundskeeper", "/var/log/journal")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Lab.up(load_office("solo"), f"install-{os.getpid()}") as lab:
        yield lab.machine("web-1")


def traces(machine: Machine) -> set[str]:
    """Every path, unit and firewall table there is."""
    pruned = [word for path in IGNORED for word in ("-path", path, "-prune", "-o")]
    paths = machine.run("/usr/bin/find", "/", *pruned, "-print").stdout.splitlines()
    run = machine.run("/usr/bin/find", "/run", "-name", "*groundskeeper*").stdout.splitlines()
    units = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "*groundskeeper*").stdout
    tables = machine.run("nft", "list", "tables").stdout
    return {*paths, *run, *units.splitlines(), *tables.splitlines()}


def test_it_is_installed_survives_its_death_and_a_reboot_and_leaves_nothing(machine: Machine) -> None:
    before = traces(machine)
    said = machine.run(*INSIDE, INSTALL.format("install")).stdout
    assert "it runs, and starts again with the machine" in said
    first = machine.unit_pid("groundskeeper.service")
    machine.kill([first])
    deadline = time.monotonic() + 10
    while machine.run("systemctl", "is-active", "groundskeeper", check=False).stdout != "active\n":
        assert time.monotonic() < deadline, "it did not start again after a kill -9"
        time.sleep(0.05)
    boots = machine.boots
    machine.reboot()
    machine.wait_ready(boots + 1)
    assert machine.run("systemctl", "is-enabled", "groundskeeper").stdout == "enabled\n"
    status = machine.run("/usr/local/bin/groundskeeper", "status", "--json").stdout
    assert '"device"' in status
    said = machine.run(*INSIDE, INSTALL.format("remove")).stdout
    assert "nothing of Groundskeeper is left" in said
    left = {trace for trace in traces(machine) - before if "__pycache__" not in trace}
    assert not {trace for trace in left if "groundskeeper" in trace}, left
    assert not machine.pids("python3")
