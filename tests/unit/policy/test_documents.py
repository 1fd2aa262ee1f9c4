"""What people write becomes a policy, or a sentence that says where the mistake is."""

import json
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundskeeper.agent.documents import canonical, opened, read_floor, read_policy
from groundskeeper.agent.policy import SHIPPED, SHIPPED_FILE
from groundskeeper.model import Autonomy, Floor, Invalid, Policy, Risk
from groundskeeper.reasoning.policy import tighten

MISTAKES = json.loads(Path(__file__).with_name("mistakes.json").read_text())


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: f"{case['in']}: {case['says'][:40]}")
def test_a_mistake_is_named_with_its_place(case: dict[str, str]) -> None:
    read = read_floor if case["in"] == "floor" else read_policy
    with pytest.raises(Invalid) as caught:
        read(case["text"].encode(), "FILE")
    assert str(caught.value).startswith(f"FILE: {case['says']}")


def test_times_are_written_as_people_write_them() -> None:
    policy = read_policy(
        b"""version = 3
        budgets.cooldown = "1.5 s"
        budgets.watch = "2 minutes"
        [[windows]]
        name = "office hours"
        days = ["Mon", "tuesday", 3]
        start = "08:00"
        end = 18:30:00
        timezone = "Europe/Berlin"
        """,
        "FILE",
    )
    assert (policy.budgets.cooldown, policy.budgets.watch) == (timedelta(seconds=1.5), timedelta(minutes=2))
    window = policy.windows[0]
    assert (window.start, window.end, window.days) == (time(8), time(18, 30), {1, 2, 3})


def test_the_canonical_form_is_one_and_reads_back() -> None:
    one = read_policy(b'version = 1\nstandard_changes = ["EnsureSpace", "EnsureRoute"]\nautonomy.read = "auto"', "FILE")
    two = read_policy(b'standard_changes = ["EnsureRoute", "EnsureSpace"]\nversion = 1\nautonomy.read = "auto"', "FILE")
    assert canonical(one) == canonical(two)
    assert opened(canonical(one), "FILE") == one


def test_a_field_from_a_later_version_is_refused_because_it_might_forbid_something() -> None:
    payload = canonical(Policy(version=1)).replace(b'{"autonomy"', b'{"as_of_next_year":1,"autonomy"')
    with pytest.raises(Invalid):
        opened(payload, "FILE")


def test_the_shipped_policy_acts_by_itself_but_for_what_cannot_be_taken_back() -> None:
    policy = read_policy(SHIPPED_FILE.read_bytes(), "FILE")
    assert policy.name == SHIPPED
    assert policy.autonomy[Risk.DISRUPTIVE] is Autonomy.AUTO
    assert policy.autonomy[Risk.IRREVERSIBLE] is Autonomy.APPROVE
    assert policy.standard_changes == {"EnsureSpace"}
    assert "unit:groundskeeper*" in policy.protected


def test_a_budget_that_the_floor_leaves_out_is_not_touched() -> None:
    policy = read_policy(SHIPPED_FILE.read_bytes(), "FILE")
    floor = read_floor(b"budgets.attempts = 1", "FILE")
    budgets = tighten(policy, floor).budgets
    assert budgets.attempts == 1
    assert (budgets.repeats, budgets.per_day, budgets.cooldown) == (
        policy.budgets.repeats,
        policy.budgets.per_day,
        policy.budgets.cooldown,
    )


def test_an_empty_floor_takes_nothing_away() -> None:
    assert read_floor(b"", "FILE") == Floor()


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return value.isoformat() if isinstance(value, time) else json.dumps(value)


NAMES = ["version", "name", "autonomy", "limits", "runbooks", "standard_changes", "protected", "never_ban", "windows"]
NAMES += [
    "budgets",
    "rules",
    "risks",
    "not_standard",
    "start",
    "end",
    "days",
    "timezone",
    "up_to",
    "read",
    "disruptive",
]
NAMES += ["attempts", "cooldown", "per_day", "disk_filling", "ignore", "make_room", ""]
WORDS = ["auto", "observe", "22:00", "30 s", "0 s", "9 d", "Mon", "10.0.0.0/8", "EnsureSpace", "Europe/Berlin", "", "Z"]
PLAIN = st.one_of(
    st.booleans(),
    st.integers(-1, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS),
    st.times(),
)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4), st.booleans())
def test_whatever_is_written_is_read_or_refused_with_a_sentence(written: dict[str, object], versioned: bool) -> None:
    document = written | ({"version": 1} if versioned else {})
    text = "\n".join(f"{json.dumps(name)} = {toml(value)}" for name, value in document.items()).encode()
    for read in (read_policy, read_floor):
        try:
            read(text, "FILE")
        except Invalid as problem:
            assert str(problem).startswith("FILE: ")


@given(st.binary())
def test_what_is_no_text_is_refused_too(raw: bytes) -> None:
    try:
        read_floor(raw, "FILE")
    except Invalid as problem:
        assert str(problem).startswith("FILE: ")
