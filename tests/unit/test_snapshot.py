"""The latest of each thing, and no more."""

from datetime import UTC, datetime, timedelta

from groundskeeper.model import DeviceId, Observation, Snapshot
from groundskeeper.subsystems.logs.types import AuthFailures

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def seen(after: int, source: str, *, forgotten: bool = False) -> Observation:
    fact = AuthFailures(source=source, times=(), forgotten=forgotten)
    return Observation(device=DeviceId("web-1"), at=NOW + timedelta(seconds=after), fact=fact)


def test_a_last_word_takes_the_thing_out_and_a_new_one_brings_it_back():
    snapshot = Snapshot(NOW, [seen(0, "203.0.113.1"), seen(0, "203.0.113.2")])
    assert snapshot.put(seen(1, "203.0.113.1", forgotten=True))
    assert [fact.source for _, fact in snapshot.of(AuthFailures)] == ["203.0.113.2"]
    assert snapshot.put(seen(2, "203.0.113.1"))
    assert not snapshot.put(seen(1, "203.0.113.1", forgotten=True)), "it came late"
    assert len(list(snapshot.of(AuthFailures))) == 2
