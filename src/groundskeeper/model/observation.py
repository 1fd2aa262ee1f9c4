"""Facts about devices, seen at a time, and the latest of them together."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from groundskeeper.model.value import DeviceId, Unknown, Value


class Fact:
    """A typed statement about one thing on one device. Each kind lives beside its subsystem, as `class X(Fact, Value)`.

    `subject` names the thing ("nginx.service", "/var", "203.0.113.9"): a newer fact of the same kind and subject
    replaces the older. A thing that is gone is a fact that says so, never a missing one.
    """

    __slots__ = ()

    @property
    def subject(self) -> str:
        raise NotImplementedError

    @property
    def forgotten(self) -> bool:
        """True in the last word about a thing that came from outside, of which there is no end: an address that tried
        a password a day ago. The snapshot drops it, so that it does not grow for good; nothing live may rest on it.
        """
        return False


class UnknownFact(Unknown, Fact):
    """A fact of an unknown kind. No rule finds anything in it."""

    __slots__ = ()

    @property
    def subject(self) -> str:
        return self.kind


FactType = TypeVar("FactType", bound=Fact)


class Observation(Value):
    """A fact about a device, at the time when it was seen (not when it was heard of)."""

    device: DeviceId
    at: datetime
    fact: Fact

    @property
    def key(self) -> "Key":
        return Key(self.device, type(self.fact).__name__, self.fact.subject)


class Key(NamedTuple):
    """What a newer observation replaces: the same device, kind of fact and subject."""

    device: DeviceId
    kind: str
    subject: str


class Watching(Fact, Value):
    """Whether one kind of watching is possible here, and why not: `what` is the sensor's name in plain words."""

    what: str
    possible: bool
    reason: str

    @property
    def subject(self) -> str:
        return self.what


class Snapshot:
    """The latest observation of each thing. Always late, often incomplete: missing is not the same as fine."""

    def __init__(self, taken_at: datetime, observations: Iterable[Observation] = ()) -> None:
        self.taken_at = taken_at
        self._kinds: dict[str, dict[Key, Observation]] = {}
        for seen in observations:
            self.put(seen)

    def put(self, seen: Observation) -> bool:
        """Keep it if it is newer than what is known of the same thing; whether it was. Only the engine calls this."""
        known = self._kinds.setdefault(type(seen.fact).__name__, {})
        before = known.get(seen.key)
        if before is not None and before.at >= seen.at:
            return False
        if seen.fact.forgotten:
            known.pop(seen.key, None)
        else:
            known[seen.key] = seen
        return True

    def set_back(self, now: datetime) -> None:
        """The clock was set back: what seems to be seen from `now` on was seen before. Only the engine calls this."""
        before = now - timedelta(microseconds=1)
        for known in self._kinds.values():
            for key, seen in known.items():
                if seen.at > before:
                    known[key] = Observation(device=seen.device, at=before, fact=seen.fact)

    def at(self, key: "Key") -> datetime | None:
        """When the latest observation of this thing was made."""
        seen = self._kinds.get(key.kind, {}).get(key)
        return seen.at if seen else None

    def of(self, kind: type[FactType]) -> Iterator[tuple[Observation, FactType]]:
        """Every observation whose fact is of this kind, with the fact."""
        for seen in self._kinds.get(kind.__name__, {}).values():
            if isinstance(seen.fact, kind):
                yield seen, seen.fact

    def get(self, kind: type[FactType], subject: str, device: DeviceId) -> FactType | None:
        """The latest fact of this kind about this subject, or None where none was seen."""
        seen = self._kinds.get(kind.__name__, {}).get(Key(device, kind.__name__, subject))
        return seen.fact if seen and isinstance(seen.fact, kind) else None

    def has(self, key: Key) -> bool:
        return key in self._kinds.get(key.kind, {})

    def __iter__(self) -> Iterator[Observation]:
        for known in self._kinds.values():
            yield from known.values()
