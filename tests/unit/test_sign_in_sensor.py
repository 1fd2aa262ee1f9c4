"""What the sensor makes of the lines, whatever origin they come from, and how much it takes on."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Fact, Unavailable, Watching
from groundskeeper.subsystems.logs.files import Files
from groundskeeper.subsystems.logs.forwarded import Forwarded
from groundskeeper.subsystems.logs.sensor import SignInSensor
from groundskeeper.subsystems.logs.types import AuthFailures, LogFlood, ManagementPeers

FAILED = "2026-03-02T09:30:00+00:00 h sshd[{}]: Failed password for root from {} port 9 ssh2\n"


class Journald(threading.Thread):
    """Passes on what comes in at `log` to whoever listens at `syslog`, as journald does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.log, self.syslog = folder / "log", folder / "journal" / "syslog"
        self.syslog.parent.mkdir()
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(os.fspath(self.log))
        self.passes_on = True

    def run(self) -> None:
        while (line := self._ear.recv(9000)) != b"end":
            if self.passes_on:
                self._ear.sendto(line, os.fspath(self.syslog))
        self._ear.close()

    def write(self, line: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            mouth.sendto(line.encode(), os.fspath(self.log))


@pytest.fixture
def journald(tmp_path) -> Iterator[Journald]:
    made = Journald(tmp_path)
    made.start()
    yield made
    made.write("end")
    made.join(2)


@pytest.fixture
def log(tmp_path) -> Path:
    path = tmp_path / "auth.log"
    path.touch()
    return path


class Told(list[Fact]):
    """Facts as they come."""

    async def until(self, wanted, patience: float = 3.0) -> Fact:
        end = asyncio.get_running_loop().time() + patience
        while True:
            found = next((fact for fact in self if wanted(fact)), None)
            if found is not None:
                return found
            assert asyncio.get_running_loop().time() < end, self
            await asyncio.sleep(0.005)


async def watch(told: Told, *origins, people=lambda: set(), burst=10_000):
    sensor = SignInSensor(SystemClock(), origins, None, people, burst)
    return asyncio.ensure_future(sensor.run(told.append))


async def ended(task) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_lines_that_the_journal_passes_on_become_facts(journald):
    told = Told()
    task = await watch(told, lambda: Forwarded(journald.syslog, journald.log))
    await told.until(lambda fact: isinstance(fact, ManagementPeers))
    journald.write("<38>sshd[7]: Failed password for root from 203.0.113.9 port 9 ssh2")
    fact = await told.until(lambda fact: isinstance(fact, AuthFailures))
    assert (fact.source, fact.users, fact.total) == ("203.0.113.9", ("root",), 1)
    await ended(task)
    assert not journald.syslog.exists(), "it leaves nothing behind"


def test_a_journal_that_passes_nothing_on_is_found_out(journald):
    journald.passes_on = False
    with pytest.raises(Unavailable, match="ForwardToSyslog=no"):
        Forwarded(journald.syslog, journald.log, patience=0.05)
    assert not journald.syslog.exists()


def test_who_listens_already_goes_on_listening(journald):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(os.fspath(journald.syslog))
        with pytest.raises(Unavailable, match="a syslog daemon takes"):
            Forwarded(journald.syslog, journald.log)
        journald.write("still")
        assert other.recv(99) == b"still"


def test_a_socket_that_a_killed_agent_left_is_taken_over(journald):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(os.fspath(journald.syslog))
    Forwarded(journald.syslog, journald.log).close()


def test_who_takes_the_socket_over_keeps_it(journald):
    ours = Forwarded(journald.syslog, journald.log)
    assert ours.lost() is None
    journald.syslog.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(os.fspath(journald.syslog))
        assert ours.lost() == "a syslog daemon took over the journal's forwarding"
        ours.close()
        assert journald.syslog.exists()


async def test_the_first_origin_that_works_is_taken_and_said(log):
    def broken() -> Files:
        raise Unavailable("there is none")

    told = Told()
    task = await watch(told, broken, lambda: Files({log: ""}))
    said = await told.until(lambda fact: isinstance(fact, Watching))
    assert said == Watching(
        what="sign-ins", possible=True, reason=f"failed sign-ins are seen in {log} as they are written"
    )
    await ended(task)


async def test_where_nothing_works_every_reason_is_told():
    def broken() -> Files:
        raise Unavailable("there is none")

    task = await watch(Told(), broken, broken)
    with pytest.raises(Unavailable, match="cannot be seen here: there is none; there is none"):
        await task


async def test_people_at_work_are_told_before_the_failure_that_could_cut_one_off(log):
    told, here = Told(), set()
    task = await watch(told, lambda: Files({log: ""}), people=lambda: here)
    await told.until(lambda fact: isinstance(fact, ManagementPeers))
    here.add("198.51.100.7")
    with log.open("a") as file:
        file.writelines(FAILED.format(n, "198.51.100.7") for n in range(5))
    await told.until(lambda fact: isinstance(fact, AuthFailures) and fact.total == 5)
    order = [fact for fact in told if isinstance(fact, ManagementPeers | AuthFailures)]
    people = order.index(ManagementPeers(addresses=("198.51.100.7",)))
    assert people < next(n for n, fact in enumerate(order) if isinstance(fact, AuthFailures) and fact.total == 4)
    await ended(task)


async def test_a_flood_is_read_as_far_as_is_affordable_and_told_of(log):
    told = Told()
    task = await watch(told, lambda: Files({log: ""}), burst=300)
    await told.until(lambda fact: isinstance(fact, ManagementPeers))
    with log.open("a") as file:
        file.writelines(FAILED.format(n, f"203.0.113.{n % 200}") for n in range(3000))
    flood = await told.until(lambda fact: isinstance(fact, LogFlood))
    assert flood.skipped > 0
    await told.until(lambda fact: isinstance(fact, LogFlood) and fact.skipped > 1000)
    await ended(task)
