"""Windows are local wall time: across midnight, and across the nights on which the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundskeeper.model import Window
from groundskeeper.reasoning.policy import open_until

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Window(name="night", start=time(22), end=time(6), timezone="Europe/Berlin")
SMALL_HOURS = Window(name="small hours", start=time(2, 15), end=time(2, 45), timezone="Europe/Berlin")
WEEKEND = Window(name="weekend", start=time(20), end=time(2), days=frozenset({5}), timezone="Europe/Berlin")
ALL_DAY = Window(name="all day", start=time(0), end=time(0), days=frozenset({7}), timezone="Europe/Berlin")

# The clocks go forward on 2026-03-29 and back on 2026-10-25, both at 01:00 UTC.
OPEN = [
    (NIGHT, "2026-03-02T21:00Z", "2026-03-03T05:00Z", "it opens at 22:00 in winter"),
    (NIGHT, "2026-03-02T20:59Z", None, "and not before"),
    (NIGHT, "2026-07-02T20:00Z", "2026-07-03T04:00Z", "in summer that is an hour earlier by UTC"),
    (NIGHT, "2026-03-03T04:59Z", "2026-03-03T05:00Z", "past midnight it is yesterday's window"),
    (NIGHT, "2026-03-03T05:00Z", None, "its end is outside"),
    (NIGHT, "2026-03-29T00:30Z", "2026-03-29T04:00Z", "the night of the spring change is an hour shorter"),
    (NIGHT, "2026-10-25T00:30Z", "2026-10-25T05:00Z", "the night of the autumn change is an hour longer"),
    (WEEKEND, "2026-03-06T19:00Z", "2026-03-07T01:00Z", "Friday's window"),
    (WEEKEND, "2026-03-07T00:59Z", "2026-03-07T01:00Z", "goes on into Saturday"),
    (WEEKEND, "2026-03-06T00:30Z", None, "and Thursday's night is none"),
    (WEEKEND, "2026-03-07T20:00Z", None, "nor is Saturday evening"),
    (ALL_DAY, "2026-03-08T12:00Z", "2026-03-08T23:00Z", "from midnight to midnight is the whole day"),
    (ALL_DAY, "2026-03-09T00:00Z", None, "and no more"),
    (SMALL_HOURS, "2026-10-25T00:20Z", "2026-10-25T01:45Z", "in an hour that comes twice it is open the first time"),
    (SMALL_HOURS, "2026-10-25T01:20Z", "2026-10-25T01:45Z", "and the second time"),
    (SMALL_HOURS, "2026-10-25T01:45Z", None, "until the second end"),
]


@pytest.mark.parametrize(("window", "now", "until", "because"), OPEN, ids=[row[3] for row in OPEN])
def test_case(window: Window, now: str, until: str | None, because: str) -> None:
    wanted = datetime.fromisoformat(until) if until else None
    assert open_until(window, datetime.fromisoformat(now)) == wanted


CHANGES = {  # when the clocks change there
    "Europe/Berlin": ["2026-03-29T01:00Z", "2026-10-25T01:00Z"],
    "America/St_Johns": ["2026-03-08T05:30Z", "2026-11-01T04:30Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00Z", "2026-10-03T15:30Z"],
}
DAYS = st.just(frozenset(range(1, 8))) | st.frozensets(st.integers(1, 7), min_size=1)


@st.composite
def nights(draw: st.DrawFn) -> tuple[Window, datetime]:
    """A window and a moment, both within an hour or so of a change of the clocks."""
    zone, changes = draw(st.sampled_from(sorted(CHANGES.items())))
    change = datetime.fromisoformat(draw(st.sampled_from(changes)))
    near = st.integers(-5, 5).map(lambda quarters: change + timedelta(minutes=15 * quarters))
    start, end = (draw(near).astimezone(ZoneInfo(zone)).time() for _ in range(2))
    window = Window(name="any", start=start, end=end, days=draw(DAYS), timezone=zone)
    return window, draw(near) + timedelta(minutes=draw(st.integers(0, 14)))


MINUTES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"])
WINDOWS = st.builds(Window, name=st.just("any"), start=MINUTES, end=MINUTES, days=DAYS, timezone=ZONES)
TIMES = st.integers(0, 364 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
MOMENTS = nights() | st.tuples(WINDOWS, TIMES)


@settings(max_examples=400)
@given(MOMENTS)
def test_while_the_clock_on_the_wall_reads_a_time_inside_the_window_is_open(moment: tuple[Window, datetime]) -> None:
    """However often the wall reads it that day. That it is open longer on such nights is the safe side."""
    window, now = moment
    local = now.astimezone(ZoneInfo(window.timezone))
    at, today, yesterday = local.time(), local.isoweekday(), (local - timedelta(days=1)).isoweekday()
    overnight = window.start >= window.end
    inside = today in window.days and window.start <= at and (overnight or at < window.end)
    inside = inside or (overnight and yesterday in window.days and at < window.end)
    if inside:
        until = open_until(window, now)
        assert until is not None
        assert now < until <= now + timedelta(hours=26)


@given(MOMENTS)
def test_it_closes_when_it_says(moment: tuple[Window, datetime]) -> None:
    window, now = moment
    until = open_until(window, now)
    if until is not None:
        again = open_until(window, until)
        assert again is None or again > until  # the next day's may follow at once
        assert open_until(window, until - timedelta(microseconds=1)) == until
