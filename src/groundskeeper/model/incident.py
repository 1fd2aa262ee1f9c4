"""What is wrong, and how far its handling has come."""

from datetime import datetime, timedelta
from enum import Enum

from groundskeeper.model.observation import Observation
from groundskeeper.model.value import DeviceId, IncidentId, Ranked, Value


class Severity(Ranked):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Finding(Value):
    """A rule's judgement that something is wrong, with its reason in one sentence that a client could read.

    `lasts` is how long it must go on before it is believed (hysteresis); zero acts at once.
    """

    rule: str
    device: DeviceId
    subject: str
    severity: Severity
    reason: str
    evidence: tuple[Observation, ...] = ()
    lasts: timedelta = timedelta()

    @property
    def fingerprint(self) -> str:
        """The same trouble, whenever it is found: rule, device and subject."""
        return f"{self.rule}|{self.device}|{self.subject}"

    @property
    def seen_at(self) -> datetime | None:
        """When the newest evidence was seen, or None where there is none."""
        return max((seen.at for seen in self.evidence), default=None)


class Phase(Enum):
    PENDING = "pending"
    """Found, not yet believed."""
    OPEN = "open"
    """Believed; the loop's turn."""
    MITIGATING = "mitigating"
    """A plan is being carried out."""
    WATCHING = "watching"
    """Remedied; watched in case it returns."""
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    """A person's turn."""


class Transition(Value):
    """A compare-and-set: move the incident to a phase, if its generation is still this one."""

    incident: IncidentId
    generation: int
    to: Phase
    at: datetime
    reason: str
    cause: IncidentId | None = None


class Incident(Value):
    """One trouble from its first finding until it is resolved. `cause` is another incident, when this is a symptom."""

    id: IncidentId
    finding: Finding
    phase: Phase
    since: datetime
    moved_at: datetime
    reason: str
    generation: int = 0
    cause: IncidentId | None = None

    @property
    def live(self) -> bool:
        return self.phase is not Phase.RESOLVED

    def move(self, to: Phase, at: datetime, reason: str) -> Transition:
        return Transition(incident=self.id, generation=self.generation, to=to, at=at, reason=reason, cause=self.cause)

    def fold(self, cause: IncidentId | None, at: datetime, reason: str) -> Transition:
        """Stay in the same phase, as the symptom of another incident (or, with None, no longer as one)."""
        return Transition(
            incident=self.id, generation=self.generation, to=self.phase, at=at, reason=reason, cause=cause
        )

    def after(self, step: Transition) -> "Incident":
        return Incident(
            id=self.id,
            finding=self.finding,
            phase=step.to,
            since=min(self.since, step.at),  # later only where the clock was set back in between
            moved_at=step.at if step.to is not self.phase else min(self.moved_at, step.at),
            reason=step.reason,
            generation=self.generation + 1,
            cause=step.cause,
        )
