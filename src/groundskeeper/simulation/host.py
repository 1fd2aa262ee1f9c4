"""A host that is made up: what is so, how long making it so takes, and whether the probe passes afterwards."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta

import msgspec

from groundskeeper.lib.clock import Clock
from groundskeeper.model import (
    Action,
    Already,
    DeviceId,
    Fact,
    Impossible,
    Needed,
    Probe,
    ProbeResult,
    Radius,
    Sight,
    Unavailable,
    UnknownAction,
    Value,
)

Mark = tuple[str, str]
"""An action's kind and its subject."""


class Answer(Value, tag=False, forbid_unknown_fields=True):
    """How the world answers one kind of action on one subject ("*": on any)."""

    action: str
    subject: str = "*"
    takes: float = 0.02
    """Seconds."""
    fails: int = 0
    """How many tries fail before one works."""
    hangs: bool = False
    helps: bool = True
    """Whether the probe passes afterwards."""
    undoable: bool = True
    impossible: str | None = None
    then: tuple[Fact, ...] = ()
    """What is seen once it is so."""


class PutBackProbe(Probe, Value):
    def describe(self) -> str:
        return "it is as it was found"


class PutBack(Action, Value):
    """The inverse of a simulated action."""

    device: DeviceId
    kind: str
    of: str

    @property
    def subject(self) -> str:
        return self.of

    def describe(self) -> str:
        return f"{self.of} is as it was found"

    def radius(self) -> Radius:
        return Radius(touches=(f"simulated:{self.of}",))

    def probe(self) -> Probe:
        return PutBackProbe()


class SimulatedHost:
    """`so` holds the marks of what is so; `applied` counts how often each was made so, `again` how often needlessly."""

    def __init__(self, clock: Clock, seen: Callable[[Fact], None], answers: Iterable[Answer] = ()) -> None:
        self.so: set[Mark] = set()
        self.applied: Counter[Mark] = Counter()
        self.again: Counter[Mark] = Counter()
        self.put_back: Counter[Mark] = Counter()
        self._failed: Counter[Mark] = Counter()
        self._clock = clock
        self._seen = seen
        self._answers = list(answers)

    def answer(self, action: Action) -> Answer:
        kind = type(action).__name__
        for answer in self._answers:
            if answer.action in (kind, "*") and answer.subject in (action.subject, "*"):
                return answer
        return Answer(action=kind)

    async def look(self, action: Action) -> Sight:
        action = _own(action)
        if isinstance(action, PutBack):
            if (action.kind, action.of) in self.so:
                return Needed(found="it was changed")
            return Already(reason="it is as it was found")
        answer = self.answer(action)
        if answer.impossible:
            return Impossible(reason=answer.impossible)
        if _mark(action) in self.so:
            return Already(reason=f"{action.describe()} already")
        undo = PutBack(device=action.device, kind=type(action).__name__, of=action.subject)
        return Needed(found=f"not so yet: {action.describe()}", undo=undo if answer.undoable else None)

    async def apply(self, action: Action) -> str:
        action = _own(action)
        if isinstance(action, PutBack):
            mark = (action.kind, action.of)
            self.put_back[mark] += mark in self.so
            self.so.discard(mark)
            return "put back"
        answer, mark = self.answer(action), _mark(action)
        await self._clock.sleep(timedelta(days=9) if answer.hangs else timedelta(seconds=answer.takes))
        if self._failed[mark] < answer.fails:
            self._failed[mark] += 1
            raise Unavailable("it did not work this time")
        self.again[mark] += mark in self.so
        self.applied[mark] += 1
        self.so.add(mark)
        for fact in answer.then:
            self._seen(fact)
        return f"done: {action.describe()}"

    async def ask(self, probe: Probe) -> ProbeResult:
        """The probe of an action passes if the action is so and the world says that it helps."""
        asked = str(msgspec.to_builtins(probe, enc_hook=str))
        if any(mark[1] in asked and self.helps(mark) for mark in self.so):
            return ProbeResult(ok=True, reason=f"{probe.describe()}: yes")
        return ProbeResult(ok=False, reason=f"{probe.describe()}: no")

    def helps(self, mark: Mark) -> bool:
        """Whether the trouble is over once this is so."""
        answers = (a for a in self._answers if a.action in (mark[0], "*") and a.subject in (mark[1], "*"))
        return next((answer.helps for answer in answers), True)


def _mark(action: Action) -> Mark:
    return (type(action).__name__, action.subject)


def _own(action: Action) -> Action:
    """A stored PutBack comes back from the wire as an unknown kind: here, and only here, it is known."""
    if isinstance(action, UnknownAction) and action.kind == PutBack.__name__:
        return msgspec.convert(action.raw, PutBack)
    return action
