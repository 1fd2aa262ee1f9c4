"""Findings and incidents: what opens, moves on, folds; never in a circle."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.model import (
    Cause,
    DeviceId,
    Finding,
    Incident,
    IncidentId,
    Observation,
    Phase,
    Severity,
    Snapshot,
    Watching,
)
from groundskeeper.reasoning.correlation import Related, relate

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DEVICE = DeviceId("web-1")
WATCH = timedelta(seconds=30)


def seen(subject: str, at: datetime = NOON) -> Observation:
    return Observation(device=DEVICE, at=at, fact=Watching(what=subject, possible=False, reason="broken"))


def finding(rule: str = "rule", subject: str = "web", lasts: float = 0.0, at: datetime | None = NOON) -> Finding:
    return Finding(
        rule=rule,
        device=DEVICE,
        subject=subject,
        severity=Severity.CRITICAL,
        reason=f"{subject} is broken",
        evidence=(seen(subject, at),) if at else (),
        lasts=timedelta(seconds=lasts),
    )


def incident(found: Finding, phase: Phase, id: str = "1", moved: datetime = NOON, cause: str | None = None) -> Incident:
    return Incident(
        id=IncidentId(id),
        finding=found,
        phase=phase,
        since=moved,
        moved_at=moved,
        reason="",
        cause=IncidentId(cause) if cause else None,
    )


def after(
    seconds: float,
    findings: Iterable[Finding],
    incidents: Iterable[Incident],
    snapshot: Snapshot | None = None,
    judged: frozenset[str] = frozenset({"rule"}),
    causes: Mapping[str, tuple[Cause, ...]] | None = None,
) -> Related:
    numbers = count(100)
    return relate(
        list(findings),
        list(incidents),
        snapshot or Snapshot(NOON, [seen("web")]),
        NOON + timedelta(seconds=seconds),
        judged=judged,
        causes=causes or {},
        watch=WATCH,
        new_id=lambda: str(next(numbers)),
    )


def moves(related: Related) -> list[tuple[str, str]]:
    return [(step.to.value, step.reason) for step in related.moved]


def test_what_is_found_opens_at_once_and_what_has_to_last_waits() -> None:
    related = after(0, [finding(subject="web"), finding(subject="db", lasts=5)], [])
    assert [(one.finding.subject, one.phase) for one in related.opened] == [
        ("web", Phase.OPEN),
        ("db", Phase.PENDING),
    ]


def test_what_has_lasted_is_believed_and_not_a_moment_before() -> None:
    waits = incident(finding(lasts=5), Phase.PENDING)
    assert moves(after(4.999, [finding(lasts=5)], [waits])) == []
    assert moves(after(5, [finding(lasts=5)], [waits])) == [("open", "it has lasted for 5 s: web is broken")]


def test_a_pending_finding_that_goes_was_nothing() -> None:
    assert moves(after(1, [], [incident(finding(lasts=5), Phase.PENDING)])) == [("resolved", "it went away by itself")]


def test_a_silence_counts_only_from_a_rule_that_looked() -> None:
    open_ = incident(finding(), Phase.OPEN)
    assert moves(after(1, [], [open_], judged=frozenset({"another"}))) == []
    assert moves(after(1, [], [open_])) == [("resolved", "it went away by itself")]


def test_a_thing_that_is_not_seen_at_all_proves_nothing() -> None:
    assert moves(after(1, [], [incident(finding(), Phase.OPEN)], Snapshot(NOON))) == []


def test_what_is_being_worked_on_is_left_to_whoever_works_on_it() -> None:
    assert moves(after(99, [], [incident(finding(), Phase.MITIGATING)])) == []
    assert moves(after(99, [finding()], [incident(finding(), Phase.MITIGATING)])) == []


def test_a_remedy_is_watched_and_then_counts() -> None:
    watched = incident(finding(), Phase.WATCHING)
    assert moves(after(29, [], [watched])) == []
    assert moves(after(30, [], [watched])) == [("resolved", "it has stayed well for 30 s")]


def test_what_was_seen_before_the_remedy_does_not_say_that_it_came_back() -> None:
    watched = incident(finding(), Phase.WATCHING)
    assert moves(after(5, [finding(at=NOON)], [watched])) == []
    again = finding(at=NOON + timedelta(seconds=4))
    assert moves(after(5, [again], [watched])) == [("open", "it came back: web is broken")]


def test_a_persons_incident_ends_by_itself_too() -> None:
    assert moves(after(1, [], [incident(finding(), Phase.ESCALATED)])) == [("resolved", "it went away by itself")]


CAUSES = {"rule": (Cause(rule="storm"),)}


def test_a_symptom_folds_under_its_cause_and_unfolds_when_that_is_over() -> None:
    storm, web = incident(finding("storm", "cellar"), Phase.OPEN, "s"), incident(finding(), Phase.OPEN, "w")
    both = [storm.finding, web.finding]
    (fold,) = after(1, both, [storm, web], causes=CAUSES).moved
    assert (fold.incident, fold.cause, fold.to) == ("w", "s", Phase.OPEN)
    (unfold,) = after(2, [web.finding], [web.after(fold)], causes=CAUSES).moved
    assert (unfold.cause, unfold.reason) == (None, "what had caused it is over, and it is still there")


def test_both_found_in_one_moment_fold_at_once() -> None:
    related = after(0, [finding(), finding("storm", "cellar")], [], causes=CAUSES)
    web, storm = related.opened
    (fold,) = related.moved
    assert (fold.incident, fold.cause) == (web.id, storm.id)


def test_what_is_not_yet_believed_explains_nothing() -> None:
    storm = incident(finding("storm", "cellar", lasts=9), Phase.PENDING, "s")
    web = incident(finding(), Phase.OPEN, "w")
    assert after(1, [storm.finding, web.finding], [storm, web], causes=CAUSES).moved == ()


def test_a_cause_for_the_same_subject_explains_no_other() -> None:
    causes = {"rule": (Cause(rule="storm", same_subject=True),)}
    web = incident(finding(), Phase.OPEN, "w")
    elsewhere, same = (incident(finding("storm", name), Phase.OPEN, "s") for name in ("cellar", "web"))
    assert after(1, [elsewhere.finding, web.finding], [elsewhere, web], causes=causes).moved == ()
    assert len(after(1, [same.finding, web.finding], [same, web], causes=causes).moved) == 1


RULES = ["a", "b", "c"]
CAUSED = st.dictionaries(
    st.sampled_from(RULES),
    st.lists(st.builds(Cause, rule=st.sampled_from(RULES), same_subject=st.booleans()), max_size=3).map(tuple),
)
FOUND = st.lists(
    st.builds(
        finding,
        rule=st.sampled_from(RULES),
        subject=st.sampled_from(["x", "y"]),
        lasts=st.sampled_from([0.0, 2.0]),
        at=st.sampled_from([NOON, None]),
    ),
    max_size=6,
)


@given(CAUSED, st.lists(FOUND, min_size=1, max_size=5))
def test_someone_is_always_to_blame(causes: dict[str, tuple[Cause, ...]], rounds: list[list[Finding]]) -> None:
    """Whatever rules say of each other: no incident is its own cause, in however many steps. All would wait for ever.

    And whatever comes, the transitions apply in order, and one trouble has one live incident.
    """
    known: dict[str, Incident] = {}
    numbers = count()
    for number, found in enumerate(rounds):
        related = relate(
            found,
            [one for one in known.values() if one.live],
            Snapshot(NOON, [seen("x"), seen("y")]),
            NOON + timedelta(seconds=number),
            judged=frozenset(RULES),
            causes=causes,
            watch=WATCH,
            new_id=lambda: str(next(numbers)),
        )
        known |= {one.id: one for one in related.opened}
        for step in related.moved:
            assert known[step.incident].generation == step.generation
            known[step.incident] = known[step.incident].after(step)
        live = [one for one in known.values() if one.live]
        assert len({one.finding.fingerprint for one in live}) == len(live)
        assert {one.finding.fingerprint for one in live} == {one.fingerprint for one in found}
        for one in live:
            assert not caused_by_itself(one, known)
            assert one.cause is None or known[one.cause].live


def caused_by_itself(one: Incident, known: Mapping[str, Incident]) -> bool:
    above = one.cause
    for _ in known:
        if above is None:
            return False
        if above == one.id:
            return True
        above = known[above].cause
    return above is not None
