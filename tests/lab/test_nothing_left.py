"""A lab leaves nothing behind, however it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from groundskeeper.lab import Lab, cgroups, load_office
from groundskeeper.lab.leftovers import belongings, left_over
from groundskeeper.lab.reaper import RUN, sweep

NAME = f"test-{os.getpid()}"


def settle(before, patience=5.0):
    """What is left once the kernel has had the time to take down what the last process held."""
    until = time.monotonic() + patience
    while (left := left_over(before, NAME)) and time.monotonic() < until:
        time.sleep(0.02)
    return left


@pytest.fixture
def lab():
    with Lab.up(load_office("solo"), NAME) as lab:
        yield lab


@pytest.fixture
def before(lab):
    found = belongings(NAME)
    kinds = {line.split()[0] for line in found}
    assert kinds == {"process", "namespace", "loop", "cgroup", "file"}, "the check must see all that a lab is made of"
    return found


def test_down_leaves_nothing(lab, before):
    lab.down()
    assert settle(before) == []


def test_a_killed_owner_leaves_nothing(lab, before):
    os.kill(lab.owner, signal.SIGKILL)
    assert settle(before) == []


def test_down_cleans_up_after_owner_and_reaper_were_killed(lab, before):
    os.kill(lab._pid("reaper"), signal.SIGKILL)
    os.kill(lab.owner, signal.SIGKILL)
    time.sleep(0.2)
    assert left_over(before, NAME), "with both gone the machines live on: this is what down is for"
    Lab(NAME).down()
    assert settle(before) == []


@pytest.fixture
def raising():
    """Another process that raises a lab and then does nothing."""
    program = f"from groundskeeper.lab import *; lab = Lab.up(load_office('solo'), {NAME!r}); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as raising:
        yield raising
        raising.kill()


def seen_until(is_enough):
    seen = frozenset()
    while not is_enough(seen):
        seen = belongings(NAME)
    return seen


def test_an_owner_killed_while_booting_leaves_nothing(raising):
    seen = seen_until(lambda seen: any(line.startswith("loop") for line in seen))
    os.kill(Lab(NAME).owner, signal.SIGKILL)
    raising.kill()
    assert settle(seen) == []


@pytest.mark.parametrize("kind", ["process", "loop", "cgroup"])
def test_a_lab_ends_with_the_process_that_raised_it(raising, kind):
    seen = seen_until(lambda seen: any(line.startswith(kind) for line in seen))
    raising.kill()
    raising.wait()
    assert settle(seen) == []


def test_the_check_sees_a_planted_namespace(lab, before):
    machine = lab.machine("web-1")
    straggler = subprocess.Popen(["nsenter", "-t", str(machine.leader), "-n", "sleep", "60"])
    time.sleep(0.1)
    lab.down()
    try:
        left = settle(before, patience=0.3)
        assert [line.split(":")[0] for line in left] == ["namespace net"]
    finally:
        straggler.kill()
        straggler.wait()
    assert settle(before) == []


def test_the_check_sees_a_planted_cgroup_process_and_file(lab, before):
    lab.down()
    (RUN / NAME).mkdir()
    (RUN / NAME / "planted").write_text("")
    cgroups.make(NAME, "web-1")
    straggler = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: cgroups.join(NAME, "web-1"))
    try:
        kinds = {line.split()[0] for line in left_over((), NAME)}
        assert kinds == {"process", "cgroup", "file"}
    finally:
        sweep(NAME)
        straggler.wait()
    assert settle(before) == []
