"""The whole loop on real machines: real wrong passwords, the real agent, and who is refused and who is not."""

import subprocess
import time
from collections.abc import Iterator

import pytest

from groundskeeper.lab.agents import MANAGED, Agents
from groundskeeper.lab.machine import Machine
from groundskeeper.model import Stage
from groundskeeper.subsystems.firewall.types import EnsureSourceBanned

WEB = "10.77.2.10"
OPTIONS = ("-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oNumberOfPasswordPrompts=1")
SECRET = ("env", "SSH_ASKPASS=/tmp/ask", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0")


def guess(who: Machine, user: str) -> subprocess.Popen[bytes]:
    """One wrong password at web-1; sshd takes its time over it."""
    who.run("sh", "-c", "printf '#!/bin/sh\\necho wrong\\n' > /tmp/ask && chmod +x /tmp/ask")
    return who.spawn(*SECRET, "ssh", *OPTIONS, "-oPubkeyAuthentication=no", f"{user}@{WEB}", "true")


def reaches(who: Machine, port: int = 80) -> bool:
    probe = f"import socket; socket.create_connection(('{WEB}', {port}), timeout=1.0)"
    return who.run("python3", "-c", probe, check=False).returncode == 0


def bans(agents: Agents) -> list[str]:
    return [
        change.action.source
        for change in agents.changes()
        if isinstance(change.action, EnsureSourceBanned) and change.stage is Stage.CONFIRMED
    ]


def until(is_so, patience=20.0) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def agents(office) -> Iterator[Agents]:
    web = office.machine("web-1")
    web.run("nft", "delete", "table", "inet", "groundskeeper", check=False)
    made = Agents(office)
    made.begin(MANAGED)
    yield made
    made.end()
    web.run("nft", "delete", "table", "inet", "groundskeeper", check=False)


def test_who_guesses_passwords_is_refused_and_others_are_served(office, agents):
    attacker, desk = office.machine("attacker"), office.machine("workstation")
    time.sleep(2.0)
    assert reaches(attacker)
    attempts = [guess(attacker, f"guess-{n}") for n in range(5)]
    assert until(lambda: not reaches(attacker)), "the attacker should be refused, for the web as well"
    assert not reaches(attacker, 22)
    assert reaches(desk)
    assert reaches(desk, 22)
    assert until(lambda: bans(agents) == ["10.77.1.66"])
    for attempt in attempts:
        attempt.wait(20)
    assert "gk: " in office.machine("web-1").run("nft", "list", "table", "inet", "groundskeeper").stdout


def test_who_signed_in_and_mistypes_is_not_refused(office, agents):
    web, desk = office.machine("web-1"), office.machine("workstation")
    desk.run("sh", "-c", "test -f /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
    web.run(
        "sh",
        "-c",
        "mkdir -p /root/.ssh && cat > /root/.ssh/authorized_keys",
        stdin=desk.run("cat", "/root/.ssh/id_ed25519.pub").stdout,
    )
    try:
        time.sleep(2.0)
        desk.run("ssh", *OPTIONS, f"root@{WEB}", "true")
        for attempt in [guess(desk, "anna") for _ in range(6)]:
            attempt.wait(20)
        time.sleep(1.0)
        assert "10.77.1.20" not in bans(agents)
        assert reaches(desk, 22)
    finally:
        web.run("rm", "/root/.ssh/authorized_keys")
