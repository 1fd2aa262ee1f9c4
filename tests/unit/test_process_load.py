"""From what /proc says to the few processes that matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.process import kernel_log, machine
from groundskeeper.subsystems.process.load import Look, Share, Window, between, notable, shares, starves, unit_of
from groundskeeper.subsystems.process.machine import Reading
from groundskeeper.subsystems.process.stat import Stat

STAT = b"""cpu  100 0 50 1000 10 0 5 0 0 0
cpu0 60 0 30 400 10 0 5 0 0 0
cpu1 40 0 20 600 0 0 0 0 0 0
intr 12345
"""
KMSG = (
    "6,1234,5678901,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
    "oom_memcg=/system.slice/report.service,task_memcg=/system.slice/report.service,task=python3,pid=4711,uid=0"
)


def process(pid: int, used: int = 0, resident: int = 0, started: int = 0, flags: int = 0) -> Stat:
    return Stat(pid, f"p{pid}", "R", 1, flags, used, 1, started, resident)


def look(at: float, *processes: Stat) -> Look:
    return Look(at, {one.pid: one for one in processes})


def test_only_the_cores_that_may_be_used_count():
    assert machine.usage(STAT, frozenset({0, 1})) == (155, 1010)
    assert machine.usage(STAT, frozenset({1})) == (60, 600)


def test_the_reader_itself_does_not_count_as_waiting():
    assert machine.running(b"0.61 0.66 0.72 3/811 4711\n") == 2


def test_pressure_is_read_as_seconds_and_memory_as_bytes():
    assert machine.waited(b"some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0 total=7\n") == 2.5
    assert machine.available(b"MemTotal: 10 kB\nMemFree: 5 kB\nMemAvailable:    7 kB\n") == 7168


def test_a_process_takes_what_it_used_between_two_looks():
    before, after = look(100.0, process(7, used=50, resident=10)), look(102.0, process(7, used=250, resident=30))
    assert shares(before, after, 100, 4096) == {7: Share(after.processes[7], 1.0, 40960.0, 2.0)}


def test_a_young_process_is_known_by_its_whole_life_and_an_old_unknown_one_not_at_all():
    after = look(100.0, process(7, used=100, started=9900), process(8, used=100, started=10))
    assert shares(None, after, 100, 4096) == {7: Share(after.processes[7], 1.0, 0.0, 1.0)}


def test_a_pid_that_became_another_process_is_not_mistaken_for_the_old_one():
    before, after = look(100.0, process(7, used=5000, started=1)), look(101.0, process(7, used=10, started=10050))
    assert shares(before, after, 100, 4096)[7].cpu == pytest.approx(0.2)


def test_threads_of_the_kernel_are_left_out():
    assert shares(look(1.0, process(7)), look(2.0, process(7, used=100, flags=0x00200000)), 100, 4096) == {}


def test_the_notable_are_few_and_come_by_what_they_take():
    found = {pid: Share(process(pid), cpu=pid / 10, growth=0.0, span=1.0) for pid in range(20)}
    assert [one.stat.pid for one in notable(found)] == [19, 18, 17, 16, 15]
    assert notable({1: Share(process(1), cpu=0.1, growth=0.0, span=1.0)}) == []


def test_a_machine_is_short_only_when_all_is_used_and_somebody_waits():
    idle = Reading(busy=0, idle=0, waited=0.0, queue=1, available=10)
    full = between(idle, Reading(busy=100, idle=0, waited=0.5, queue=1, available=5), 1.0)
    assert full == Window(span=1.0, busy=1.0, waiting=0.5, queue=1, available=5) and full.short(4)
    assert not full._replace(waiting=0.0).short(4) and full._replace(busy=0.6).might_be_short(4)
    assert not full._replace(busy=0.5).short(4)
    assert full._replace(waiting=-1.0, queue=9).short(4)


def test_real_time_priority_starves_others_before_all_cores_are_used():
    half = Window(span=1.0, busy=0.5, waiting=0.4, queue=2, available=5)
    plain, urgent = process(7), process(7)._replace(policy=2)
    assert starves(Share(urgent, cpu=0.9, growth=0.0, span=1.0), half, 2)
    assert not starves(Share(plain, cpu=0.9, growth=0.0, span=1.0), half, 2)
    assert not starves(Share(urgent, cpu=0.9, growth=0.0, span=1.0), half._replace(waiting=0.0), 2)
    assert not starves(Share(urgent, cpu=0.3, growth=0.0, span=1.0), half, 2)


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/nginx.service\n", "nginx.service"),
        ("12:cpu:/\n1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n0::/\n", "session-3.scope"),
        ("0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n", "user@0.service"),
        ("0::/init.scope\n", "init.scope"),
        ("0::/\n", ""),
    ],
)
def test_the_unit_of_a_process_is_in_its_control_group(cgroup: str, unit: str):
    assert unit_of(cgroup) == unit


def test_the_kernel_says_whom_it_ended():
    assert kernel_log.parse(KMSG) == ("/system.slice/report.service", "python3", 4711)
    assert kernel_log.parse("6,1,2,-;eth0: link becomes ready") is None


@given(st.text())
def test_any_record_is_read_without_a_stumble(record: str):
    kernel_log.parse(record)


@given(st.binary())
def test_any_cgroup_text_names_a_unit_or_none(raw: bytes):
    unit_of(raw.decode(errors="replace"))
