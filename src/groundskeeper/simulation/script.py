"""The script of a simulated world, as a file."""

from pathlib import Path

import msgspec

from groundskeeper import wire
from groundskeeper.model import Corrupt, DeviceId, Fact, Invalid, Policy, UnknownFact, Value
from groundskeeper.simulation.host import Answer


class Scene(Value, tag=False, forbid_unknown_fields=True):
    """At this second, this is seen; and what had been made so is undone ("EnsureUnitActive nginx.service")."""

    at: float
    fact: Fact
    undoes: tuple[str, ...] = ()


class Script(Value, tag=False, forbid_unknown_fields=True):
    """What happens in the world, and how it answers what is done."""

    because: str
    scenes: tuple[Scene, ...]
    device: DeviceId = DeviceId("web-1")
    answers: tuple[Answer, ...] = ()
    policy: Policy = Policy(version=1, name="simulated")
    until: float = 60.0


def read_script(path: Path) -> Script:
    """The script in a JSON file. Raises Invalid, with where and what, for a file that is none."""
    try:
        script = wire.from_plain(msgspec.json.decode(path.read_bytes()), Script)
    except OSError as problem:
        raise Invalid(f"{path} cannot be read ({problem.strerror}): name a script's file") from problem
    except (Corrupt, msgspec.DecodeError) as problem:
        raise Invalid(f"{path} is not a script: {problem}") from problem
    facts = [scene.fact for scene in script.scenes] + [fact for answer in script.answers for fact in answer.then]
    unknown = sorted({fact.kind for fact in facts if isinstance(fact, UnknownFact)})
    if unknown:
        raise Invalid(f"{path}: there is no fact of the kind {', '.join(unknown)}")
    return script
