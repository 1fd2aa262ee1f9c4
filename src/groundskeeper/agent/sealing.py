"""Signs a document, and tells whether it is signed as it should be: DSSE v1 envelopes, Ed25519.

DSSE is secure-systems-lab's Dead Simple Signing Envelope v1.0.2. This runs as a process of its own (`agent/notary.py`
starts it) and is gone after some 50 ms: the library that does the arithmetic would cost the resident agent 7 MB.
"""

import base64
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ANSWERED = 0
NOT_SO = 3
"""The document is not what it should be; standard error says why. Any other exit code is an accident."""
URL_SAFE = str.maketrans("-_", "+/")


class NotSo(Exception):
    pass


def pae(kind: str, payload: bytes) -> bytes:
    """What is signed (DSSE's pre-authentication encoding): lengths and all, so that no two documents read alike."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def seal(kind: str, payload: bytes, keys: Iterable[Ed25519PrivateKey]) -> bytes:
    """The payload in an envelope, signed with every key. `kind` is its media type."""
    signatures = [{"keyid": name_of(public(key)), "sig": _text(key.sign(pae(kind, payload)))} for key in keys]
    return json.dumps({"payloadType": kind, "payload": _text(payload), "signatures": signatures}).encode()


def unseal(kind: str, envelope: bytes, trusted: Iterable[bytes], threshold: int = 1) -> bytes:
    """The payload, if at least `threshold` different trusted keys (raw, 32 bytes each) have signed it.

    What is counted is keys, not signatures and not key ids: one key that is listed twice would else pass for two.
    Raises NotSo, with the reason.
    """
    told, payload, signatures = _opened(envelope)
    if told != kind:
        raise NotSo(f"it is a document of another kind ({told})")
    message = pae(kind, payload)
    signers = {key for key in set(trusted) if any(_signed(message, signature, key) for signature in signatures)}
    if len(signers) >= max(threshold, 1):
        return payload
    if threshold > 1:
        raise NotSo(f"it is signed by {len(signers)} of the trusted keys, and {threshold} are wanted")
    raise NotSo("its signature is not that of a trusted key: it was changed, or somebody else signed it")


def _opened(envelope: bytes) -> tuple[str, bytes, list[bytes]]:
    try:
        raw = json.loads(envelope)
        return str(raw["payloadType"]), _bytes(raw["payload"]), [_bytes(one["sig"]) for one in raw["signatures"]]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise NotSo("it is not a signed document") from problem


def _signed(message: bytes, signature: bytes, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def name_of(key: bytes) -> str:
    """The key's name in an envelope: a hint for people, which nothing relies on."""
    return base64.b32encode(key).decode().lower()[:12]


def kept_key(path: Path) -> Ed25519PrivateKey:
    """The private key in the file; made, for its owner's eyes only, where there is none. Raises NotSo if damaged."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return _new_key(path)
    with os.fdopen(fd, "rb") as file:
        if os.fstat(fd).st_mode & 0o077:
            raise NotSo(f"others can read the signing key {path}: `chmod 600 {path}`, and sign anew if they did")
        raw = file.read()
    if len(raw) != 32:
        raise NotSo(f"the signing key {path} is damaged: remove it, and a new one is made")
    return Ed25519PrivateKey.from_private_bytes(raw)


def _new_key(path: Path) -> Ed25519PrivateKey:
    """Whole or not at all: the name appears once the contents are on the disk. Of two makers the first wins."""
    key = Ed25519PrivateKey.generate()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(key.private_bytes_raw())
            file.flush()
            os.fsync(fd)
        os.link(beside, path)
    except FileExistsError:
        return kept_key(path)
    finally:
        beside.unlink()
    return key


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.translate(URL_SAFE), validate=True)


def answer(asked: Mapping[str, Any], given: bytes) -> bytes:
    """What was asked for: unseal (kind, trusted, threshold), seal (kind, key), or the public half of a key (key)."""
    match asked["do"]:
        case "unseal":
            return unseal(asked["kind"], given, map(_bytes, asked["trusted"]), asked["threshold"])
        case "seal":
            return seal(asked["kind"], given, [kept_key(Path(asked["key"]))])
        case _:
            return public(kept_key(Path(asked["key"])))


def main(words: list[str]) -> int:
    """The exit code. The question is JSON in the first word; the document comes in and the answer goes out as bytes."""
    try:
        answered = answer(json.loads(words[0]), sys.stdin.buffer.read())
    except NotSo as problem:
        sys.stderr.write(str(problem))
        return NOT_SO
    sys.stdout.buffer.write(answered)
    sys.stdout.buffer.flush()
    return ANSWERED
