"""What the client felt:

reading the chair's samples, and turning them into time without service. Pure but for the reading.
"""

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path

import msgspec

RECORD = struct.Struct("<QIBB2x")  # begun (monotonic ns), took (µs), service, answered properly


class Service(IntEnum):
    """What a client uses."""

    NAME = 1
    WEB = 2
    UPLOAD = 3
    DB = 4
    SSH = 5
    WITNESS = 6  # not the client: whoever was asked whether a harm that no client feels has ended


class Sample(msgspec.Struct, frozen=True):
    """One use of a service:

    when it was begun (monotonic nanoseconds), how long it took, whether it was answered properly.
    """

    begun: int
    took_us: int
    service: Service
    well: bool


class Span(msgspec.Struct, frozen=True):
    """A stretch of time in monotonic nanoseconds."""

    begin: int
    end: int


def unwell(samples: Iterable[Sample], begin: int, end: int) -> dict[Service, tuple[Span, ...]]:
    """Per service, when it did not answer:

    from the first use that failed to the next that did not, between the two times.
    """
    spans: dict[Service, list[Span]] = {}
    failing: dict[Service, int] = {}
    for sample in sorted(samples, key=lambda sample: sample.begun):
        if not begin <= sample.begun < end:
            continue
        if not sample.well:
            failing.setdefault(sample.service, sample.begun)
        elif since := failing.pop(sample.service, 0):
            spans.setdefault(sample.service, []).append(Span(since, sample.begun))
    for service, since in failing.items():
        spans.setdefault(service, []).append(Span(since, end))
    return {service: tuple(found) for service, found in spans.items()}


def total(spans: Iterable[Span]) -> int:
    """The time in nanoseconds covered by at least one of the spans."""
    covered, until = 0, 0
    for span in sorted(spans, key=lambda span: span.begin):
        covered += max(0, span.end - max(span.begin, until))
        until = max(until, span.end)
    return covered


def impact_ms(samples: Iterable[Sample], begin: int, end: int) -> float:
    """Milliseconds in which at least one service that the client uses was not answering."""
    return total(span for spans in unwell(samples, begin, end).values() for span in spans) / 1e6


def is_well(samples: Sequence[Sample], services: Iterable[Service], since: int, now: int) -> bool:
    """Whether every service answered each time from `since` to `now`, and was used at least once in that time."""
    recent = [sample for sample in samples if since <= sample.begun < now]
    used = {sample.service for sample in recent}
    return all(sample.well for sample in recent) and used >= set(services)


class Samples:
    """The chair's file from where it ends now: `new` returns what was written since it was last asked."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._file.seek(0, 2)
        self._file.seek(self._file.tell() // RECORD.size * RECORD.size)
        self._rest = b""

    def new(self) -> list[Sample]:
        """Samples in the order in which they were finished."""
        data = self._rest + self._file.read()
        whole = len(data) // RECORD.size * RECORD.size
        self._rest = data[whole:]
        fields = RECORD.iter_unpack(data[:whole])
        return [Sample(begun, took, Service(service), bool(well)) for begun, took, service, well in fields]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
