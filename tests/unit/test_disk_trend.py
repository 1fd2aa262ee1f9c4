"""How fast a disk fills, and which change is news."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.disk.mounts import Mount
from groundskeeper.subsystems.disk.tracking import QUICKEST, SLOWEST, STEADY, Reading, Track
from groundskeeper.subsystems.disk.trend import Sample, Trend, is_low, is_news, trend
from groundskeeper.subsystems.disk.types import Filesystem

GB, MB = 10**9, 10**6


def steady(pace: float, *, seconds: int = 80, every: int = 4, start: int = 10 * GB) -> list[Sample]:
    return [Sample(float(at), int(start - pace * at)) for at in range(0, seconds + 1, every)]


def disk(**fields: object) -> Filesystem:
    return Filesystem(**{"mount": "/", "source": "d", "kind": "ext4", "size": 100 * GB, "available": 50 * GB} | fields)  # type: ignore[arg-type]


def test_steady_growth_is_forecast_to_the_second() -> None:
    found = trend(steady(10 * MB))
    assert found.growth == 10 * MB
    assert found.full_in == timedelta(seconds=(10 * GB - 800 * MB) / (10 * MB))


def test_half_a_minute_of_growth_is_no_evidence() -> None:
    assert trend(steady(100 * MB, seconds=28)) == Trend()


def test_a_file_that_was_copied_is_no_trend() -> None:
    copied = [Sample(at, 10 * GB if at < 20 else 8 * GB) for at in map(float, range(0, 84, 4))]
    assert trend(copied).full_in is None


def test_growth_that_has_ended_is_not_forecast() -> None:
    grew = steady(50 * MB, seconds=40)
    assert trend([*grew, *(Sample(grew[-1].at + 4 * n, grew[-1].available) for n in range(1, 12))]).full_in is None


def test_one_burst_does_not_sway_the_pace() -> None:
    samples = steady(MB)
    samples[7] = Sample(samples[7].at, samples[7].available - 3 * GB)
    assert abs(trend(samples).growth - MB) < 0.2 * MB


@given(st.lists(st.tuples(st.floats(0.1, 30), st.integers(0, 10**13)), max_size=30))
def test_whatever_the_samples_a_forecast_is_positive_and_within_its_horizon(steps: list[tuple[float, int]]) -> None:
    at, samples = 0.0, []
    for step, available in steps:
        samples.append(Sample(at := at + step, available))
    found = trend(samples)
    assert found.growth >= 0
    assert found.full_in is None or timedelta() <= found.full_in <= timedelta(days=1)


def test_one_percent_of_a_roomy_disk_is_news_and_less_is_not() -> None:
    assert not is_news(disk(), disk(available=50 * GB - 900 * MB))
    assert is_news(disk(), disk(available=49 * GB))


def test_a_disk_that_is_short_is_told_in_finer_steps() -> None:
    assert is_low(disk(available=4 * GB))
    assert is_news(disk(available=4 * GB), disk(available=4 * GB - 90 * MB))


def test_a_nearer_end_is_news_and_so_is_a_disk_that_stops_writing() -> None:
    assert is_news(disk(full_in=timedelta(minutes=30)), disk(full_in=timedelta(minutes=9)))
    assert not is_news(disk(full_in=timedelta(minutes=9)), disk(full_in=timedelta(minutes=8)))
    assert is_news(disk(), disk(read_only=True))


MOUNT = Mount("254:1", "/", "/var", "ext4", "/dev/vda2", False)


def reading(available: int, *, size: int = 200 * MB, read_only: bool = False) -> Reading:
    return Reading(size, available, 0, 0, read_only)


def test_the_first_look_is_told_and_the_same_again_is_not() -> None:
    track = Track(MOUNT, meant_writable=False)
    assert track.take(reading(90 * MB), 0.0, str) is not None
    assert [track.take(reading(90 * MB), float(at), str) for at in range(1, 90)] == [None] * 89


def test_it_is_looked_at_the_quicker_the_sooner_it_could_be_full() -> None:
    roomy, small = Track(MOUNT, True), Track(MOUNT, True)
    roomy.take(reading(80 * GB, size=100 * GB), 0.0, str)
    small.take(reading(90 * MB), 0.0, str)
    assert (roomy.pace(10.0), small.pace(10.0)) == (SLOWEST, STEADY)
    small.take(reading(9 * MB), 10.3, str)
    assert small.pace(10.3) == QUICKEST
    assert small.pace(30.0) == STEADY


def test_why_it_stopped_writing_is_asked_once_and_only_where_it_should_be_writable() -> None:
    asked: list[str] = []

    def why() -> str:
        asked.append("why")
        return "I/O error"

    track = Track(MOUNT, meant_writable=False)
    track.take(reading(90 * MB), 0.0, why)
    stopped = track.take(reading(90 * MB, read_only=True), 1.0, why)
    again = track.take(reading(80 * MB, read_only=True), 2.0, why)
    assert stopped and again and (stopped.kernel_says, again.kernel_says, asked) == ("I/O error", "I/O error", ["why"])
    other = Track(MOUNT, meant_writable=False).take(reading(90 * MB, read_only=True), 0.0, why)
    assert other and not other.meant_writable and len(asked) == 1


def test_a_server_that_does_not_answer_is_told_once_and_told_again_when_it_does() -> None:
    track = Track(MOUNT, True)
    first, silent = track.take(reading(90 * MB), 0.0, str), track.silent()
    assert first and silent and not silent.answers and silent.available == 90 * MB
    assert track.silent() is None
    back = track.take(reading(90 * MB), 60.0, str)
    assert back and back.answers
    gone = track.gone()
    assert gone and not gone.mounted


def test_a_track_that_is_followed_for_minutes_forecasts_too() -> None:
    track = Track(MOUNT, meant_writable=True)
    for sample in steady(10 * MB, seconds=200):
        track.take(Reading(100 * GB, sample.available, 0, 0, False), sample.at, lambda: "")
    assert track.told is not None
    assert track.told.growth == 10 * MB
