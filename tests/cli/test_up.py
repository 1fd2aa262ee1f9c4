"""`up` with a real agent, in a home of its own where all automation is stopped: it sees, and changes nothing."""

import os
import select
import signal
import subprocess
import sys
import time

import msgspec
import pytest


@pytest.fixture
def stopped(at):
    at.make()
    at.stop_file.write_text("a test runs\n")
    return at


@pytest.fixture
def up(stopped):
    process = subprocess.Popen(
        [sys.executable, "-c", "from groundskeeper.cli import main; main()", "up", "--plain"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert "All automation is stopped" in first_line(process)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def first_line(process):
    ready, _, _ = select.select([process.stdout], [], [], 15)
    return process.stdout.readline().decode() if ready else process.stderr.read().decode()


def agent_pid(run):
    status = run("status", "--json").json
    assert status["running"]
    return status["agent"]["pid"]


def ended(pid):
    for _ in range(500):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_it_starts_an_agent_shows_it_and_stops_it_in_order(up, run, stopped):
    pid = agent_pid(run)
    told = run("watch", "--once", "--plain").out
    assert "stopped" in told
    assert "watched: filesystems" in told
    assert "seen: " in told
    second = run("undo", "nothing")
    assert (second.code, "there is no change nothing" in second.err) == (2, True)
    up.send_signal(signal.SIGTERM)
    out, err = up.communicate(timeout=15)
    assert (up.returncode, err) == (0, b"")
    assert "Nothing is lost" in out.decode().splitlines()[-1]
    assert ended(pid)
    assert not stopped.socket.exists()
    assert run("status", "--json").json["running"] is False


def test_killed_outright_it_leaves_no_agent_behind_and_a_ledger_that_verifies(up, run, stopped):
    pid = agent_pid(run)
    up.send_signal(signal.SIGKILL)
    up.wait(5)
    assert ended(pid)
    checks = {check["what"]: check for check in msgspec.json.decode(run("doctor", "--json").out)["checks"]}
    assert checks["the ledger"]["state"] == "good"
