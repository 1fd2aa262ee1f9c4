"""Whom this machine believes: public keys in its owner's settings folder. And which policy it has seen last."""

import base64
import binascii
import os
import stat
from pathlib import Path

import msgspec

from groundskeeper.agent.home import Home
from groundskeeper.lib import atomic
from groundskeeper.model import Corrupt, Invalid, Refused, Value

OWN = "this-machine.pub"
KEY_SIZE = 32


class Last(Value, tag=False):
    """The highest version of a policy that was ever in force here, and the digest of that document."""

    version: int
    digest: str


def read_guarded(path: Path) -> bytes:
    """The contents of a file that only its owner and root can have written.

    Raises FileNotFoundError where there is none, Refused where somebody else could have written (or removed) it.
    """
    folder = path.parent.stat()
    if not folder.st_mode & stat.S_ISVTX:  # where it is set, as in /tmp, others cannot touch what is not theirs
        _only_ours(path.parent, folder)
    with path.open("rb") as file:
        _only_ours(path, os.fstat(file.fileno()))
        return file.read()


def _only_ours(path: Path, state: os.stat_result) -> None:
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Refused(f"{path} can be written by others, so it is not believed: `chmod go-w {path}`")
    if state.st_uid not in (0, os.geteuid()):
        raise Refused(f"{path} belongs to somebody else, so it is not believed: `chown root {path}`")


def trusted_keys(home: Home) -> set[bytes]:
    """The public keys, each once, however many files hold it. Raises Refused or Invalid for a file that is wrong."""
    found = sorted(home.trusted.glob("*.pub")) if home.trusted.is_dir() else []
    return {_key(read_guarded(path), path) for path in found}


def _key(text: bytes, path: Path) -> bytes:
    words = text.split()
    try:
        key = base64.b64decode(words[0], validate=True) if words else b""
    except binascii.Error:
        key = b""
    if len(key) != KEY_SIZE:
        raise Invalid(f"{path} holds no public key: one line of {KEY_SIZE} bytes in base64, then what you like")
    return key


def trust_own(home: Home, key: bytes) -> None:
    """Believe this machine's own signing key."""
    home.trusted.mkdir(mode=0o755, parents=True, exist_ok=True)
    text = f"{base64.b64encode(key).decode()} this machine's own key, made by Groundskeeper\n"
    atomic.write(home.trusted / OWN, text.encode(), 0o644)


def last_seen(home: Home) -> Last:
    """Version 0 where no policy was ever in force. Raises Corrupt where what was kept is damaged."""
    try:
        return msgspec.json.decode(home.policy_seen.read_bytes(), type=Last)
    except FileNotFoundError:
        return Last(version=0, digest="")
    except msgspec.DecodeError as problem:
        raise Corrupt(f"{home.policy_seen} is damaged: sign the policy anew (`groundskeeper policy sign`)") from problem


def remember(home: Home, last: Last) -> None:
    """Durable."""
    atomic.write(home.policy_seen, msgspec.json.encode(last))
