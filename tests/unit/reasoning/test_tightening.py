"""The owner's floor only ever takes away, whatever it and the policy say."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from groundskeeper.agent.documents import UNBOUNDED, canonical
from groundskeeper.model import (
    Action,
    Autonomy,
    Budgets,
    Change,
    ChangeId,
    DeviceId,
    Finding,
    Floor,
    Incident,
    IncidentId,
    Phase,
    Plan,
    Policy,
    Risk,
    Ruling,
    Severity,
    Stage,
    Window,
)
from groundskeeper.reasoning.guarding import Situation, guard
from groundskeeper.reasoning.policy import autonomy_for, most, tighten
from groundskeeper.subsystems.disk.types import EnsureSpace
from groundskeeper.subsystems.firewall.types import EnsureSourceBanned
from groundskeeper.subsystems.systemd.types import EnsureUnitActive, EnsureUnitFresh

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DEVICE = DeviceId("web-1")

AUTONOMY, RISK = st.sampled_from(list(Autonomy)), st.sampled_from(list(Risk))
BY_RISK = st.dictionaries(RISK, AUTONOMY)
RUNBOOKS = st.dictionaries(st.sampled_from(["mend", "ban", "other"]), AUTONOMY)
KINDS = st.frozensets(st.sampled_from(["EnsureSpace", "EnsureUnitFresh", "EnsureUnitActive"]))
THINGS = st.lists(st.sampled_from(["unit:web*", "unit:*", "process:*", "filesystem:/", "firewall:10.*"]), max_size=3)
NETWORKS = st.lists(st.sampled_from(["10.0.0.0/8", "203.0.113.9", "::1", "fe80::/10", "2001:db8::/32"]), max_size=3)
SPANS = st.sampled_from([timedelta(), timedelta(seconds=2), timedelta(seconds=30), timedelta(hours=2)])
BUDGETS = st.builds(
    Budgets,
    attempts=st.integers(0, 4),
    cooldown=SPANS,
    repeats=st.integers(0, 6),
    at_once=st.integers(0, 4),
    contained=st.integers(0, 3),
    per_day=st.dictionaries(RISK, st.integers(0, 5)),
    watch=SPANS,
)
WINDOWS = st.lists(
    st.builds(
        Window,
        name=st.sampled_from("ab"),
        start=st.sampled_from([time(0), time(11), time(12, 30)]),
        end=st.sampled_from([time(0), time(12), time(13)]),
        days=st.sampled_from([frozenset({1}), frozenset(range(1, 8))]),
        timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
        up_to=AUTONOMY,
    ),
    max_size=2,
).map(tuple)
POLICIES = st.builds(
    Policy,
    version=st.integers(1, 9),
    autonomy=BY_RISK,
    limits=BY_RISK,
    runbooks=RUNBOOKS,
    standard_changes=KINDS,
    protected=THINGS.map(tuple),
    never_ban=NETWORKS.map(tuple),
    windows=WINDOWS,
    budgets=BUDGETS,
)
FLOORS = st.builds(
    Floor,
    autonomy=AUTONOMY,
    risks=BY_RISK,
    runbooks=RUNBOOKS,
    not_standard=KINDS,
    protected=THINGS.map(tuple),
    never_ban=NETWORKS.map(tuple),
    windows=WINDOWS,
    budgets=st.none() | BUDGETS | st.just(msgspec.convert(UNBOUNDED, Budgets)),
)
LAX = Policy(
    version=1,
    autonomy=dict.fromkeys(Risk, Autonomy.AUTO),
    budgets=Budgets(attempts=9, cooldown=timedelta(), repeats=9, at_once=9, per_day={}),
)


@st.composite
def nearly(draw: st.DrawFn, base: Any, drawn: st.SearchStrategy[Any]) -> Any:
    """The base with a few of its fields as drawn: where nearly everything is allowed, each limit shows."""
    names = draw(
        st.sets(st.sampled_from(sorted(set(base.__struct_fields__) - {"version", "name", "rules"})), max_size=3)
    )
    other = draw(drawn)
    return msgspec.structs.replace(base, **{name: getattr(other, name) for name in names})


ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(EnsureUnitActive, device=st.just(DEVICE), unit=st.sampled_from(["web.service", "db.service"])),
    st.builds(EnsureUnitFresh, device=st.just(DEVICE), unit=st.just("web.service"), not_invocation=st.just("1")),
    st.builds(EnsureSpace, device=st.just(DEVICE), mount=st.just("/"), bytes_free=st.just(1)),
    st.builds(
        EnsureSourceBanned,
        device=st.just(DEVICE),
        source=st.sampled_from(["10.1.2.3", "203.0.113.9", "::ffff:10.1.2.3", "2001:db8::/64", "198.51.100.1"]),
        duration=st.just(timedelta(minutes=10)),
        reason=st.just("guessing"),
    ),
)
MOMENTS = st.integers(0, 7 * 24 * 4).map(lambda quarters: NOON + timedelta(minutes=15 * quarters))
FINDING = Finding(rule="rule", device=DEVICE, subject="web", severity=Severity.CRITICAL, reason="it is broken")
INCIDENT = Incident(id=IncidentId("1"), finding=FINDING, phase=Phase.OPEN, since=NOON, moved_at=NOON, reason="broken")


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    now = draw(MOMENTS)
    return Situation(
        now=now,
        changes=tuple(draw(st.lists(changes(now), max_size=5))),
        stopped=draw(st.sampled_from([None, None, None, "the file is there"])),
        approved_by=draw(st.sampled_from([(), ("ada",)])),
    )


@st.composite
def changes(draw: st.DrawFn, now: datetime) -> Change:
    at = now - timedelta(seconds=draw(st.sampled_from([0, 1, 5, 60, 3599, 3601, 80_000])))
    return Change(
        id=ChangeId("any"),
        incident=IncidentId(draw(st.sampled_from(["1", "2", "3"]))),
        fingerprint=draw(st.sampled_from([FINDING.fingerprint, "another"])),
        runbook="mend",
        action=draw(ACTIONS),
        by="reflex",
        policy="",
        stage=draw(st.sampled_from(list(Stage))),
        intended_at=at,
        moved_at=at,
        reason="",
        undone_by=draw(st.sampled_from([None, None, "ada"])),
    )


PLANS = st.builds(
    Plan,
    runbook=st.sampled_from(["mend", "ban"]),
    reason=st.just("broken"),
    actions=st.lists(ACTIONS, min_size=1, max_size=3).map(tuple),
)


def meaning(policy: Policy) -> dict[str, Any]:
    """The policy, with what is a list only for its reader as a set."""
    fields = {name: getattr(policy, name) for name in policy.__struct_fields__}
    return fields | {name: set(fields[name]) for name in ("protected", "never_ban", "windows")}


@given(POLICIES, FLOORS, ACTIONS, st.sampled_from(["mend", "ban", "new"]), MOMENTS)
def test_the_floor_never_gives_more_autonomy(
    policy: Policy, floor: Floor, action: Action, runbook: str, now: datetime
) -> None:
    tight = autonomy_for(action, runbook, tighten(policy, floor), now)
    assert tight <= autonomy_for(action, runbook, policy, now)
    assert tight <= floor.autonomy
    assert tight <= floor.risks.get(action.risk, Autonomy.AUTO)
    assert tight <= floor.runbooks.get(runbook, Autonomy.AUTO)


@given(POLICIES, FLOORS)
def test_the_floor_never_gives_more_of_anything(policy: Policy, floor: Floor) -> None:
    tight = tighten(policy, floor)
    for name in ("attempts", "repeats", "at_once"):
        assert getattr(tight.budgets, name) <= getattr(policy.budgets, name)
    for name in ("cooldown", "watch"):
        assert getattr(tight.budgets, name) >= getattr(policy.budgets, name)
    for risk, count in policy.budgets.per_day.items():
        assert tight.budgets.per_day[risk] <= count
    assert set(tight.protected) == {*policy.protected, *floor.protected}
    assert set(tight.never_ban) == {*policy.never_ban, *floor.never_ban}
    assert set(tight.windows) == {*policy.windows, *floor.windows}
    assert tight.standard_changes == policy.standard_changes - floor.not_standard
    assert all(most(tight)[risk] <= most(policy)[risk] for risk in Risk)


@given(POLICIES, FLOORS)
def test_taking_away_twice_takes_no_more(policy: Policy, floor: Floor) -> None:
    once = tighten(policy, floor)
    assert tighten(once, floor) == once


@given(POLICIES, FLOORS, FLOORS)
def test_it_does_not_matter_whose_floor_comes_first(policy: Policy, one: Floor, two: Floor) -> None:
    assert meaning(tighten(tighten(policy, one), two)) == meaning(tighten(tighten(policy, two), one))


@given(POLICIES)
def test_an_empty_floor_changes_no_decision(policy: Policy) -> None:
    tight = tighten(policy, Floor())
    assert most(tight) == most(policy)
    assert meaning(tight) | {"limits": 0} == meaning(policy) | {"limits": 0}


@settings(max_examples=150)
@given(nearly(LAX, POLICIES), nearly(Floor(), FLOORS), PLANS, situations())
def test_what_runs_under_the_floor_would_run_without_it(
    policy: Policy, floor: Floor, plan: Plan, situation: Situation
) -> None:
    if guard(plan, INCIDENT, tighten(policy, floor), situation).ruling is Ruling.RUN:
        assert guard(plan, INCIDENT, policy, situation).ruling is Ruling.RUN


@given(POLICIES, PLANS, situations())
def test_the_guard_always_has_a_verdict_and_a_sentence(policy: Policy, plan: Plan, situation: Situation) -> None:
    verdict = guard(plan, INCIDENT, policy, situation)
    assert verdict.reason
    assert verdict.retry_at is None or verdict.retry_at > situation.now
    if situation.stopped:
        assert verdict.ruling is Ruling.REFUSE


@given(POLICIES)
def test_the_canonical_form_holds_all_of_a_policy(policy: Policy) -> None:
    assert msgspec.json.decode(canonical(policy), type=Policy) == policy
