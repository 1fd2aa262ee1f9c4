"""Failed and granted sign-ins on real machines: real sshd, real journald, and whoever else reads the log."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from groundskeeper.lab.lab import PACKAGES, SOURCE
from groundskeeper.lab.machine import Machine

HERE = Path(__file__).parent
WEB = "10.77.2.10"
LISTENER = """
import socket, sys, time
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind("/run/systemd/journal/syslog")
print("bound", flush=True)
while b"the end" not in (line := ear.recv(9000)):
    print(line.decode(), flush=True)
"""
BURST = """
import socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.connect("/dev/log")
for n in range(2000):  # four from each source: an agent that reads the journal later has nothing to refuse
    source = b"198.18.%d.%d" % (n // 4 // 250, n // 4 % 250)
    log.send(b"<38>sshd[%d]: Failed password for root from %s port 9 ssh2" % (5000 + n, source))
"""


class Watcher:
    """The sensor at work in a machine."""

    def __init__(self, machine: Machine, idle: float) -> None:
        self._machine = machine
        self._idle = idle
        self._end = machine.root / "run-gk-end"
        self._end.unlink(missing_ok=True)
        script = machine.root / "run-gk-seeing.py"
        script.write_text((HERE / "seeing.py").read_text())
        self._told = (machine.root / "run-gk-told").open("w+")
        words = ("env", f"PYTHONPATH={SOURCE}:{PACKAGES}", "python3", "/run-gk-seeing.py", "/run-gk-end", str(idle))
        self._process = subprocess.Popen(machine.command(*words), stdout=self._told, stderr=subprocess.STDOUT)
        self._reading = (machine.root / "run-gk-told").open()
        self.facts: list[tuple[float, dict[str, Any]]] = []

    def until(self, wanted: Callable[[dict[str, Any]], object], patience: float = 30.0) -> dict[str, Any]:
        """The first fact from now on that is wanted."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            place = self._reading.tell()
            line = self._reading.readline()
            if not line.endswith("\n"):
                self._reading.seek(place)
                time.sleep(0.01)
                continue
            at, fact = line.split(" ", 1)
            self.facts.append((float(at), json.loads(fact)))
            if wanted(self.facts[-1][1]):
                return self.facts[-1][1]
        raise AssertionError(f"not seen; seen were {self.facts}")

    def origin(self) -> str:
        return str(self.until(lambda fact: fact["type"] == "Watching")["reason"])

    def cost(self) -> float:
        """Seconds of processor time in the idle time at the end."""
        self._end.touch()
        self.until(lambda fact: fact["type"] == "cost", self._idle + 10)
        return self.facts[-1][0]

    def close(self) -> None:
        self._end.touch()
        self._process.wait(20)
        self._told.close()
        self._reading.close()
        self._end.unlink()


@contextmanager
def watching(machine: Machine, idle: float = 0.0) -> Iterator[Watcher]:
    watcher = Watcher(machine, idle)
    try:
        yield watcher
    finally:
        watcher.close()


def about(source: str, total: int = 1) -> Callable[[dict[str, Any]], bool]:
    return lambda fact: fact["type"] == "AuthFailures" and fact["source"] == source and fact["total"] >= total


def try_password(attacker: Machine, user: str) -> None:
    attacker.run("sh", "-c", "printf '#!/bin/sh\\necho wrong\\n' > /tmp/ask && chmod +x /tmp/ask")
    options = ("-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oNumberOfPasswordPrompts=1")
    secret = ("env", "SSH_ASKPASS=/tmp/ask", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0")
    attacker.run(*secret, "ssh", *options, f"{user}@{WEB}", "true", check=False)


def write(machine: Machine, source: str, count: int = 1, port: int = 9) -> None:
    for n in range(count):
        machine.run(
            "logger",
            "-t",
            "sshd",
            f"--id={7000 + n}",
            "-p",
            "auth.info",
            f"Failed password for root from {source} port {port} ssh2",
        )


@contextmanager
def another_reader(machine: Machine) -> Iterator[subprocess.Popen[str]]:
    """A syslog daemon of somebody else's, which has the socket."""
    process = subprocess.Popen(machine.command("python3", "-c", LISTENER), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline().strip() == "bound"
    try:
        yield process
    finally:
        machine.run("logger", "the end")
        process.communicate(timeout=10)
        machine.run("rm", "/run/systemd/journal/syslog")


def test_a_wrong_password_is_seen_from_the_first_word_of_it(office):
    with watching(office.machine("web-1")) as watcher:
        assert "within a millisecond" in watcher.origin()
        try_password(office.machine("attacker"), "nobody-we-know")
        fact = watcher.until(about("10.77.1.66"))
        assert fact["users"] == ["nobody-we-know"]
        try_password(office.machine("attacker"), "root")
        assert watcher.until(about("10.77.1.66", 2))["total"] == 2, "one attempt each, whatever sshd says of it"


def test_a_line_is_a_fact_sooner_than_the_journal_tells_its_followers(office):
    web = office.machine("web-1")
    with watching(web) as watcher:
        watcher.origin()
        write(web, "198.51.100.9")
        watcher.until(about("198.51.100.9"))
        seen = watcher.facts[-1][0]
        line = web.run("journalctl", "-q", "-o", "json", "-n", "1", "-g", "198.51.100.9").stdout
        written = int(json.loads(line)["__MONOTONIC_TIMESTAMP"]) / 1e6
        offset = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        assert seen - offset - written < 0.25, "following the journal takes half a second"


def test_what_went_on_while_nobody_looked_is_known_at_the_start(office):
    web = office.machine("web-1")
    write(web, "198.51.100.14", 3)
    with watching(web) as watcher:
        assert len(watcher.until(about("198.51.100.14", 3))["times"]) == 3
        write(web, "198.51.100.14")
        assert watcher.until(about("198.51.100.14", 4))["total"] == 4


def test_a_burst_is_read_as_far_as_it_can_be_and_stops_nothing(office):
    web = office.machine("web-1")
    with watching(web) as watcher:
        watcher.origin()
        web.run("python3", "-c", BURST)
        time.sleep(2)  # what comes while the journal's queue is full is lost, as any line of the burst may be
        write(web, "198.51.100.13")
        watcher.until(about("198.51.100.13"))
        told = [fact for _, fact in watcher.facts if fact["type"] == "AuthFailures"]
        totals = {fact["source"]: fact["total"] for fact in told if fact["source"].startswith("198.18.")}
        assert sum(totals.values()) > 20, "of 2,000 in a quarter of a second, beside whatever else the host does"


def test_what_an_ordinary_persons_program_writes_is_not_believed(office):
    web = office.machine("web-1")
    with watching(web) as watcher:
        watcher.origin()
        words = (
            "logger",
            "-t",
            "sshd",
            "--id=1",
            "-p",
            "auth.info",
            "Failed password for root from 198.51.100.77 port 9 ssh2",
        )
        web.run("setpriv", "--reuid=1234", "--clear-groups", *words)
        write(web, "198.51.100.78")
        watcher.until(about("198.51.100.78"))
        assert not [fact for _, fact in watcher.facts if fact.get("source") == "198.51.100.77"]


def test_another_reader_of_the_journal_goes_on_and_the_journal_itself_is_read(office):
    web = office.machine("web-1")
    with another_reader(web) as other, watching(web) as watcher:
        assert "in the journal" in watcher.origin()
        write(web, "198.51.100.10", 3)
        watcher.until(about("198.51.100.10", 3))
        assert other.stdout
        assert any("198.51.100.10" in other.stdout.readline() for _ in range(50)), (
            "the other reader must still be served"
        )


def test_where_the_journal_passes_nothing_on_the_journal_itself_is_read(office):
    web = office.machine("web-1")
    setting = web.root / "etc/systemd/journald.conf.d/zz-silent.conf"
    setting.write_text("[Journal]\nForwardToSyslog=no\n")
    web.run("systemctl", "restart", "systemd-journald")
    try:
        with watching(web, idle=3.0) as watcher:
            assert "in the journal" in watcher.origin()
            assert not (web.root / "run/systemd/journal/syslog").exists()
            write(web, "198.51.100.11")
            watcher.until(about("198.51.100.11"))
    finally:
        setting.unlink()
        web.run("systemctl", "restart", "systemd-journald")


def test_a_syslog_daemons_file_is_read(office):
    web = office.machine("web-1")
    log = web.root / "var/log/auth.log"
    log.write_text("")
    try:
        with another_reader(web), watching(web, idle=3.0) as watcher:
            assert "/var/log/auth.log" in watcher.origin()
            with log.open("a") as file:
                file.write(
                    "2026-03-02T09:30:00+00:00 web-1 sshd[9]: Failed password for root from 198.51.100.12 port 9 ssh2\n"
                )
            watcher.until(about("198.51.100.12"))
            assert watcher.cost() < 0.02, "waiting must cost next to nothing"
    finally:
        log.unlink()


def test_somebody_who_signed_in_is_known_as_a_person(office):
    web, desk = office.machine("web-1"), office.machine("workstation")
    desk.run("sh", "-c", "test -f /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
    key = desk.run("cat", "/root/.ssh/id_ed25519.pub").stdout
    web.run("sh", "-c", "mkdir -p /root/.ssh && cat > /root/.ssh/authorized_keys", stdin=key)
    try:
        with watching(web) as watcher:
            watcher.origin()
            desk.run(
                "ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", f"root@{WEB}", "true"
            )
            watcher.until(lambda fact: fact["type"] == "ManagementPeers" and "10.77.1.20" in fact["addresses"])
        with watching(web) as again:
            again.until(lambda fact: fact["type"] == "ManagementPeers" and "10.77.1.20" in fact["addresses"])
    finally:
        web.run("rm", "/root/.ssh/authorized_keys")


@pytest.fixture(scope="module", autouse=True)
def _tidy(office) -> Iterator[None]:
    yield
    for name in ("run-gk-seeing.py", "run-gk-told"):
        (office.machine("web-1").root / name).unlink(missing_ok=True)
