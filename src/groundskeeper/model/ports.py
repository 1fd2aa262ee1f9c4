"""What the engine needs of the world, and what a capability offers to it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from groundskeeper.model.action import Action, Probe, ProbeResult, Sight
from groundskeeper.model.event import Entry, Event
from groundskeeper.model.incident import Finding, Incident, Transition
from groundskeeper.model.observation import Fact, Snapshot
from groundskeeper.model.plan import Change, Decline, Order, Outcome
from groundskeeper.model.value import ChangeId, IncidentId, Value


class Cause(Value):
    """A rule whose live incident on the same device explains this one; only for the same subject, if said so."""

    rule: str
    same_subject: bool = False


class Rule(Protocol):
    """Judges a snapshot. Pure; may run at any time and any number of times."""

    @property
    def name(self) -> str: ...

    @property
    def watches(self) -> tuple[type[Fact], ...]:
        """The kinds of fact whose change makes this rule look again."""
        ...

    @property
    def causes(self) -> tuple[Cause, ...]: ...

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        """Every trouble there is now. A fact that is missing is no trouble, and no all-clear either."""
        ...


class Runbook(Protocol):
    """Proposes what to do. Pure."""

    @property
    def name(self) -> str: ...

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        """The actions, in order, that should settle the incident; or why none should be taken."""
        ...


class Sensor(Protocol):
    """Watches one kind of thing on this machine."""

    @property
    def name(self) -> str:
        """What it watches, in plain words: "services", "filesystems"."""
        ...

    async def run(self, seen: Callable[[Fact], None]) -> None:
        """Tell the whole present state first, then each change, until cancelled.

        Raises Unavailable when it cannot watch now (it is started again after `retry_after`, or 30 s) and Refused
        when it never can here; the message is shown to people as the reason.
        """
        ...


class Effect(Protocol):
    """Carries out one kind of action on this machine. The driver's half of an action."""

    async def look(self, action: Action) -> Sight:
        """Is it so already? If not, what is there now and what puts that back. Changes nothing."""
        ...

    async def apply(self, action: Action) -> str:
        """Make it so, and say what was done. May run twice, or be cut at any point: `look` then tells the truth.

        Raises Unavailable (may work later) or Refused (will not).
        """
        ...


class Prober(Protocol):
    """Asks one kind of probe on this machine. Changes nothing; answers within a second."""

    async def ask(self, probe: Probe) -> ProbeResult: ...


class Host(Protocol):
    """What the envelope needs of a machine: every Effect and Prober behind one door."""

    async def look(self, action: Action) -> Sight: ...

    async def apply(self, action: Action) -> str: ...

    async def ask(self, probe: Probe) -> ProbeResult: ...


class Fleet(Protocol):
    """Whoever can carry an order out on its device."""

    async def perform(self, order: Order) -> Outcome:
        """Carry out the change whose intent is in the ledger, to its end. May be called twice for one order."""
        ...


class Ledger(Protocol):
    """The one record. Append-only entries, plus the incidents and changes that they add up to.

    Every change of state is a compare-and-set; losing the race is normal and returns False. What was written outlives
    the process at once, and a power cut from the next *durable* call on, in order. Raises Unavailable when the disk is
    full (nothing was written), Corrupt when what is stored is damaged.
    """

    async def open(self, incident: Incident) -> bool:
        """Keep a new incident; False if one with this fingerprint is live already."""
        ...

    async def advance(self, step: Transition) -> bool:
        """Move an incident if its generation is still `step.generation`."""
        ...

    async def intend(self, claim: Transition, changes: Sequence[Change], events: Sequence[Event]) -> bool:
        """All or nothing: claim the incident, keep the changes at INTENT, and append the events."""
        ...

    async def step(self, change: Change, probe: ProbeResult | None = None) -> bool:
        """Replace the change if the stored generation is `change.generation - 1`.

        Durable, so that everything before an effect (intent, undo) and every end of a change survives a power cut; but
        for the step to APPLIED, which tells a recovery nothing that looking does not.
        """
        ...

    async def record(self, at: datetime, events: Sequence[Event], incident: IncidentId | None = None) -> None:
        """Append entries."""
        ...

    async def incidents(self, *, live: bool = True, since: datetime | None = None) -> list[Incident]:
        """Oldest first. `live` leaves the resolved out; `since` leaves out what last moved before it."""
        ...

    async def incident(self, id: IncidentId) -> Incident | None: ...

    async def changes(
        self, *, since: datetime | None = None, incident: IncidentId | None = None, unsettled: bool = False
    ) -> list[Change]:
        """Oldest first."""
        ...

    async def change(self, id: ChangeId) -> Change | None: ...

    async def entries(self, *, incident: IncidentId | None = None, after: int = 0, limit: int = 10_000) -> list[Entry]:
        """In order. With `incident`, only that incident's own (its changes' too)."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop entries, resolved incidents and settled changes that are older; the count of entries dropped.

        What is left still verifies: the digest of the last dropped line is kept.
        """
        ...

    async def verify(self) -> int:
        """The number of entries, every one of them just as it was written; raises Corrupt otherwise."""
        ...

    async def close(self) -> None: ...
