"""A service is killed with SIGKILL → it answers again, as a workstation sees it.

Three machines side by side in one lab, and a desk that asks each: ours (the unit itself never restarts), systemd's own
`Restart=always` with `RestartSec=0`, and monit with a cycle of 1 s. The rounds take turns, so that whatever else the
host does falls on all three alike. Ours includes intent and outcome written durably, the probe and the audit trail.

usage: make bench NAME=reaction [ARGS="--n 25"]
"""

import argparse
import os
import random
import re
import signal
import socket
import sys
import time
from pathlib import Path

from groundskeeper.agent.policy import SHIPPED_FILE
from groundskeeper.lab.agents import MANAGED, Agents, with_agents
from groundskeeper.lab.lab import Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.namespaces import enter
from groundskeeper.lab.office import PACKAGES, Link, MachinePlan, Office
from measuring import aim, report, summary

PORT = 7000
SERVICE = """\
use Socket;
$SIG{PIPE} = "IGNORE";
socket(my $door, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in(7000, INADDR_ANY)) or die $!;
listen($door, 64) or die $!;
if (@ARGV) { open(my $file, ">", $ARGV[0]); print $file "$$\\n"; close $file; }
while (accept(my $guest, $door)) { syswrite($guest, "$$\\n"); close $guest; }
"""
UNIT = """\
[Unit]
Description=A service that answers its own pid
StartLimitIntervalSec=0
[Service]
Type=exec
ExecStart=/usr/bin/perl /opt/answer.pl
{restart}
[Install]
WantedBy=multi-user.target
"""
MONIT_UNIT = """\
[Unit]
Description=monit
[Service]
ExecStartPre=/bin/chmod 600 /etc/monit-bench/rc
ExecStart=/usr/bin/monit -I -c /etc/monit-bench/rc
[Install]
WantedBy=multi-user.target
"""
MONITRC = """\
set daemon 1
set pidfile /run/monit.pid
set idfile /var/lib/monit.id
set statefile /var/lib/monit.state
check process answer with pidfile /run/answer.pid
  start program = "/usr/bin/setsid --fork /usr/bin/perl /opt/answer.pl /run/answer.pid"
  if failed port 7000 then restart
"""
# The shipped policy would hand a service that dies twenty times in a minute to a person, and rightly.
BUDGETS = {"repeats": "10000", "attempts": "10000", "cooldown": '"0 s"'}
RULES = "[rules.service_crash_looping]\nfailures = 10000\n"


def office() -> Office:
    def server(number: int, name: str, files: dict[str, str], *services: str, agent: bool = False) -> MachinePlan:
        link = Link(name="eth0", network="lan", address=f"10.77.1.{number}/24")
        return MachinePlan(
            name=name, links=(link,), services=services, files={"/opt/answer.pl": SERVICE, **files}, agent=agent
        )

    unit = "/etc/systemd/system/answer.service"
    return Office(
        name="reaction",
        networks=("lan",),
        packages=tuple(sorted({*PACKAGES, "monit"})),
        machines=(
            server(10, "ours", {unit: UNIT.format(restart="Restart=no")}, "answer.service", agent=True),
            server(11, "systemd", {unit: UNIT.format(restart="Restart=always\nRestartSec=0")}, "answer.service"),
            server(
                12,
                "monit",
                {"/etc/systemd/system/monit-bench.service": MONIT_UNIT, "/etc/monit-bench/rc": MONITRC},
                "monit-bench.service",
            ),
            MachinePlan(name="desk", links=(Link(name="eth0", network="lan", address="10.77.1.20/24"),)),
        ),
    )


def patient_policy() -> str:
    """The shipped policy, but for how often the same repair may be repeated."""
    text = SHIPPED_FILE.read_text().replace("version = 1", "version = 2").replace("as shipped", "bench")
    for name, value in BUDGETS.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    return re.sub(r"(?m)^per_day = .*$", "per_day = { disruptive = 100000, reversible = 100000 }", text).replace(
        "[rules]", RULES
    )


def ask(address: str, patience: float = 0.05) -> str:
    """What the service answers, or nothing."""
    try:
        with socket.create_connection((address, PORT), patience) as link:
            link.settimeout(patience)
            return link.recv(64).decode().strip()
    except OSError:
        return ""


def until_new(address: str, old: str, limit: float = 20.0) -> float | None:
    """Seconds until somebody else than `old` answers, asked every millisecond."""
    begin = time.monotonic()
    while time.monotonic() - begin < limit:
        answer = ask(address)
        if answer and answer != old:
            return time.monotonic() - begin
        time.sleep(0.001)
    return None


def process(machine: Machine, inside: str) -> int:
    """The host's number of the service's process."""
    for pid in machine.pids("perl"):
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        numbers = next(line for line in status if line.startswith("NSpid"))
        if numbers.split()[-1] == inside:
            return pid
    raise SystemExit(f"{machine.name} has no process {inside}")


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--n", type=int, default=25)
    n = words.parse_args().n
    with Lab.up(with_agents(office()), "gk-reaction", lambda line: print(line, file=sys.stderr)) as lab:
        agents = Agents(lab)
        agents.begin(MANAGED)
        agents.sign(patient_policy())
        machines = {name: lab.machine(name) for name in ("ours", "systemd", "monit")}
        versions = {
            "systemd": machines["systemd"].run("systemctl", "--version").stdout.splitlines()[0],
            "monit": machines["monit"].run("/usr/bin/monit", "-V").stdout.splitlines()[0],
        }
        enter(os.open(f"/proc/{lab.machine('desk').leader}/ns/net", os.O_RDONLY))
        samples: dict[str, list[float]] = {name: [] for name in machines}
        for name in machines:
            if until_new(lab.office.address(name), "") is None:
                raise SystemExit(f"the service on {name} never answered")
        time.sleep(8)  # the agents learn what answers where
        for _ in range(n):
            for name, machine in machines.items():
                address = lab.office.address(name)
                old = ask(address, 1.0)
                pid = process(machine, old)
                time.sleep(random.random())  # a random phase of whatever polls
                os.kill(pid, signal.SIGKILL)
                took = until_new(address, old)
                if took is None:
                    raise SystemExit(f"{name} did not come back within 20 s")
                samples[name].append(took * 1000)
            time.sleep(1.5)
    ours = summary(samples["ours"])
    peers = {name: summary(samples[name], version=versions[name]) for name in ("systemd", "monit")}
    aims = [
        aim("median over systemd's own median", ours["median"] / peers["systemd"]["median"], 2.0),
        aim("monit's median over ours", peers["monit"]["median"] / ours["median"], 20.0, at_most=False),
    ]
    report("reaction", "ms", ours, peers, aims, samples)


if __name__ == "__main__":
    main()
