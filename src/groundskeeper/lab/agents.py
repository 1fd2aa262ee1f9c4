"""The agents of a lab: the real one, from this very source, as a systemd unit in each machine that would have one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from groundskeeper.lab.lab import PACKAGES, SOURCE, Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.office import MachinePlan, Office

UNIT = "groundskeeper.service"
STATE = "/var/lib/groundskeeper"
POLICY = "/etc/groundskeeper/policy.json"
UNIT_TEXT = f"""\
[Unit]
Description=Groundskeeper agent
After=dbus.service
[Service]
Type=notify
Environment=PYTHONPATH={SOURCE}:{PACKAGES}
ExecStart=/usr/bin/python3 -m groundskeeper.agent run --state {STATE} --policy {POLICY}
Restart=always
RestartSec=200ms
"""


def with_agents(office: Office) -> Office:
    """The same office with the agent's unit on the machines that have one; `Agents.begin` starts them."""
    return msgspec.structs.replace(office, machines=tuple(_with_unit(plan) for plan in office.machines))


def _with_unit(plan: MachinePlan) -> MachinePlan:
    if not plan.agent:
        return plan
    return msgspec.structs.replace(plan, files=plan.files | {f"/etc/systemd/system/{UNIT}": UNIT_TEXT})


class Agents:
    """All agents of a raised lab, told what to do at once."""

    def __init__(self, lab: Lab) -> None:
        self.machines = tuple(lab.machine(plan.name) for plan in lab.office.machines if plan.agent)

    def begin(self, policy: bytes) -> None:
        """Start every agent with an empty ledger and this policy; returns when each said that it is ready.

        An empty ledger, because each fault is judged for itself: the guard's memory of the one before would hand the
        fifth stopped web server of a storm to a person, and rightly.
        """
        self.end()
        self._on_each(lambda machine: _begin(machine, policy))

    def end(self) -> None:
        """Stop every agent and remove its state."""
        self._on_each(_end)

    def ledgers(self) -> Iterator[tuple[str, Path]]:
        """Where each agent's ledger is, seen from the host."""
        for machine in self.machines:
            yield machine.name, machine.root / STATE.lstrip("/") / "ledger.db"

    def _on_each(self, what: Callable[[Machine], None]) -> None:
        with ThreadPoolExecutor(len(self.machines) or 1) as pool:
            list(pool.map(what, self.machines))


def _begin(machine: Machine, policy: bytes) -> None:
    machine.write(POLICY.lstrip("/"), policy.decode())
    machine.run("systemctl", "start", UNIT)


def _end(machine: Machine) -> None:
    machine.run("systemctl", "kill", "-s", "KILL", UNIT, check=False)
    machine.run("systemctl", "stop", UNIT, check=False)
    machine.run("rm", "-rf", STATE)
