"""What crosses a wire or a disk. A kind that this version does not know is kept, not dropped."""

from typing import Any, TypeVar

import msgspec

from groundskeeper.model import (
    Action,
    Corrupt,
    Fact,
    Probe,
    Unknown,
    UnknownAction,
    UnknownFact,
    UnknownProbe,
)
from groundskeeper.subsystems import KINDS

T = TypeVar("T")

_BY_NAME: dict[str, type] = {kind.__name__: kind for kind in KINDS}
_UNKNOWN: dict[type, type] = {Fact: UnknownFact, Action: UnknownAction, Probe: UnknownProbe}


def _decode_kind(root: type, raw: Any) -> Any:
    if root not in _UNKNOWN:
        raise NotImplementedError(f"{root.__name__} is not a kind that crosses a wire")
    kind = _BY_NAME.get(raw.get("type", "")) if isinstance(raw, dict) else None
    if kind is None or not issubclass(kind, root):
        return _UNKNOWN[root](raw)
    return msgspec.convert(raw, kind, dec_hook=_decode_kind)


def _encode_unknown(value: Any) -> Any:
    if isinstance(value, Unknown):
        return value.raw
    raise NotImplementedError(f"{type(value).__name__} does not cross a wire")


_encoder = msgspec.json.Encoder(enc_hook=_encode_unknown)
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def encode(value: Any) -> bytes:
    """JSON bytes of any value of the model, its tag included."""
    return _encoder.encode(value)


def decode(raw: bytes | str, kind: type[T]) -> T:
    """The value that `encode` made. Raises Corrupt where the bytes are not one of these."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind, dec_hook=_decode_kind)
    try:
        return decoder.decode(raw)  # type: ignore[no-any-return]
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Corrupt(f"not a {getattr(kind, '__name__', kind)}: {problem}") from problem


def plain(value: Any) -> Any:
    """The value as dicts, lists, strings and numbers, for `--json`."""
    return msgspec.json.decode(encode(value))


def from_plain(raw: Any, kind: type[T]) -> T:
    """The value that `plain` made. Raises Corrupt where it is not one of these."""
    try:
        return msgspec.convert(raw, kind, dec_hook=_decode_kind)
    except msgspec.ValidationError as problem:
        raise Corrupt(f"not a {getattr(kind, '__name__', kind)}: {problem}") from problem
