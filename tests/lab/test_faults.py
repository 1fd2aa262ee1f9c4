"""Every fault is real: where nobody acts the client feels it, and what a person would do mends it."""

import os

import pytest

from groundskeeper.lab.errors import LabError
from groundskeeper.lab.faults import CATALOGUE
from groundskeeper.lab.faults.own import own_fault
from groundskeeper.lab.judge import Patience, play

BRIEFLY = Patience(limit=1.2)
PARTLY = {"password-guessing"}  # whether others notice it depends on how fast the host is


@pytest.mark.parametrize("fault", CATALOGUE.values(), ids=CATALOGUE)
def test_it_is_felt_until_a_person_mends_it(office, fault):
    felt = play(office, fault, BRIEFLY)
    expected = {service.name.lower() for service in fault.hurts}
    hurt = felt.hurt_for(250)
    assert hurt, "a fault that nobody feels is a broken fault"
    assert hurt & expected if fault.name in PARTLY else hurt >= expected
    assert felt.impact_ms > 300
    assert not felt.settled
    assert felt.well_after


def test_there_are_enough_of_them():
    assert len(CATALOGUE) >= 22
    assert sum(fault.settles for fault in CATALOGUE.values()) >= 20


OWN = """#!/bin/sh
case $1 in
    inject) systemctl stop nginx ;;
    heal) systemctl start nginx ;;
esac
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "no-web"
    path.write_text(OWN)
    path.chmod(0o755)
    return path


def test_any_executable_can_be_a_fault(office, own):
    felt = play(office, own_fault(own, "web-1"), BRIEFLY)
    assert felt.fault == "no-web"
    assert felt.hurt_for(250) >= {"upload", "web"}
    assert felt.well_after


def test_a_file_that_cannot_be_run_is_refused_with_the_command_that_helps(own):
    os.chmod(own, 0o644)
    with pytest.raises(LabError, match="chmod"):
        own_fault(own, "web-1")
