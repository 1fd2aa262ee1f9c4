"""The change envelope: what should be so, whom it can touch, how we know, how it is taken back, by when."""

from datetime import timedelta
from typing import ClassVar

from groundskeeper.model.value import DeviceId, Ranked, Unknown, Value


class Risk(Ranked):
    """Decides who may allow an action."""

    READ = "read"
    REVERSIBLE = "reversible"
    """Can be taken back exactly."""
    DISRUPTIVE = "disruptive"
    """Somebody may notice: a restart drops connections."""
    IRREVERSIBLE = "irreversible"


class Radius(Value):
    """Whom and what an action can touch.

    `touches` names things as policy does: "unit:nginx.service", "link:eth0", "file:/etc/resolv.conf", "process:cron".
    `cuts_off` are addresses or networks that lose access. `management` is True where the way by which people and the
    hub reach this device could be cut.
    """

    touches: tuple[str, ...]
    cuts_off: tuple[str, ...] = ()
    management: bool = False


class Probe:
    """A question whose answer shows that the thing the user cares about is better. As `class X(Probe, Value)`."""

    __slots__ = ()

    def describe(self) -> str:
        raise NotImplementedError


class Action:
    """A target, not a gesture: what should be so afterwards. As `class X(Action, Value)`, beside its subsystem.

    Whether it is still needed is asked on the device at the last moment (`Host.look`), which also finds the inverse;
    the inverse is an action too, and is in the journal before anything is touched.
    """

    __slots__ = ()

    device: DeviceId
    risk: ClassVar[Risk] = Risk.REVERSIBLE
    probation: ClassVar[timedelta] = timedelta(seconds=10)
    """How long it may stay unconfirmed before it is taken back."""
    hold: ClassVar[timedelta] = timedelta()
    """How long the probe must go on passing before the change counts as confirmed."""

    @property
    def subject(self) -> str:
        raise NotImplementedError

    @property
    def expires_after(self) -> timedelta | None:
        """Containment ends by itself after this long; None for a lasting repair."""
        return None

    def describe(self) -> str:
        """What should be so, in words: "nginx.service is running"."""
        raise NotImplementedError

    def radius(self) -> Radius:
        raise NotImplementedError

    def probe(self) -> Probe:
        raise NotImplementedError


class UnknownAction(Unknown, Action):
    """An action of an unknown kind. It is kept and shown; it is never performed."""

    __slots__ = ()

    @property
    def subject(self) -> str:
        return self.kind

    def describe(self) -> str:
        return f"an action of an unknown kind ({self.kind})"

    def radius(self) -> Radius:
        return Radius(touches=("*",), management=True)

    def probe(self) -> Probe:
        return UnknownProbe(self.raw)


class UnknownProbe(Unknown, Probe):
    """A probe of an unknown kind. It never passes."""

    __slots__ = ()

    def describe(self) -> str:
        return f"a probe of an unknown kind ({self.kind})"


class ProbeResult(Value):
    """`hopeless`: it is not so, and waiting will not make it so; what is on probation is given up at once."""

    ok: bool
    reason: str
    hopeless: bool = False


class Already(Value):
    """What the action wants is so already."""

    reason: str


class Needed(Value):
    """It is not so yet. `undo` puts back what was found, None where nothing can; `found` says what that was."""

    found: str
    undo: Action | None = None


class Impossible(Value):
    """It cannot be made so here, now or later; the reason says why."""

    reason: str


Sight = Already | Needed | Impossible
