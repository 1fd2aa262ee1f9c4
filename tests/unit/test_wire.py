from datetime import UTC, datetime

from groundskeeper import wire
from groundskeeper.model import DeviceId, Finding, Observation, Severity, UnknownFact, Watching

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_value_inside_values_comes_back_as_it_was():
    seen = Observation(device=DeviceId("web-1"), at=AT, fact=Watching(what="services", possible=True, reason="D-Bus"))
    found = Finding(rule="r", device=seen.device, subject="s", severity=Severity.CRITICAL, reason="x", evidence=(seen,))
    assert wire.decode(wire.encode(found), Finding) == found


def test_a_kind_from_the_future_is_kept_byte_for_byte():
    seen = Observation(device=DeviceId("web-1"), at=AT, fact=Watching(what="services", possible=True, reason="D-Bus"))
    later = wire.encode(seen).replace(b"Watching", b"Prophecy")
    known = wire.decode(later, Observation)
    assert isinstance(known.fact, UnknownFact)
    assert wire.encode(known) == later
