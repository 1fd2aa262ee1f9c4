"""`groundskeeper lab …`, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from groundskeeper.lab.leftovers import belongings

COMMAND = str(Path(sys.executable).with_name("groundskeeper"))
NAME = f"typed-{os.getpid()}"
OWN = """#!/bin/sh
case $1 in
    inject) systemctl stop nginx ;;
    heal) systemctl start nginx ;;
esac
"""


def typed(*words, code=0):
    done = subprocess.run([COMMAND, "lab", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def up():
    assert "workstation" in typed("up", "office", "--name", NAME).stdout
    yield
    typed("down", NAME)
    assert not belongings(NAME)


def test_the_machines_are_listed(up):
    machines = json.loads(typed("status", "--name", NAME, "--json").stdout)
    assert all(machine["ready"] for machine in machines.values())
    assert len(machines) == 6


def test_a_command_runs_on_a_machine(up):
    assert typed("shell", "--name", NAME, "db-1", "--", "hostname").stdout == "db-1\n"


def test_an_agent_runs_on_every_machine_that_would_have_one(up):
    for machine in ("gateway", "web-1", "db-1", "workstation"):
        state = typed("shell", "--name", NAME, machine, "--", "systemctl", "is-active", "groundskeeper")
        assert state.stdout == "active\n"


def test_a_fault_is_judged_with_the_promised_fields(up):
    line = json.loads(typed("fault", "web-killed", "--name", NAME, "--json").stdout)
    assert line["settled"]
    assert line["impact_ms"] < 2000
    assert line["by"].startswith("service_down/")
    assert not line["made_worse"]
    assert line["left_unconfirmed"] == 0


def test_an_executable_of_ones_own_is_a_fault(up, tmp_path):
    own = tmp_path / "no-web"
    own.write_text(OWN)
    own.chmod(0o755)
    words = ("fault", str(own), "--on", "web-1", "--policy", "observe", "--name", NAME, "--json")
    line = json.loads(typed(*words).stdout)
    assert line["name"] == "no-web"
    assert not line["settled"]


def test_an_unknown_fault_is_refused_with_those_there_are(up):
    assert "web-killed" in typed("fault", "nonsense", "--name", NAME, code=3).stderr


def test_a_lab_that_is_not_up_says_which_command_helps():
    assert "lab up" in typed("status", "--name", "nowhere", code=3).stderr
