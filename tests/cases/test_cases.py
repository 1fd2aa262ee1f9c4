"""Every runbook's cases: what was seen → what is found → what is proposed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import groundskeeper.runbooks
from groundskeeper import wire
from groundskeeper.model import Decline, DeviceId, Fact, Finding, Incident, IncidentId, Observation, Phase, Snapshot
from groundskeeper.runbooks import REFLEXES, Reflex

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOME = Path(groundskeeper.runbooks.__file__).parent
CASES = sorted(HOME.glob("*/cases/*.json"))
BY_NAME = {reflex.rule.name: reflex for reflex in REFLEXES}


def observed(row: dict[str, Any]) -> Observation:
    at = NOW - timedelta(seconds=row.get("ago", 0.0))
    return Observation(device=DeviceId(row["device"]), at=at, fact=wire.from_plain(row["fact"], Fact))


def answer(case: dict[str, Any], reflex: Reflex) -> dict[str, Any]:
    rule, runbook = reflex.made(case.get("settings", {}))
    snapshot = Snapshot(NOW, map(observed, case["seen"]))
    findings = list(rule.judge(snapshot, NOW))
    got: dict[str, Any] = {"findings": [f"{f.device} {f.subject}: {f.reason}" for f in findings]}
    if findings:
        proposed = runbook.propose(opened(findings[0]), snapshot)
        if isinstance(proposed, Decline):
            got["decline"] = proposed.reason
        else:
            got["plan"] = [action.describe() for action in proposed]
    return got


def opened(finding: Finding) -> Incident:
    return Incident(
        id=IncidentId("case"), finding=finding, phase=Phase.OPEN, since=NOW, moved_at=NOW, reason=finding.reason
    )


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    case = json.loads(path.read_text())
    expected = {key: case[key] for key in ("findings", "plan", "decline") if key in case}
    assert answer(case, BY_NAME[path.parent.parent.name]) == expected, case["because"]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_runbook_comes_with_a_page_and_with_cases_that_act_decline_and_miss_something(name: str) -> None:
    folder = HOME / name
    assert (folder / "README.md").is_file()
    cases = [json.loads(path.read_text()) for path in folder.glob("cases/*.json")]
    assert any(case.get("plan") for case in cases) or all("decline" in case for case in cases if case["findings"])
    assert any("decline" in case for case in cases), "no case in which it declines"
    assert any(not case["findings"] for case in cases), "no case in which it finds nothing"
