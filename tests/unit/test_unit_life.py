"""What systemd's signals say about who ended a service. The sequences are those that systemd 252 sends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.systemd.bus import unit_name, unit_path
from groundskeeper.subsystems.systemd.life import Life, Nature

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NONE = {"Job": (0, "/")}
DAEMON = Nature("forking", "enabled")


def running(nature: Nature = DAEMON) -> Life:
    return Life("nginx.service", nature, {"ActiveState": "active", "SubState": "running", "MainPID": 42})


def killed(life: Life, now: datetime = NOW, **more: Any) -> bool:
    """What is sent when the main process gets a SIGKILL: first the service's half, then the unit's."""
    life.hear({"Result": "signal", "MainPID": 0, "ExecMainCode": 2, "ExecMainStatus": 9}, now)
    return life.hear({"ActiveState": "failed", "SubState": "failed", **NONE, **more}, now)


def crashed(life: Life, now: datetime = NOW) -> bool:
    life.hear({"Result": "core-dump", "MainPID": 0, "ExecMainCode": 3, "ExecMainStatus": 11}, now)
    return life.hear({"ActiveState": "failed", "SubState": "failed", **NONE}, now)


def started(life: Life, now: datetime = NOW) -> None:
    life.hear({"Result": "success", "MainPID": 43}, now)
    life.hear({"ActiveState": "active", "SubState": "running", **NONE}, now)


def test_a_service_that_was_killed_was_not_asked_to_stop_and_that_is_told_at_once():
    life = running()
    killed(life)
    assert life.state is not None
    assert life.state.down and life.state.wanted and not life.state.stopped_by_request
    assert life.state.ending == "it was ended by signal 9 (SIGKILL)"


def test_a_stop_by_a_person_is_told_when_its_job_is_removed():
    life = running()
    life.job_opened(7)
    life.hear({"ActiveState": "deactivating", "SubState": "stop-sigterm", "Job": (7, "/j/7")}, NOW)
    life.hear({"ExecMainCode": 1, "ExecMainStatus": 0, "MainPID": 0}, NOW)
    life.hear({"ActiveState": "inactive", "SubState": "dead", "Job": (7, "/j/7")}, NOW)
    assert life.state is None
    assert not life.job_closed(7, "done", NOW)
    assert life.state is not None and life.state.down and life.state.stopped_by_request
    assert life.state.ending == ""


def test_a_stop_that_had_to_kill_is_still_a_stop_by_request():
    life = running()
    life.job_opened(7)
    life.hear({"Result": "timeout", "ExecMainCode": 2, "ExecMainStatus": 9}, NOW)
    life.hear({"ActiveState": "failed", "SubState": "failed", "Job": (7, "/j/7")}, NOW)
    assert not life.job_closed(7, "done", NOW)
    assert life.state is not None and life.state.stopped_by_request


def test_the_middle_of_a_restart_is_not_told():
    life = running()
    life.job_opened(8)
    life.hear({"ActiveState": "inactive", "SubState": "dead", "Job": (8, "/j/8")}, NOW)
    assert life.state is None
    life.hear({"ActiveState": "activating", "SubState": "start", "Job": (8, "/j/8")}, NOW)
    started(life)
    life.job_closed(8, "done", NOW)
    assert life.state is not None and life.state.running


def test_a_start_that_failed_is_a_failure_when_its_job_is_removed():
    life = running()
    killed(life)
    life.job_opened(9)
    life.hear({"ActiveState": "activating", "SubState": "start-pre", "Job": (9, "/j/9")}, NOW)
    life.hear({"Result": "exit-code", "ExecMainCode": 1, "ExecMainStatus": 1}, NOW)
    assert not life.hear({"ActiveState": "failed", "SubState": "failed", "Job": (9, "/j/9")}, NOW)
    assert life.job_closed(9, "failed", NOW)
    assert life.state is not None and life.state.down and not life.state.stopped_by_request
    assert len(life.failures.times) == 1


def test_somebody_starting_it_holds_back_that_it_is_down():
    life = running()
    killed(life)
    life.job_opened(9)
    life.hear({"InvocationID": b"\x01", "Job": (9, "/j/9")}, NOW)
    assert life.state is None


def test_each_restart_by_systemd_after_a_failure_counts_as_a_failure():
    life = running()
    for second in range(3):
        now = NOW + timedelta(seconds=second)
        life.hear({"Result": "signal", "ExecMainCode": 2, "ExecMainStatus": 11}, now)
        assert life.hear({"ActiveState": "activating", "SubState": "auto-restart", **NONE}, now)
        started(life, now)
    assert life.failed_within(timedelta(seconds=60), NOW + timedelta(seconds=2)) == 3
    assert life.state is not None and life.state.running


def test_a_kill_from_outside_is_no_failure_of_the_service_but_want_of_memory_is():
    life = running()
    assert not killed(life)
    started(life)
    life.hear({"Result": "oom-kill", "ExecMainCode": 2, "ExecMainStatus": 9}, NOW)
    assert life.hear({"ActiveState": "failed", "SubState": "failed", **NONE}, NOW)
    assert life.failures.times == (NOW,)


def test_failures_older_than_ten_minutes_are_forgotten_and_their_number_is_capped():
    life = running()
    for second in range(30):
        assert crashed(life, NOW + timedelta(seconds=second))
        started(life, NOW)
    assert len(life.failures.times) == 20
    crashed(life, NOW + timedelta(hours=1))
    assert life.failures.times == (NOW + timedelta(hours=1),)


@pytest.mark.parametrize(
    ("nature", "wanted"),
    [
        (Nature("forking", "enabled"), True),
        (Nature("notify", "static"), True),
        (Nature("notify", "static", bus_name="org.example"), False),
        (Nature("notify", "static", triggered_by=("x.socket",)), False),
        (Nature("notify", "enabled", triggered_by=("x.socket",)), True),
        (Nature("oneshot", "enabled"), False),
        (Nature("simple", "transient", transient=True), False),
    ],
)
def test_wanted_is_what_is_enabled_or_was_seen_running_and_is_meant_to_stay(nature: Nature, wanted: bool):
    life = running(nature)
    killed(life)
    assert life.state is not None and life.state.wanted is wanted


def test_a_plain_process_that_soon_ends_without_an_error_was_meant_to():
    life = running(Nature("simple", "enabled"))
    life.hear({"ExecMainCode": 1, "ExecMainStatus": 0}, NOW)
    ended = {"ActiveState": "inactive", "SubState": "dead", **NONE}
    life.hear({**ended, "ActiveEnterTimestampMonotonic": 1_000, "InactiveEnterTimestampMonotonic": 2_000_000}, NOW)
    assert life.state is not None and not life.state.wanted


def test_what_lay_stopped_before_we_looked_is_not_ours_to_start_but_what_had_failed_is():
    stopped = Life("a.service", DAEMON, {"ActiveState": "inactive", "Result": "success"}).state
    failed = Life("a.service", DAEMON, {"ActiveState": "failed", "Result": "exit-code"}).state
    assert stopped is not None and stopped.stopped_by_request
    assert failed is not None and failed.wanted and not failed.stopped_by_request


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1))
def test_a_unit_is_found_again_by_its_path(unit: str):
    assert unit_name(unit_path(unit)) == unit


def test_paths_are_escaped_as_systemd_does():
    assert unit_path("getty@tty1.service") == "/org/freedesktop/systemd1/unit/getty_40tty1_2eservice"
    assert unit_path("7days.service") == "/org/freedesktop/systemd1/unit/_37days_2eservice"
