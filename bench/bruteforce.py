"""The n-th failed sign-in is logged → a new connection from that source is refused.

Two servers in one lab, one with our agent at its default policy, one with fail2ban's stock sshd jail (5 failures,
pyinotify backend, nftables), and an attacker with a fresh address for each round. The same lines that sshd writes go to
each server by the way it reads them: to the system log for ours (journald and its forwarding are part of the way), to
/var/log/auth.log for fail2ban. The attacker connects every millisecond; the time runs from the last line written to the
start of the first connection that is refused.

usage: make bench NAME=bruteforce [ARGS="--n 20"]
"""

import argparse
import os
import random
import socket
import struct
import subprocess
import sys
import time

from groundskeeper.lab.agents import MANAGED, Agents, with_agents
from groundskeeper.lab.lab import Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.namespaces import enter
from groundskeeper.lab.office import PACKAGES, Link, MachinePlan, Office
from measuring import aim, report, summary

PORT = 7000
FAILURES = 5
SERVICE = """\
use Socket;
$SIG{PIPE} = "IGNORE";
socket(my $door, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in(7000, INADDR_ANY)) or die $!;
listen($door, 512) or die $!;
while (accept(my $guest, $door)) { close $guest; }
"""
UNIT = """\
[Unit]
Description=A service to be attacked
[Service]
ExecStart=/usr/bin/perl /opt/answer.pl
[Install]
WantedBy=multi-user.target
"""
# Reads "WAY ADDRESS" lines; writes the failures 50 ms apart as sshd does; says when the last one was written.
WRITER = """\
import socket, sys, time
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for asked in sys.stdin:
    way, address = asked.split()
    for number in range(5):
        time.sleep(0.05)
        line = f"sshd[{2000 + number}]: Failed password for root from {address} port {40000 + number} ssh2"
        stamp = time.strftime("%b %e %H:%M:%S")
        if way == "log":
            log.sendto(f"<86>{stamp} {line}".encode(), "/dev/log")
        else:
            with open("/var/log/auth.log", "a") as file: file.write(f"{stamp} server {line}\\n")
    print(time.monotonic(), flush=True)
"""
JAIL = """\
[DEFAULT]
banaction = nftables-multiport
backend = pyinotify
[sshd]
enabled = true
port = ssh,7000
logpath = /var/log/auth.log
"""


def office() -> Office:
    def server(number: int, name: str, files: dict[str, str], *services: str, agent: bool = False) -> MachinePlan:
        every = {"/opt/answer.pl": SERVICE, "/etc/systemd/system/answer.service": UNIT, "/opt/writer.py": WRITER}
        return MachinePlan(
            name=name,
            links=(Link(name="eth0", network="lan", address=f"203.0.113.{number}/24"),),
            services=("answer.service", *services),
            files={**every, **files},
            agent=agent,
        )

    peer = {"/etc/fail2ban/jail.local": JAIL, "/var/log/auth.log": ""}
    attacker = MachinePlan(name="attacker", links=(Link(name="eth0", network="lan", address="203.0.113.250/24"),))
    return Office(
        name="bruteforce",
        networks=("lan",),
        packages=tuple(sorted({*PACKAGES, "fail2ban", "python3-pyinotify", "python3-systemd"})),
        machines=(server(1, "ours", {}, agent=True), server(2, "fail2ban", peer, "fail2ban.service"), attacker),
    )


def connects(source: str, target: str) -> bool:
    """Whether the target takes a connection from this source; reset at once, so that no port stays in use."""
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.settimeout(0.1)
        try:
            link.bind((source, 0))
            link.connect((target, PORT))
        except OSError:
            return False
        return True


def until_refused(source: str, target: str, limit: float = 20.0) -> float | None:
    """When the first connection that is refused began (CLOCK_MONOTONIC), or None."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        begun = time.monotonic()
        if not connects(source, target):
            return begun
        time.sleep(0.001)
    return None


def writer(machine: Machine) -> "subprocess.Popen[str]":
    argv = machine.command("/usr/bin/python3", "-u", "/opt/writer.py")
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--n", type=int, default=20)
    n = words.parse_args().n
    ways = {"ours": ("log", "203.0.113.1"), "fail2ban": ("file", "203.0.113.2")}
    with Lab.up(with_agents(office()), "gk-bruteforce", lambda line: print(line, file=sys.stderr)) as lab:
        Agents(lab).begin(MANAGED)
        attacker = lab.machine("attacker")
        addresses = [f"203.0.113.{100 + number}" for number in range(n)]
        for address in addresses:
            attacker.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
        version = lab.machine("fail2ban").run("dpkg-query", "-W", "-f", "${Version}", "fail2ban").stdout
        writers = {name: writer(lab.machine(name)) for name in ways}
        time.sleep(5)
        enter(os.open(f"/proc/{attacker.leader}/ns/net", os.O_RDONLY))
        samples: dict[str, list[float]] = {name: [] for name in ways}
        for address in addresses:
            for name, (way, target) in ways.items():
                if not connects(address, target):
                    raise SystemExit(f"{address} could not reach {name} before anything happened")
                time.sleep(random.random())
                pen = writers[name]
                assert pen.stdin and pen.stdout
                pen.stdin.write(f"{way} {address}\n")
                pen.stdin.flush()
                refused = until_refused(address, target)
                last_line = float(pen.stdout.readline())
                if refused is None:
                    raise SystemExit(f"{name} never refused {address}")
                samples[name].append(max(0.0, refused - last_line) * 1000)
        for pen in writers.values():
            pen.kill()
            pen.communicate()
    ours = summary(samples["ours"])
    peers = {"fail2ban": summary(samples["fail2ban"], version=version)}
    aims = [aim("fail2ban's median over ours", peers["fail2ban"]["median"] / ours["median"], 50.0, at_most=False)]
    report("bruteforce", "ms", ours, peers, aims, samples)


if __name__ == "__main__":
    main()
