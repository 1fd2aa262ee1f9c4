"""The agents of a lab: the real one, from this very source, as the service that `groundskeeper agent install` makes."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from groundskeeper.agent.home import Home
from groundskeeper.agent.install import JOURNAL, JOURNAL_TEXT, SLICE, SLICE_TEXT, UNIT, UNIT_TEXT
from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.lab.errors import LabError
from groundskeeper.lab.lab import PACKAGES, SOURCE, Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.namespaces import call_among_files_of
from groundskeeper.lab.office import MachinePlan, Office
from groundskeeper.model import Change, Incident

HOME = Home(state=Path("/var/lib/groundskeeper"), run=Path("/run/groundskeeper"), config=Path("/etc/groundskeeper"))
T = TypeVar("T")
OBSERVE = "observe"
MANAGED = "managed"


def with_agents(office: Office) -> Office:
    """The same office with the agent's service on the machines that have one; `Agents.begin` starts them."""
    return msgspec.structs.replace(office, machines=tuple(_with_service(plan) for plan in office.machines))


def _with_service(plan: MachinePlan) -> MachinePlan:
    if not plan.agent:
        return plan
    unit = UNIT_TEXT.format(python="/usr/bin/python3", program=f"{SOURCE}:{PACKAGES}")
    files = {str(UNIT): unit, str(SLICE): SLICE_TEXT, str(JOURNAL): JOURNAL_TEXT}
    return msgspec.structs.replace(plan, files=plan.files | files)


class Agents:
    """All agents of a raised lab, told what to do at once."""

    def __init__(self, lab: Lab) -> None:
        self.machines = tuple(lab.machine(plan.name) for plan in lab.office.machines if plan.agent)

    def begin(self, policy: str) -> None:
        """Start every agent with an empty ledger, OBSERVE or MANAGED; returns when each said that it is ready.

        An empty ledger, because each fault is judged for itself: the guard's memory of the ones before would hand the
        fifth stopped web server of a storm to a person, and rightly. What they learned of the machine is kept.
        """
        if policy not in (OBSERVE, MANAGED):
            raise LabError(f"agents are told {MANAGED} or {OBSERVE}, not {policy!r}")
        self.end()
        self._on_each(lambda machine: _begin(machine, policy))

    def sign(self, policy: str) -> None:
        """Have every agent obey this policy document (TOML) from now on, signed with each machine's own key."""
        self._on_each(lambda machine: _sign(machine, policy))

    def end(self) -> None:
        """Stop every agent and remove its ledger."""
        self._on_each(_end)

    def changes(self) -> list[Change]:
        """Every change in every agent's ledger."""
        return self._read(SqliteLedger.changes)

    def incidents(self) -> list[Incident]:
        """Every incident in every agent's ledger, resolved ones too."""
        return self._read(lambda ledger: ledger.incidents(live=False))

    def _read(self, ask: Callable[[SqliteLedger], Awaitable[list[T]]]) -> list[T]:
        def there() -> list[T]:
            return asyncio.run(_asked(HOME.ledger, ask))

        return [found for machine in self.machines for found in call_among_files_of(machine.leader, there)]

    def _on_each(self, what: Callable[[Machine], None]) -> None:
        with ThreadPoolExecutor(len(self.machines) or 1) as pool:
            list(pool.map(what, self.machines))


async def _asked(path: Path, ask: Callable[[SqliteLedger], Awaitable[T]]) -> T:
    ledger = SqliteLedger(path, read_only=True)
    try:
        return await ask(ledger)
    finally:
        await ledger.close()


def _begin(machine: Machine, policy: str) -> None:
    floor = machine.root / str(HOME.floor_file).lstrip("/")
    floor.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    floor.unlink(missing_ok=True)
    if policy == OBSERVE:
        floor.write_text('autonomy = "observe"\n')
    machine.run("systemctl", "start", UNIT.name)


def _sign(machine: Machine, policy: str) -> None:
    machine.write("root/policy.toml", policy)
    command = "from groundskeeper.cli import main; main()"
    python = ("/usr/bin/env", f"PYTHONPATH={SOURCE}:{PACKAGES}", "/usr/bin/python3", "-c", command)
    machine.run(*python, "policy", "sign", "/root/policy.toml")


def _end(machine: Machine) -> None:
    machine.run("systemctl", "stop", UNIT.name)
    ledger = machine.root / str(HOME.ledger).lstrip("/")
    for file in ledger.parent.glob(f"{ledger.name}*"):
        file.unlink()
