"""Has documents signed and checked by a short-lived process of our own kind, so that this one stays small."""

import asyncio
import base64
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from groundskeeper.model import Refused, Unavailable

POLICY = "application/vnd.groundskeeper.policy+json"
WITHIN = 10.0
NOT_SO = 3
# -I and -S: nothing of the caller's folder, environment or start-up files reaches it; only the places that this
# process itself was loaded from.
START = "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); import groundskeeper.agent.sealing as it; "
START += "sys.exit(it.main(sys.argv[1:]))"


async def unseal(envelope: bytes, trusted: Iterable[bytes], threshold: int = 1) -> bytes:
    """The policy in the envelope. Raises Refused, saying why, where too few different trusted keys signed it."""
    keys = [base64.b64encode(key).decode() for key in trusted]
    return await _ask(envelope, do="unseal", kind=POLICY, trusted=keys, threshold=threshold)


async def seal(payload: bytes, key: Path) -> bytes:
    """The policy in an envelope, signed with the key in the file, which is made where there is none."""
    return await _ask(payload, do="seal", kind=POLICY, key=str(key))


async def public_key(key: Path) -> bytes:
    """The public half (32 bytes) of the key in the file, which is made where there is none."""
    return await _ask(b"", do="public", key=str(key))


async def _ask(given: bytes, **asked: object) -> bytes:
    """Raises Refused for a no, Unavailable where there was no answer: a crash must never look like either answer."""
    words = (sys.executable, "-I", "-S", "-c", START, _text([at for at in sys.path if at]), _text(asked))
    pipe = asyncio.subprocess.PIPE
    try:
        child = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as problem:
        raise Unavailable(f"signatures cannot be checked now: {problem}") from problem
    try:
        answer, said = await asyncio.wait_for(child.communicate(given), WITHIN)
    except TimeoutError as problem:
        raise Unavailable(f"signatures cannot be checked now: no answer within {WITHIN:.0f} s") from problem
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == 0:
        return answer
    if child.returncode == NOT_SO:
        raise Refused(said.decode(errors="replace").strip())
    last = said.decode(errors="replace").strip().rpartition("\n")[2]
    raise Unavailable(f"signatures cannot be checked now (exit code {child.returncode}: {last})")


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
