"""Whether the clock is kept right: the kernel's words, the services, the moments. Nobody's clock is set here."""

import os
import select
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundskeeper.subsystems.timekeeping.kernel import Discipline, arm, discipline, set_alarm, told_by, was_set
from groundskeeper.subsystems.timekeeping.sensor import Keeping
from groundskeeper.subsystems.timekeeping.services import installed_service, owner_of_the_clock

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEPT = Discipline(True, timedelta(microseconds=120), timedelta(milliseconds=3))
LEFT = Discipline(False, timedelta(), timedelta(seconds=16))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "offset", "synchronised", "microseconds"),
    [(0x2001, 1_500_000, True, 1500), (0x0001, -250, True, -250), (0x2041, 0, False, 0), (0x0040, 7, False, 7)],
)
def test_the_kernels_status_bits_are_read_as_adjtimex_has_them(
    status: int, offset: int, synchronised: bool, microseconds: int
) -> None:
    told = told_by(status, offset, 16_000_000)
    assert told == Discipline(synchronised, timedelta(microseconds=microseconds), timedelta(seconds=16))


def test_this_kernel_tells_of_its_clock_without_being_changed() -> None:
    first, second = discipline(), discipline()
    assert first.synchronised is second.synchronised
    assert timedelta() <= first.bound <= timedelta(seconds=17)


def test_the_alarm_is_silent_while_nobody_sets_the_clock() -> None:
    alarm = set_alarm()
    try:
        arm(alarm)
        assert select.select([alarm], [], [], 0.05) == ([], [], [])
        assert not was_set(alarm)
    finally:
        os.close(alarm)


def test_only_a_change_is_told() -> None:
    keeping = Keeping()
    first = keeping.take(KEPT, NOW, 100.0)
    assert first and first.synchronised and first.error_estimate == timedelta(milliseconds=3)
    assert keeping.take(KEPT._replace(offset=timedelta(microseconds=90)), NOW + 10 * SECOND, 110.0) is None
    left = keeping.take(LEFT, NOW + 20 * SECOND, 120.0)
    assert left and not left.synchronised and left.since == NOW + 20 * SECOND and left.error_estimate is None


def test_a_clock_that_is_set_is_told_and_moments_follow_the_new_clock() -> None:
    keeping = Keeping()
    keeping.take(LEFT, NOW, 100.0)
    hour = timedelta(hours=1)
    jumped = keeping.take(LEFT, NOW + hour + 10 * SECOND, 110.0)
    assert jumped and jumped.last_jump == hour
    assert jumped.jumped_at == NOW + hour + 10 * SECOND
    assert jumped.since == NOW + hour, "it has been so for ten seconds, not for an hour and ten seconds"


def test_slewing_is_no_jump() -> None:
    keeping = Keeping()
    keeping.take(KEPT, NOW, 100.0)
    assert keeping.take(KEPT, NOW + 10 * SECOND + timedelta(milliseconds=5), 110.0) is None


def test_a_service_that_was_installed_meanwhile_is_told() -> None:
    keeping = Keeping()
    keeping.belongs(None, None)
    keeping.take(LEFT, NOW, 100.0)
    keeping.belongs("chrony.service", None)
    fact = keeping.take(LEFT, NOW + 10 * SECOND, 110.0)
    assert fact and fact.service == "chrony.service" and fact.since == NOW


def unit(root: Path, name: str, *, enabled: bool = False) -> None:
    file = root / "lib/systemd/system" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    if enabled:
        wants = root / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        (wants / name).touch()


def test_the_enabled_time_service_is_the_one_that_should_keep_the_clock(tmp_path: Path) -> None:
    assert installed_service(tmp_path) is None
    unit(tmp_path, "systemd-timesyncd.service")
    assert installed_service(tmp_path) == "systemd-timesyncd.service"
    unit(tmp_path, "ntpsec.service")
    assert installed_service(tmp_path) == "ntpsec.service"
    unit(tmp_path, "systemd-timesyncd.service", enabled=True)
    assert installed_service(tmp_path) == "systemd-timesyncd.service"


def test_a_containers_clock_belongs_to_its_host(tmp_path: Path) -> None:
    assert owner_of_the_clock(tmp_path) is None
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/environ").write_bytes(b"PATH=/bin\0container=lxc\0TERM=linux")
    assert owner_of_the_clock(tmp_path) == "the host of this lxc container"
    (tmp_path / "proc/1/environ").unlink()
    (tmp_path / "proc/1/status").write_text("Name:\tinit\nCapBnd:\t000001fffeffffff\n")
    assert owner_of_the_clock(tmp_path) is None
    (tmp_path / "proc/1/status").write_text("Name:\tsh\nCapBnd:\t00000000a80425fb\n")
    assert owner_of_the_clock(tmp_path) == "the host of this container"
    (tmp_path / "run/systemd").mkdir(parents=True)
    (tmp_path / "run/systemd/container").write_text("systemd-nspawn\n")
    assert owner_of_the_clock(tmp_path) == "the host of this systemd-nspawn container"
