"""As much of DNS as it takes to know whether a server answers (RFC 1035 section 4.1). Bytes in, values out."""

import struct
from enum import IntEnum

_HEADER = struct.Struct(">HHHHHH")
_RESPONSE, _RECURSION_WANTED = 0x8000, 0x0100
NAME_SERVERS, _INTERNET = 2, 1
PORT = 53


class Answer(IntEnum):
    """How good an answer is."""

    NONE = 0
    """Nothing came back, or nothing that answers the question."""
    ALIVE = 1
    """It answered that it cannot, or will not, resolve this."""
    RESOLVED = 2
    """It answered the question: with records, or that there are none."""


_CODES = {0: "it answers", 1: "it does not understand the question", 2: "it answers that it cannot resolve names"}
_CODES |= {3: "it answers", 4: "it does not serve this", 5: "it refuses to serve this machine"}
_RESOLVED = (0, 3)


def question(number: int, name: str = ".", kind: int = NAME_SERVERS) -> bytes:
    """A question that asks for recursion. `number` ties the answer to it. Raises ValueError for an impossible name."""
    labels = [label.encode("idna") for label in name.rstrip(".").split(".") if label]
    if any(len(label) > 63 for label in labels) or sum(len(label) + 1 for label in labels) > 254:
        raise ValueError(f"{name} is no name that DNS can carry")
    packed = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return _HEADER.pack(number, _RECURSION_WANTED, 1, 0, 0, 0) + packed + struct.pack(">HH", kind, _INTERNET)


def answer(data: bytes, asked: bytes) -> tuple[Answer, str]:
    """What came back to `asked`, and that in words. An answer to another question is none."""
    if len(data) < _HEADER.size or data[:2] != asked[:2]:
        return Answer.NONE, "what it sent is no answer"
    flags, questions = _HEADER.unpack_from(data)[1:3]
    if not flags & _RESPONSE:
        return Answer.NONE, "what it sent is no answer"
    code = flags & 0xF
    echoed = data[_HEADER.size :][: len(asked) - _HEADER.size].lower() == asked[_HEADER.size :].lower()
    if not echoed and (code in _RESOLVED or questions):
        return Answer.NONE, "it answered another question"
    how = _CODES.get(code, f"it answers with error {code}")
    return (Answer.RESOLVED if code in _RESOLVED else Answer.ALIVE), how
