"""The lines of the ledger: append-only, in order, each linked to the one before by its digest."""

from datetime import datetime

from groundskeeper.model.action import Action, ProbeResult
from groundskeeper.model.incident import Finding, Transition
from groundskeeper.model.observation import Observation
from groundskeeper.model.plan import Decline, Plan, Stage, Verdict
from groundskeeper.model.value import ChangeId, IncidentId, Value


class Seen(Value):
    observation: Observation


class Found(Value):
    finding: Finding


class Moved(Value):
    transition: Transition


class Decided(Value):
    decision: Plan | Decline


class Judged(Value):
    verdict: Verdict


class Stepped(Value):
    """A change took a step. `probe` is the answer that made it do so, where there was one."""

    stage: Stage
    action: Action
    reason: str
    undo: Action | None = None
    probe: ProbeResult | None = None


class Said(Value):
    """A person did something: approved, undid, stopped, took over."""

    who: str
    what: str


Event = Seen | Found | Moved | Decided | Judged | Stepped | Said


class Entry(Value):
    """One line. `digest` = SHA-256 over the digest before and this line's own bytes, in hex."""

    seq: int
    at: datetime
    event: Event
    incident: IncidentId | None = None
    change: ChangeId | None = None
    digest: str = ""
