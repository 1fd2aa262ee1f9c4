"""What every type of the model is made of."""

from enum import Enum
from typing import Any, NewType, dataclass_transform

import msgspec
from msgspec import Struct, StructMeta

DeviceId = NewType("DeviceId", str)
IncidentId = NewType("IncidentId", str)
ChangeId = NewType("ChangeId", str)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class FrozenMeta(StructMeta):
    """Makes every subclass frozen and keyword-only; msgspec itself hands on neither to the fields of a subclass."""

    def __new__(mcls, name: str, bases: tuple[type, ...], space: dict[str, Any], **config: Any) -> "FrozenMeta":
        return super().__new__(mcls, name, bases, space, **{"frozen": True, "kw_only": True, "tag": True, **config})


class Value(Struct, metaclass=FrozenMeta):
    """A frozen value. The declaration is the type, the wire format and the stored form; the tag is the class's name."""


class Unknown:
    """A value of a kind that this version does not know, kept as it came so that nothing is lost on the way through."""

    __slots__ = ("raw",)

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    @property
    def kind(self) -> str:
        return str(self.raw.get("type", "?"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.kind)


class Ranked(Enum):
    """An enum whose members are ordered as they are written, lowest first."""

    @property
    def rank(self) -> int:
        return list(type(self)).index(self)

    def __lt__(self, other: "Ranked") -> bool:
        return self.rank < other.rank

    def __le__(self, other: "Ranked") -> bool:
        return self.rank <= other.rank
