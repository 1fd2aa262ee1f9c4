"""The guard: each check has cases in which it, and no other, decides."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groundskeeper import wire
from groundskeeper.model import (
    Action,
    Change,
    ChangeId,
    DeviceId,
    Finding,
    Incident,
    IncidentId,
    Phase,
    Plan,
    Policy,
    Severity,
    Stage,
)
from groundskeeper.reasoning.guarding import CHECKS, Situation, guard

CASES = json.loads(Path(__file__).with_name("guarding.json").read_text())
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FINDING = Finding(
    rule="rule", device=DeviceId("web-1"), subject="web", severity=Severity.CRITICAL, reason="it is broken"
)
INCIDENT = Incident(
    id=IncidentId("this"), finding=FINDING, phase=Phase.OPEN, since=NOON, moved_at=NOON, reason="it is broken"
)
START = {"type": "EnsureUnitActive", "unit": "web.service"}


def action(raw: dict[str, Any]) -> Action:
    return wire.from_plain({"device": "web-1", **raw}, Action)


def change(row: dict[str, Any], now: datetime, number: int) -> Change:
    at = now - timedelta(seconds=row["ago"])
    return Change(
        id=ChangeId(f"change {number}"),
        incident=IncidentId(row.get("incident", "this")),
        fingerprint=row.get("fingerprint", FINDING.fingerprint),
        runbook="mend",
        action=action(row.get("action", START)),
        by="reflex",
        policy="",
        stage=Stage(row.get("stage", "confirmed")),
        intended_at=at,
        moved_at=at,
        reason="",
        undone_by=row.get("undone_by"),
    )


def judged(case: dict[str, Any]) -> dict[str, Any]:
    now = datetime.fromisoformat(case["now"]) if "now" in case else NOON
    situation = Situation(
        now=now,
        changes=tuple(change(row, now, number) for number, row in enumerate(case.get("changes", []))),
        stopped=case.get("stopped"),
        approved_by=tuple(case.get("approved_by", [])),
    )
    plan = Plan(runbook="mend", reason="it is broken", actions=tuple(map(action, case.get("actions", [START]))))
    policy = wire.from_plain({"version": 1, **case.get("policy", {})}, Policy)
    verdict = guard(plan, INCIDENT, policy, situation)
    got = {"verdict": verdict.ruling.value, "reason": verdict.reason}
    return got | ({"retry_in": (verdict.retry_at - now).total_seconds()} if verdict.retry_at else {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["because"])
def test_case(case: dict[str, Any]) -> None:
    got = judged(case)
    expected = {key: case[key] for key in ("verdict", "reason", "retry_in") if key in case}
    if "reason" not in case:
        del got["reason"]
    assert got == expected


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_decides_some_case(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, some case would end otherwise: neither a check nor its cases are there for nothing."""
    monkeypatch.setattr("groundskeeper.reasoning.guarding.CHECKS", tuple(one for one in CHECKS if one is not check))
    assert any(judged(case)["verdict"] != case["verdict"] for case in CASES)
