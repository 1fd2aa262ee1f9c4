"""Programs that run away, and people who try passwords."""

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

from groundskeeper.lab.faults.fault import Fault, Witness, hurts
from groundskeeper.lab.felt import Service
from groundskeeper.lab.lab import Lab

RUNAWAY = "month-end-report"
GUESSING = "guessing"
BUSY = """
import threading
def report():
    while True:
        pass
threading.Thread(target=report, daemon=True).start()
report()
"""
# The kernel shares a processor fairly between sessions, so a busy program alone is hardly felt by the others. It is
# when somebody gave it real-time priority, as databases and audio programs are given.
URGENT = ("-p", "CPUSchedulingPolicy=rr", "-p", "CPUSchedulingPriority=1")
GREEDY = """
import time
held = bytearray()
while len(held) < {most}:
    held += b"x" * (16 << 20)
    time.sleep(0.005)
time.sleep(3600)
"""
MOST = 900 << 20
TOO_MUCH = 300 << 20
GUESSES = """
import itertools, os, subprocess, sys
open("/run/no-password", "w").write("#!/bin/sh\\necho wrong\\n")
os.chmod("/run/no-password", 0o700)
environment = os.environ | {"SSH_ASKPASS": "/run/no-password", "SSH_ASKPASS_REQUIRE": "force"}
options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "PreferredAuthentications=password",
           "NumberOfPasswordPrompts=3", "ConnectTimeout=1"]
ssh = ["ssh", "-q", *(word for option in options for word in ("-o", option))]
names = itertools.cycle(["admin", "root", "backup", "oracle", "test", "postgres"])
while True:
    guesses = [subprocess.Popen([*ssh, next(names) + "@10.77.2.10", "true"], env=environment, start_new_session=True)
               for _ in range(4)]
    for guess in guesses:
        guess.wait()
"""


def _run_away(program: str, *properties: str) -> list[str]:
    return ["systemd-run", "-q", "--collect", f"--unit={RUNAWAY}", *properties, "/usr/bin/python3", "-c", program]


def _busy(lab: Lab) -> None:
    lab.machine("web-1").run(*_run_away(BUSY, *URGENT))


def _greedy(lab: Lab) -> None:
    lab.machine("db-1").run(*_run_away(GREEDY.format(most=MOST)))
    lab.control.wait(lambda: not _is_modest(lab), "the program took no memory", 10)


def _stopped(machine: str) -> Callable[[Lab], None]:
    def heal(lab: Lab) -> None:
        lab.machine(machine).run("systemctl", "kill", "-s", "KILL", RUNAWAY, check=False)
        lab.machine(machine).run("systemctl", "stop", RUNAWAY, check=False)

    return heal


def _is_modest(lab: Lab) -> bool:
    """Whether no program on the database server holds more memory than it should, as the host sees it."""
    return all(_resident(pid) < TOO_MUCH for pid in lab.machine("db-1").pids("python3"))


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return 0


def _guess(lab: Lab) -> None:
    """From an address of its own each time: servers remember who tried before, and turn him away at once."""
    attacker, link = lab.machine("attacker"), lab.office.machine("attacker").links[0]
    address = f"10.77.1.{100 + time.monotonic_ns() // 1_000_000 % 100}/24"
    attacker.run("ip", "address", "flush", "dev", link.name)
    attacker.run("ip", "address", "add", address, "dev", link.name)
    attacker.run("ip", "route", "replace", "default", "via", link.gateway)
    attacker.run("systemd-run", "-q", "--collect", f"--unit={GUESSING}", "python3", "-c", GUESSES)


def _give_up(lab: Lab) -> None:
    lab.machine("attacker").run("systemctl", "kill", "-s", "KILL", GUESSING, check=False)
    lab.machine("attacker").run("systemctl", "stop", GUESSING, check=False)


def _is_kept_out(lab: Lab) -> bool:
    """Whether the intruder can no longer open a connection to the server's door."""
    try:
        with socket.create_connection((lab.office.address("web-1"), 22), timeout=0.1):
            return False
    except OSError:
        return True


FAULTS = (
    Fault(
        name="cpu-runaway", machine="web-1", hurts=hurts(Service.WEB, Service.UPLOAD, Service.SSH),
        inject=_busy, heal=_stopped("web-1"),
        what="a report with real-time priority gets out of hand and takes all of the server's processor",
    ),
    Fault(
        name="memory-runaway", machine="db-1", hurts=hurts(Service.WITNESS),
        inject=_greedy, heal=_stopped("db-1"), witness=Witness("db-1", _is_modest),
        settles=False,  # it can be kept from taking more, but to end it is not for a machine to decide
        what="a report that got out of hand holds far too much memory",
    ),
    Fault(
        name="password-guessing", machine="web-1", hurts=hurts(Service.WITNESS, Service.SSH),
        inject=_guess, heal=_give_up, witness=Witness("attacker", _is_kept_out, every=0.05),
        what="somebody tries one password after another on the server's door",
    ),
)  # fmt: skip
