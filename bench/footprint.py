"""What looking after a machine costs: memory (PSS) and processor time, with every sensor live, over 60 s.

One lab machine runs nginx, PostgreSQL and sshd, and side by side on it: our agent at its default settings, and the
tools whose work it does. Each is asked for what it collects once a second where it is made to be asked. PSS is the sum
over the process tree, sampled every second; CPU is its user and system time, in percent of one core.

usage: make bench NAME=footprint [ARGS="--seconds 60"]
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

from groundskeeper.lab.agents import MANAGED, Agents, with_agents
from groundskeeper.lab.lab import Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.office import PACKAGES, Link, MachinePlan, Office
from measuring import aim, report, summary

HERTZ = 100
PEERS = {
    "prometheus-node-exporter": "prometheus-node-exporter.service",
    "netdata": "netdata.service",
    "fail2ban": "fail2ban.service",
    "monit": "monit-bench.service",
}
MONIT = """\
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
check system $HOST
  if loadavg (1min) > 100 then alert
  if memory usage > 99% then alert
check filesystem var with path /var
  if space usage > 99% then alert
check process nginx with pidfile /run/nginx.pid
  if failed port 80 then alert
check network eth0 with interface eth0
"""
SCRAPE = """\
import time, urllib.request
while True:
    for address in ("http://127.0.0.1:9100/metrics", "http://127.0.0.1:19999/api/v1/allmetrics"):
        try: urllib.request.urlopen(address, timeout=0.9).read()
        except OSError: pass
    time.sleep(1)
"""


def office() -> Office:
    files = {
        "/etc/systemd/system/monit-bench.service": MONIT,
        "/etc/monit-bench/rc": MONITRC,
        "/etc/fail2ban/jail.local": "[sshd]\nenabled = true\nbackend = systemd\n",
        "/opt/scrape.py": SCRAPE,
    }
    machine = MachinePlan(
        name="server",
        links=(Link(name="eth0", network="lan", address="10.77.1.10/24"),),
        services=("nginx.service", "postgresql.service", "ssh.service", *PEERS.values()),
        files=files,
        agent=True,
    )
    extra = {"monit", "fail2ban", "python3-systemd", "netdata-core", "prometheus-node-exporter"}
    packages = tuple(sorted({*PACKAGES, *extra}))
    return Office(name="footprint", networks=("lan",), machines=(machine,), packages=packages)


def tree(machine: Machine, root: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for pid in machine.pids():
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        parents.setdefault(int(text[text.rindex(")") + 2 :].split()[1]), []).append(pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += parents.get(pid, [])
    return found


def pss(pids: list[int]) -> float:
    """MiB."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cpu(pids: list[int]) -> int:
    """Clock ticks, ended children included."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        total += sum(map(int, text[text.rindex(")") + 2 :].split()[11:15]))
    return total


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--seconds", type=int, default=60)
    words.add_argument("--settle", type=int, default=20)
    asked = words.parse_args()
    with Lab.up(with_agents(office()), "gk-footprint", lambda line: print(line, file=sys.stderr)) as lab:
        machine = lab.machine("server")
        Agents(lab).begin(MANAGED)
        scraper = machine.spawn("/usr/bin/python3", "/opt/scrape.py")
        roots = {"groundskeeper": machine.unit_pid("groundskeeper.service")}
        roots |= {name: machine.unit_pid(unit) for name, unit in PEERS.items()}
        packages = {"netdata": "netdata-core"}
        versions = {
            name: machine.run("dpkg-query", "-W", "-f", "${Version}", packages.get(name, name)).stdout for name in PEERS
        }
        time.sleep(asked.settle)
        before, begun = {name: cpu(tree(machine, pid)) for name, pid in roots.items()}, time.monotonic()
        memory: dict[str, list[float]] = {name: [] for name in roots}
        while time.monotonic() - begun < asked.seconds:
            for name, pid in roots.items():
                memory[name].append(pss(tree(machine, pid)))
            time.sleep(1)
        wall = time.monotonic() - begun
        busy = {name: 100 * (cpu(tree(machine, pid)) - before[name]) / HERTZ / wall for name, pid in roots.items()}
        scraper.kill()
        scraper.wait()
    rows = {name: summary(samples, cpu_percent=round(busy[name], 2)) for name, samples in memory.items()}
    for name, version in versions.items():
        rows[name]["version"] = version
    ours = rows.pop("groundskeeper")
    together = sum(statistics.median(memory[name]) for name in ("prometheus-node-exporter", "fail2ban", "monit"))
    aims = [
        aim("PSS, MiB", ours["median"], 36.0),
        aim("CPU, percent of a core", ours["cpu_percent"], 0.5),
        aim("PSS over node-exporter, fail2ban and monit together", ours["median"] / together, 1.0),
    ]
    report("footprint", "MiB PSS", ours, rows, aims, memory)


if __name__ == "__main__":
    main()
