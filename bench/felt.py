"""A fault in the office → no longer felt in the client's chair: ours, and monit where it can do it.

The office of `lab up office` is raised twice, once with our agents at the shipped policy, once with monit (cycle 1 s)
on the machine that is hurt, told what it needs to be told to mend just this. The same fault is played in both, `n`
times, and the chair (a probe of its own at the workstation, every 10 ms) says how long the client was without it.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import msgspec

from groundskeeper.lab.agents import MANAGED, Agents, with_agents
from groundskeeper.lab.faults import fault_named
from groundskeeper.lab.judge import Patience, play
from groundskeeper.lab.lab import Lab
from groundskeeper.lab.office import Office, load_office
from measuring import aim, report, summary

UNIT = """\
[Unit]
Description=monit
[Service]
ExecStartPre=/bin/chmod 600 /etc/monit-bench/rc
ExecStart=/usr/bin/monit -I -c /etc/monit-bench/rc
[Install]
WantedBy=multi-user.target
"""
HEAD = "set daemon 1\nset pidfile /run/monit.pid\nset idfile /root/monit.id\nset statefile /root/monit.state\n"
PATIENCE = Patience(limit=20.0, settled_for=1.0)


def with_monit(office: Office, machine: str, rc: str, files: dict[str, str]) -> Office:
    """The same office with monit instead of our agents: on one machine, with these rules."""

    def changed(name: str) -> dict[str, str]:
        return {"/etc/systemd/system/monit-bench.service": UNIT, "/etc/monit-bench/rc": HEAD + rc, **files}

    machines = tuple(
        msgspec.structs.replace(
            plan,
            agent=False,
            services=(*plan.services, *(["monit-bench.service"] if plan.name == machine else [])),
            files=plan.files | (changed(plan.name) if plan.name == machine else {}),
        )
        for plan in office.machines
    )
    return msgspec.structs.replace(office.with_packages("monit"), machines=machines)


def played(office: Office, lab_name: str, fault: str, n: int, begin: Callable[[Lab], None]) -> list[float]:
    """Milliseconds felt, for each time it was played and settled."""
    found = []
    with Lab.up(office, lab_name, lambda line: print(line, file=sys.stderr)) as lab:
        begin(lab)
        for turn in range(n):
            felt = play(lab, fault_named(fault), PATIENCE)
            if not felt.settled:
                raise SystemExit(f"{lab_name}: {fault}, turn {turn + 1}: not settled within {PATIENCE.limit:g} s")
            found.append(felt.impact_ms)
            begin(lab)
    return found


def main(bench: str, fault: str, rc: str = "", files: dict[str, str] | None = None) -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--n", type=int, default=10)
    n = words.parse_args().n
    plan = fault_named(fault)

    def managed(lab: Lab) -> None:
        """From an empty ledger each time: the guard would hand what returns every few seconds to a person."""
        Agents(lab).begin(MANAGED)
        time.sleep(4)

    samples = {"ours": played(with_agents(load_office("office")), f"gk-{bench}", fault, n, managed)}
    peers = {}
    if rc:
        office = with_monit(load_office("office"), plan.machine, rc, files or {})
        samples["monit"] = played(office, f"gk-{bench}-monit", fault, n, lambda lab: time.sleep(2))
        peers["monit"] = summary(samples["monit"], version="5.33.0")
    ours = summary(samples["ours"], fault=fault)
    aims = []
    if peers:
        ratio = peers["monit"]["median"] / max(statistics.median(samples["ours"]), 10.0)
        aims.append(aim("monit's median over ours", ratio, 1.0, at_most=False))
    report(bench, "ms felt", ours, peers, aims, samples)
