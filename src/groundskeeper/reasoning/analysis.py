"""Observations → findings."""

from collections.abc import Iterable
from datetime import datetime

from groundskeeper.model import DeviceId, Finding, Rule, Severity, Snapshot

FAULTY = "rule_faulty"
"""The finding that a rule itself has a fault."""


def judge(rules: Iterable[Rule], snapshot: Snapshot, now: datetime, device: DeviceId) -> list[Finding]:
    """Every trouble that these rules find now, each once; of two with one fingerprint the graver stays."""
    found: dict[str, Finding] = {}
    for rule in rules:
        for finding in _findings(rule, snapshot, now, device):
            known = found.get(finding.fingerprint)
            if known is None or known.severity < finding.severity:
                found[finding.fingerprint] = finding
    return list(found.values())


def _findings(rule: Rule, snapshot: Snapshot, now: datetime, device: DeviceId) -> list[Finding]:
    try:
        return list(rule.judge(snapshot, now))
    except Exception as bug:  # noqa: BLE001 - one rule's bug must not blind the others: it is a finding of its own
        reason = f"the rule {rule.name} has a fault and watches nothing ({type(bug).__name__}: {bug})"
        fault = Finding(rule=FAULTY, device=device, subject=rule.name, severity=Severity.WARNING, reason=reason)
        return [fault]
