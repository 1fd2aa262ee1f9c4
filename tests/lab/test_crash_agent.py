"""The agent of a real machine dies, or its machine does, while a change is on probation: it ends proven, once."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.lab.agents import HOME, MANAGED, Agents, with_agents
from groundskeeper.lab.lab import PACKAGES, SOURCE, Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.namespaces import call_among_files_of
from groundskeeper.lab.office import Office, load_office
from groundskeeper.model import Change, Incident, Phase, Stage
from groundskeeper.testing.kills.job import WITH_SYSTEMD, Job
from groundskeeper.testing.kills.running import figures, run

KEPT = "kept.service"
STARTS = "/var/starts"
KEPT_TEXT = f"""
[Service]
Type=exec
ExecStartPre=/bin/sh -c 'echo started >> {STARTS}'
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
AGENT = "groundskeeper.service"
PATIENCE = 40.0
ON_PROBATION = (Stage.APPLYING, Stage.APPLIED)


def office() -> Office:
    solo = load_office("solo")
    (plan,) = solo.machines
    plan = msgspec.structs.replace(
        plan,
        agent=True,
        services=(*plan.services, KEPT),
        files=plan.files | {f"/etc/systemd/system/{KEPT}": KEPT_TEXT},
    )
    return with_agents(msgspec.structs.replace(solo, machines=(plan,)))


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(office(), f"crash-{os.getpid()}") as lab:
        yield lab


@pytest.fixture
def machine(lab: Lab) -> Machine:
    """With its agent awake, an empty ledger, and everything well."""
    machine = lab.machine("web-1")
    if not machine.is_ready():
        machine.start()
    machine.run("systemctl", "start", KEPT)
    Agents(lab).begin(MANAGED)
    time.sleep(2)  # the agent has looked round
    return machine


def until(there: Callable[[], bool], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not there():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.005)


def ledger_of(machine: Machine) -> tuple[list[Change], list[Incident], int]:
    """Its changes, its incidents, and how many lines verify."""

    async def read() -> tuple[list[Change], list[Incident], int]:
        ledger = SqliteLedger(HOME.ledger, read_only=True)
        try:
            return await ledger.changes(), await ledger.incidents(live=False), await ledger.verify()
        finally:
            await ledger.close()

    return call_among_files_of(machine.leader, lambda: asyncio.run(read()))


def starts(machine: Machine) -> int:
    path = machine.root / STARTS.lstrip("/")
    return len(path.read_text().splitlines())


def on_probation(machine: Machine) -> bool:
    return any(change.stage in ON_PROBATION for change in ledger_of(machine)[0])


def at_rest(machine: Machine) -> bool:
    changes, incidents, _ = ledger_of(machine)
    calm = all(one.phase in (Phase.WATCHING, Phase.RESOLVED, Phase.ESCALATED) for one in incidents)
    return bool(changes) and calm and all(change.stage.settled for change in changes)


def break_and_wait(machine: Machine) -> int:
    """The service is killed, the agent is mending it: how often it had been started until then."""
    before = starts(machine)
    machine.kill([machine.unit_pid(KEPT)])
    until(lambda: on_probation(machine))
    return before


def check_the_end(machine: Machine) -> list[Stage]:
    until(lambda: at_rest(machine))
    changes, _, lines = ledger_of(machine)
    assert lines > 5
    assert machine.run("systemctl", "is-active", KEPT).stdout == "active\n"
    stages = [change.stage for change in changes]
    assert set(stages) <= {Stage.CONFIRMED, Stage.REVERTED, Stage.WITHDRAWN, Stage.NOOP}
    return stages


@pytest.mark.parametrize("wait", [0.0, 0.1, 0.5])
def test_the_agent_is_killed_in_mid_probation_and_the_change_ends_confirmed_once(machine: Machine, wait: float) -> None:
    before = break_and_wait(machine)
    time.sleep(wait)
    agent = machine.unit_pid(AGENT)
    machine.kill([agent])
    until(lambda: machine.run("systemctl", "is-active", AGENT, check=False).stdout == "active\n")
    stages = check_the_end(machine)
    taken_back = stages.count(Stage.REVERTED)
    assert starts(machine) - before <= 1 + taken_back
    assert stages[-1] in (Stage.CONFIRMED, Stage.NOOP)


@pytest.mark.parametrize("how", ["orderly", "power cut"])
def test_the_machine_is_started_anew_in_mid_probation_and_the_change_ends_once(machine: Machine, how: str) -> None:
    break_and_wait(machine)
    if how == "orderly":
        machine.reboot()
    else:
        machine.cut_power()
        machine.start()
    at_boot = starts(machine)
    machine.run("systemctl", "start", AGENT)
    stages = check_the_end(machine)
    assert stages.count(Stage.CONFIRMED) <= 1
    assert starts(machine) == at_boot, "the machine started it by itself: nobody else has to"


@pytest.mark.parametrize("subject", WITH_SYSTEMD)
def test_a_service_is_mended_once_wherever_the_one_who_mends_it_is_killed(machine: Machine, subject: str) -> None:
    machine.run("systemctl", "stop", AGENT)  # the trials bring an envelope of their own

    def inside() -> tuple[str, ...]:
        path = f"PYTHONPATH={SOURCE}:{PACKAGES}"
        return machine.command("/usr/bin/env", path, "/usr/bin/python3", "-m", "groundskeeper.testing.kills")

    shares = 6
    jobs = [Job(subject=subject, sample=18, seed=1, nested=6, share=share, shares=shares) for share in range(shares)]
    lines = run(jobs, shares, command=inside)
    assert not [line for line in lines if line.broken]
    assert figures(lines).struck >= 0.75 * len(lines)
