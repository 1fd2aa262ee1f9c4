"""`groundskeeper lab …`, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from groundskeeper.lab.agents import Agents
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
def name(office):
    yield office.name
    Agents(office).end()


def test_up_and_down():
    assert "web-1" in typed("up", "solo", "--name", NAME).stdout
    assert belongings(NAME)
    typed("down", NAME)
    assert not belongings(NAME)


def test_the_machines_are_listed(name):
    machines = json.loads(typed("status", "--name", name, "--json").stdout)
    assert all(machine["ready"] for machine in machines.values())
    assert len(machines) == 6


def test_a_command_runs_on_a_machine(name):
    assert typed("shell", "--name", name, "db-1", "--", "hostname").stdout == "db-1\n"


def test_a_fault_is_judged_with_the_promised_fields(name):
    line = json.loads(typed("fault", "web-killed", "--name", name, "--json").stdout)
    assert line["settled"]
    assert line["impact_ms"] < 2000
    assert line["by"].startswith("service_down/")
    assert not line["made_worse"]
    assert line["left_unconfirmed"] == 0


def test_an_executable_of_ones_own_is_a_fault(name, tmp_path):
    own = tmp_path / "no-web"
    own.write_text(OWN)
    own.chmod(0o755)
    words = ("fault", str(own), "--on", "web-1", "--policy", "observe", "--name", name, "--json")
    line = json.loads(typed(*words).stdout)
    assert line["name"] == "no-web"
    assert not line["settled"]


def test_an_unknown_fault_is_refused_with_those_there_are(name):
    assert "web-killed" in typed("fault", "nonsense", "--name", name, code=3).stderr


def test_a_lab_that_is_not_up_says_which_command_helps():
    assert "lab up" in typed("status", "--name", "nowhere", code=3).stderr
