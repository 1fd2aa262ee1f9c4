"""A plan, or a sentence for a person; never nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime

from groundskeeper.model import (
    Action,
    Decline,
    DeviceId,
    Finding,
    Incident,
    IncidentId,
    Phase,
    Plan,
    Severity,
    Snapshot,
)
from groundskeeper.reasoning.planning import plan_for
from groundskeeper.subsystems.systemd.types import EnsureUnitActive

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DEVICE = DeviceId("web-1")
FINDING = Finding(rule="rule", device=DEVICE, subject="web", severity=Severity.CRITICAL, reason="it is broken")
INCIDENT = Incident(id=IncidentId("1"), finding=FINDING, phase=Phase.OPEN, since=NOW, moved_at=NOW, reason="broken")
START = EnsureUnitActive(device=DEVICE, unit="web.service")


class Says:
    name = "says"

    def __init__(self, answer: Sequence[Action] | Decline | Exception) -> None:
        self.answer = answer

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def planned(answer: Sequence[Action] | Decline | Exception) -> Plan | Decline:
    return plan_for(INCIDENT, Snapshot(NOW), {"rule": Says(answer)})


def test_what_the_runbook_proposes_is_the_plan_for_the_reason_that_was_found() -> None:
    assert planned([START]) == Plan(runbook="says", reason="it is broken", actions=(START,))


def test_a_runbooks_no_stands() -> None:
    no = Decline(runbook="says", reason="not here")
    assert planned(no) == no


def test_no_action_is_no_plan() -> None:
    assert planned([]) == Decline(runbook="says", reason="there is nothing that would help: it needs a person")


def test_without_a_runbook_it_is_a_persons_turn() -> None:
    assert plan_for(INCIDENT, Snapshot(NOW), {}) == Decline(
        runbook="none", reason="there is no runbook for this: it needs a person"
    )


def test_a_runbook_with_a_fault_is_told_to_a_person() -> None:
    assert planned(ZeroDivisionError("division by zero")) == Decline(
        runbook="says",
        reason="the runbook says has a fault (ZeroDivisionError: division by zero): it needs a person",
    )
