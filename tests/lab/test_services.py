"""Services on real machines, under the whole agent: what is put right, and what is left to whoever did it."""

import time
from collections.abc import Callable, Iterator

import pytest

from groundskeeper.lab import Lab
from groundskeeper.lab.agents import MANAGED, Agents
from groundskeeper.lab.machine import Machine
from groundskeeper.model import Change, Phase
from groundskeeper.subsystems.systemd.types import EnsureUnitActive, EnsureUnitFresh, EnsureUnitResumed

KNOWN = 4.0
"""Seconds after which the agent has learned what a service listens on, at the second look on a slow host."""
ENOUGH = 2.5
"""Seconds in which it would have acted, had it meant to."""
STUCK = """\
import signal, socket
door = socket.create_server(("127.0.0.1", 8099))
stuck = False
def get_stuck(number, frame):
    global stuck
    stuck = True
signal.signal(signal.SIGUSR1, get_stuck)
while True:
    guest, _ = door.accept()
    while stuck:
        signal.pause()
    guest.recv(100)
    guest.send(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
    guest.close()
"""
UNIT = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType={type}\nExecStart=/usr/bin/python3 /opt/{name}.py\n"
WANTED = "[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def web(office: Lab) -> Iterator[Machine]:
    machine = office.machine("web-1")
    agents = Agents(office)
    agents.begin(MANAGED)
    time.sleep(KNOWN)
    yield machine
    agents.end()
    machine.run("systemctl", "unmask", "nginx.service", check=False)
    machine.run("systemctl", "start", "nginx.service")


@pytest.fixture
def changes(office: Lab) -> Callable[[], list[Change]]:
    return lambda: Agents(office).changes()


def active(machine: Machine, unit: str = "nginx.service") -> bool:
    return machine.run("systemctl", "is-active", unit, check=False).stdout.strip() == "active"


def eventually(true: Callable[[], object], within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def service(web: Machine) -> Iterator[Callable[[str, str], None]]:
    """Makes a service out of a Python program, enables and starts it."""
    made = []

    def make(name: str, program: str) -> None:
        made.append(name)
        web.write(f"opt/{name}.py", program)
        web.write(f"etc/systemd/system/{name}.service", UNIT.format(type="exec", name=name) + WANTED)
        web.run("systemctl", "daemon-reload")
        web.run("systemctl", "enable", "--now", "-q", name)

    yield make
    for name in made:
        web.run("systemctl", "disable", "--now", "-q", name, check=False)


def test_what_a_person_stops_masks_or_restarts_is_left_to_that_person(web, changes):
    web.run("systemctl", "restart", "nginx")
    web.run("systemctl", "reload", "nginx")
    web.run("systemctl", "stop", "nginx")
    time.sleep(ENOUGH)
    assert not active(web)
    web.run("systemctl", "start", "nginx")
    web.run("systemctl", "mask", "--now", "nginx")
    time.sleep(ENOUGH)
    assert not active(web)
    assert changes() == []


def test_a_service_that_is_killed_runs_again_and_answers_and_that_is_written_down(web, changes):
    web.kill([web.unit_pid("nginx.service")])
    assert eventually(lambda: any(change.stage.settled for change in changes()))
    [change] = changes()
    assert isinstance(change.action, EnsureUnitActive)
    assert "answers web requests on port 80" in change.reason
    assert active(web)


def test_one_paused_worker_among_several_is_let_go_on(web, changes):
    worker = next(pid for pid in web.pids("nginx") if pid != web.unit_pid("nginx.service"))
    web.run("sh", "-c", "kill -STOP $(pgrep nginx | tail -1)")
    assert worker and eventually(lambda: any(change.stage.settled for change in changes()))
    assert [type(change.action) for change in changes()] == [EnsureUnitResumed]
    assert web.run("sh", "-c", "grep -h State: /proc/$(pgrep nginx | tail -1)/status").stdout.split()[1] != "T"


def test_a_service_that_is_stuck_without_being_paused_is_started_anew(web, changes, service):
    service("stuck", STUCK)
    time.sleep(KNOWN)
    before = web.run("systemctl", "show", "-P", "InvocationID", "stuck").stdout
    web.run("systemctl", "kill", "-s", "USR1", "stuck")
    ask = ("sh", "-c", "for n in 1 2 3; do timeout 25 curl -s -m 24 http://127.0.0.1:8099/ & done; wait")
    clients = web.spawn(*ask)
    try:
        assert eventually(lambda: any(change.stage.settled for change in changes()), 30)
    finally:
        clients.wait()
    assert [type(change.action) for change in changes()] == [EnsureUnitFresh]
    assert web.run("systemctl", "show", "-P", "InvocationID", "stuck").stdout != before
    assert active(web, "stuck")


def test_what_fails_again_and_again_becomes_one_problem_for_a_person_with_its_last_words(web, office, service):
    service("doomed", 'import sys, time; time.sleep(0.3); print("no room for a table", flush=True); sys.exit(7)')

    def handed_over() -> bool:
        incidents = Agents(office).incidents()
        mine = [incident for incident in incidents if incident.finding.rule == "service_crash_looping"]
        return any(one.phase is Phase.ESCALATED and "error code 7" in one.reason for one in mine)

    assert eventually(handed_over, 20)
    [reason] = [one.reason for one in Agents(office).incidents() if one.finding.rule == "service_crash_looping"]
    assert "no room for a table" in reason
    assert sum(one.phase is Phase.ESCALATED for one in Agents(office).incidents()) == 1


def test_services_are_watched_on_after_the_system_bus_itself_was_killed(web, changes):
    web.kill(web.pids("dbus-daemon"))
    time.sleep(ENOUGH)
    web.kill([web.unit_pid("nginx.service")])
    assert eventually(lambda: any(change.stage.settled for change in changes()))
    assert active(web)
