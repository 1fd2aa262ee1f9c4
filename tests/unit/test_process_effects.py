"""Capping and ending real processes: our own children."""

import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from groundskeeper.model import Already, DeviceId, Impossible, Needed
from groundskeeper.subsystems.process.effects import CapProcess, EndProcess, ProcessProber, RestoreScheduling
from groundskeeper.subsystems.process.stat import stat
from groundskeeper.subsystems.process.types import EnsureProcessCapped, EnsureProcessGone, EnsureScheduling

HERE = DeviceId("here")
THREADS = """
import threading, time
for _ in range(2):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("ready", flush=True)
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"


def child(program: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seen = stat(process.pid)
        assert seen is not None
        yield process, seen.started
        process.kill()


@pytest.fixture
def busy() -> Iterator[tuple[subprocess.Popen[str], int]]:
    yield from child(THREADS)


@pytest.fixture
def deaf() -> Iterator[tuple[subprocess.Popen[str], int]]:
    yield from child(DEAF)


def policies(pid: int) -> set[int]:
    return {os.sched_getscheduler(int(thread)) for thread in os.listdir(f"/proc/{pid}/task")}


async def test_every_thread_is_capped_and_put_back(busy: tuple[subprocess.Popen[str], int]):
    process, started = busy
    cap = EnsureProcessCapped(device=HERE, pid=process.pid, started=started, name="busy", memory=1 << 40)
    sight = await CapProcess().look(cap)
    assert isinstance(sight, Needed) and isinstance(sight.undo, EnsureScheduling)
    assert len(sight.undo.threads) == 3
    await CapProcess().apply(cap)
    assert policies(process.pid) == {os.SCHED_IDLE}
    assert resource.prlimit(process.pid, resource.RLIMIT_AS)[0] == 1 << 40
    assert isinstance(await CapProcess().look(cap), Already)
    assert (await ProcessProber().ask(cap.probe())).ok
    assert isinstance(await RestoreScheduling().look(sight.undo), Needed)
    await RestoreScheduling().apply(sight.undo)
    assert policies(process.pid) == {os.SCHED_OTHER}
    assert isinstance(await RestoreScheduling().look(sight.undo), Already)
    assert not (await ProcessProber().ask(cap.probe())).ok


async def test_a_half_done_cap_is_not_taken_for_done(busy: tuple[subprocess.Popen[str], int]):
    process, started = busy
    cap = EnsureProcessCapped(device=HERE, pid=process.pid, started=started, name="busy")
    os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
    assert isinstance(await CapProcess().look(cap), Needed)
    assert not (await ProcessProber().ask(cap.probe())).ok


async def test_a_process_that_does_not_end_when_asked_is_killed(deaf: tuple[subprocess.Popen[str], int]):
    process, started = deaf
    patience = timedelta(milliseconds=50)
    end = EnsureProcessGone(device=HERE, pid=process.pid, started=started, name="deaf", patience=patience)
    assert isinstance(await EndProcess().look(end), Needed)
    assert "killed" in await EndProcess().apply(end)
    assert isinstance(await EndProcess().look(end), Already)
    assert (await ProcessProber().ask(end.probe())).ok
    assert await asyncio.to_thread(process.wait) == -9


async def test_another_process_with_the_same_pid_is_left_alone(busy: tuple[subprocess.Popen[str], int]):
    process, started = busy
    end = EnsureProcessGone(device=HERE, pid=process.pid, started=started + 1, name="other")
    assert isinstance(await EndProcess().look(end), Already)
    assert "has ended" in await EndProcess().apply(end)
    assert process.poll() is None


async def test_what_the_machine_depends_on_is_never_touched():
    first, me = stat(1), stat(os.getpid())
    assert first is not None and me is not None
    for one in (first, me):
        cap = EnsureProcessCapped(device=HERE, pid=one.pid, started=one.started, name=one.name)
        assert isinstance(await CapProcess().look(cap), Impossible)
        end = EnsureProcessGone(device=HERE, pid=one.pid, started=one.started, name=one.name)
        assert isinstance(await EndProcess().look(end), Impossible)
