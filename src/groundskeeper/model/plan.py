"""What is going to be done, whether it may be, and what became of it."""

from datetime import datetime
from enum import Enum

from groundskeeper.model.action import Action, ProbeResult
from groundskeeper.model.value import ChangeId, DeviceId, IncidentId, Value


class Plan(Value):
    """Actions in order. Dry run = print it; approval = show it; audit = store it."""

    runbook: str
    reason: str
    actions: tuple[Action, ...]


class Decline(Value):
    """A runbook's decision to do nothing, and why. `final` is False where a later look may decide otherwise."""

    runbook: str
    reason: str


class Ruling(Enum):
    RUN = "run"
    ASK = "ask"
    REFUSE = "refuse"


class Verdict(Value):
    """Whether a plan may run. A refusal with `retry_at` is for now; one without is for a person."""

    ruling: Ruling
    reason: str
    retry_at: datetime | None = None


class Order(Value):
    """One action of an allowed plan, for one device.

    A reflex is ordered by the device itself (`by="reflex"`). An order from a hub carries what the device checks again
    on its own: a rising sequence, the challenge that the device chose, an expiry, the policy's hash, approvals.
    """

    change: ChangeId
    device: DeviceId
    action: Action
    incident: IncidentId | None
    by: str
    policy: str
    sequence: int = 0
    challenge: bytes = b""
    expires_at: datetime | None = None
    approvals: tuple[str, ...] = ()
    signature: bytes = b""


class Result(Enum):
    DONE = "done"
    NOOP = "noop"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    RETRY = "retry"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Outcome(Value):
    """What became of an order, with its reason and, where one was asked, the probe's answer."""

    result: Result
    reason: str
    probe: ProbeResult | None = None


class Stage(Enum):
    """How far a change has come. Intent is durable before anything is touched."""

    INTENT = "intent"
    APPLYING = "applying"
    APPLIED = "applied"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    NOOP = "noop"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """Given up before anything was touched."""
    FAILED = "failed"
    """Tried, and it is not so; there is nothing to take back."""
    NEEDS_PERSON = "needs_person"
    """Could be neither confirmed nor taken back."""

    @property
    def settled(self) -> bool:
        return self not in (Stage.INTENT, Stage.APPLYING, Stage.APPLIED, Stage.REVERTING)


class Change(Value):
    """One action as the journal keeps it. Every step is a compare-and-set on `generation`."""

    id: ChangeId
    incident: IncidentId | None
    fingerprint: str
    runbook: str
    action: Action
    by: str
    policy: str
    stage: Stage
    intended_at: datetime
    moved_at: datetime
    reason: str
    generation: int = 0
    undo: Action | None = None
    deadline: datetime | None = None
    expires_at: datetime | None = None
    undone_by: str | None = None
    """Who took it back, when a person did: the loop does not do it again for the same trouble."""
