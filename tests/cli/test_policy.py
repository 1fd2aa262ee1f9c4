"""`policy`: shown, checked, signed and tried as a person would."""

import asyncio
from pathlib import Path

import pytest

from groundskeeper.agent.home import Home
from groundskeeper.agent.policy import SHIPPED_FILE, PolicySource
from groundskeeper.lib.clock import SystemClock


@pytest.fixture
def begun(at: Home) -> Home:
    """A home in which an agent has been started once."""
    at.make()
    asyncio.run(PolicySource(at, SystemClock()).load())
    return at


@pytest.fixture
def careful(tmp_path: Path) -> Path:
    """The owner's own policy: whatever somebody may notice is asked for."""
    text = SHIPPED_FILE.read_text().replace('"as shipped"', '"careful"').replace("version = 1", "version = 2")
    file = tmp_path / "careful.toml"
    file.write_text(text.replace('disruptive = "auto"', 'disruptive = "approve"'))
    return file


def test_before_the_first_start_there_is_nothing_to_show(run):
    ended = run("policy", "show")
    assert ended.code == 4
    assert "groundskeeper up" in ended.err


def test_the_shipped_policy_is_shown_in_words(run, begun):
    ended = run("policy", "show")
    assert ended.code == 0
    assert "signed by a key that is trusted here" in ended.out
    by_itself, _, asked = ended.out.partition("It does once a person has said yes")
    assert "restarting a service" in by_itself
    assert "cannot be taken back" in asked
    assert "unit:groundskeeper*" in ended.out


def test_a_policy_of_ones_own_is_checked_signed_and_in_force(run, begun, careful):
    assert run("policy", "check", careful).code == 0
    assert run("policy", "sign", careful).code == 0
    shown = run("policy", "show", "--json").json
    assert (shown["policy"]["name"], shown["signature_good"], shown["problem"]) == ("careful", True, None)
    asyncio.run(PolicySource(begun, SystemClock()).load())
    again = run("policy", "sign", SHIPPED_FILE)
    assert (again.code, "give it another" in again.err) == (2, True)
    careful.write_text(careful.read_text().replace('"careful"', '"careless"'))
    lower = run("policy", "sign", careful)
    assert (lower.code, "version = 3" in lower.err) == (2, True)


def test_a_mistake_is_told_with_its_place(run, begun, careful):
    careful.write_text(careful.read_text().replace("disruptive =", "disruptve ="))
    for command in ("check", "sign", "try"):
        ended = run("policy", command, careful)
        assert ended.code == 2
        assert "careful.toml: autonomy.disruptve: there is no such risk" in ended.err


def test_a_policy_that_was_tampered_with_is_not_in_order(run, begun):
    raw = bytearray(begun.policy_file.read_bytes())
    raw[len(raw) // 2] ^= 1
    begun.policy_file.write_bytes(raw)
    ended = run("policy", "show")
    assert ended.code == 1
    assert "only observes" in ended.out
    assert "It does by itself" not in ended.out


def test_what_the_owner_takes_away_is_shown(run, begun):
    begun.floor_file.write_text('autonomy = "suggest"\nprotected = ["unit:accounts*"]')
    shown = run("policy", "show").out
    assert "It only suggests" in shown
    assert "never touched: unit:accounts*" in shown
    assert run("policy", "check", begun.floor_file).code == 0
    begun.floor_file.write_text('autonomy = "sugest"')
    assert run("policy", "check", begun.floor_file).code == 2
    assert "It does by itself" not in run("policy", "show").out


def test_the_past_is_tried_under_another_policy(run, lived, careful):
    careful.write_text(careful.read_text().replace('reversible = "auto"', 'reversible = "approve"'))
    ended = run("policy", "try", careful, "--since", "3650d")
    assert ended.code == 0
    assert "done by itself → a person is asked" in ended.out
    assert "What nobody can know" in ended.out
    replayed = run("policy", "try", careful, "--since", "3650d", "--json").json
    assert {turn["would"]["way"] for turn in replayed["turns"]} == {"asked"}


def test_the_owners_file_holds_in_a_trial_too(run, lived, careful):
    lived.floor_file.write_text('autonomy = "observe"')
    replayed = run("policy", "try", careful, "--since", "3650d", "--json").json
    assert {turn["would"]["way"] for turn in replayed["turns"]} <= {"refused", "asked", "declined"}
    assert run("policy", "try", careful, "--since", "long ago").code == 2


def test_with_nothing_recorded_there_is_nothing_to_try(run, begun, careful):
    assert run("policy", "try", careful).code == 4
