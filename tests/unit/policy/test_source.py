"""The policy that holds here, with the real files and the real process that checks signatures."""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import msgspec
import pytest

from groundskeeper.agent import notary
from groundskeeper.agent.documents import canonical
from groundskeeper.agent.home import Home, home
from groundskeeper.agent.policy import SHIPPED, PolicySource
from groundskeeper.agent.trust import trusted_keys
from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Autonomy, Invalid, Policy, Risk, Unavailable
from groundskeeper.reasoning.policy import most


@pytest.fixture
def here(tmp_path: Path) -> Home:
    at = home(tmp_path)
    at.make()
    return at


def source(here: Home) -> PolicySource:
    return PolicySource(here, SystemClock())


def only_observes(policy: Policy) -> bool:
    return set(most(policy).values()) == {Autonomy.OBSERVE}


async def test_a_machine_by_itself_starts_with_the_shipped_policy_and_a_key_of_its_own(here: Home) -> None:
    effective = await source(here).load()
    assert (effective.problem, effective.policy.name) == (None, SHIPPED)
    assert most(effective.policy)[Risk.DISRUPTIVE] is Autonomy.AUTO
    assert here.signing_key.stat().st_mode & 0o777 == 0o600
    assert (await source(here).load()).digest == effective.digest


async def test_one_changed_byte_and_it_only_observes_and_says_so(here: Home) -> None:
    it = source(here)
    await it.load()
    envelope = json.loads(here.policy_file.read_bytes())
    lax = b64decode(envelope["payload"]).replace(b'"irreversible":"approve"', b'"irreversible":"auto"')
    here.policy_file.write_text(json.dumps({**envelope, "payload": b64encode(lax).decode()}))
    assert it.changed()
    effective = await it.load()
    assert only_observes(effective.policy)
    assert effective.digest == ""
    assert "its signature is not that of a trusted key" in str(effective.problem)


async def test_an_older_version_is_not_gone_back_to(here: Home) -> None:
    it = source(here)
    await it.load()
    await it.install(Policy(version=5, name="five"))
    five = here.policy_file.read_bytes()
    await it.load()
    await it.install(Policy(version=6, name="six"))
    assert (await it.load()).policy.name == "six"
    here.policy_file.write_bytes(five)
    effective = await it.load()
    assert only_observes(effective.policy)
    assert "version 5 is older than version 6" in str(effective.problem)


async def test_two_documents_of_one_version_are_not_both_believed(here: Home) -> None:
    it = source(here)
    await it.load()
    await it.install(Policy(version=2, name="two"))
    await it.load()
    with pytest.raises(Invalid, match="version = 3"):
        await it.install(Policy(version=2, name="another two"))
    here.policy_file.write_bytes(await notary.seal(canonical(Policy(version=2, name="another")), here.signing_key))
    assert only_observes((await it.load()).policy)


async def test_a_policy_that_is_gone_is_not_replaced_by_the_shipped_one(here: Home) -> None:
    it = source(here)
    await it.load()
    await it.install(Policy(version=2, name="strict", autonomy={}))
    await it.load()
    here.policy_file.unlink()
    effective = await it.load()
    assert only_observes(effective.policy)
    assert "there is none yet" in str(effective.problem)


async def test_a_settings_folder_that_is_made_anew_trusts_this_machine_again(here: Home) -> None:
    it = source(here)
    await it.load()
    await it.install(Policy(version=2, name="mine"))
    shutil.rmtree(here.config)
    here.make()
    effective = await source(here).load()
    assert (effective.problem, effective.policy.name) == (None, "mine")


async def test_where_somebody_else_is_trusted_no_policy_is_made_up(here: Home) -> None:
    here.trusted.mkdir()
    (here.trusted / "hub.pub").write_text(b64encode(bytes(range(32))).decode() + " the hub\n")
    effective = await source(here).load()
    assert only_observes(effective.policy)
    assert not here.policy_file.exists()
    assert trusted_keys(here) == {bytes(range(32))}


@pytest.mark.parametrize("what", ["trusted", "trusted/this-machine.pub", ".", "floor.toml"])
async def test_what_others_can_write_is_not_believed(here: Home, what: str) -> None:
    here.floor_file.write_text("")
    it = source(here)
    await it.load()
    (here.config / what).chmod(0o777)
    assert it.changed() or what == "."
    effective = await it.load()
    assert only_observes(effective.policy)
    assert "can be written by others" in str(effective.problem)


async def test_the_owners_file_takes_away_and_is_noticed(here: Home) -> None:
    it = source(here)
    await it.load()
    assert not it.changed()
    here.floor_file.write_text("risks.disruptive = 'approve'")
    assert it.changed()
    effective = await it.load()
    assert effective.problem is None
    assert most(effective.policy)[Risk.DISRUPTIVE] is Autonomy.APPROVE
    assert most(effective.policy)[Risk.REVERSIBLE] is Autonomy.AUTO
    here.floor_file.unlink()
    assert it.changed()
    assert most((await it.load()).policy)[Risk.DISRUPTIVE] is Autonomy.AUTO


@pytest.mark.parametrize("text", ["autonomy = 'atuo'", "nonsense", "runbooks.no_such = 'observe'", "\x00"])
async def test_an_owners_file_that_is_not_understood_means_hands_off(here: Home, text: str) -> None:
    here.floor_file.write_text(text)
    effective = await source(here).load()
    assert only_observes(effective.policy)
    assert str(here.floor_file) in str(effective.problem)


async def test_a_check_that_cannot_be_made_is_neither_a_yes_nor_forgotten(
    here: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await source(here).load()
    it = source(here)
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    effective = await it.load()
    assert only_observes(effective.policy)
    assert "cannot be checked now" in str(effective.problem)


async def test_a_child_that_dies_is_no_answer(here: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dies = tmp_path / "python"
    dies.write_text("#!/bin/sh\nkill -9 $$\n")
    dies.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dies))
    with pytest.raises(Unavailable, match="cannot be checked now"):
        await notary.unseal(b"{}", [])


def test_a_stop_file_stops_and_says_where_it_is(here: Home) -> None:
    it = source(here)
    assert it.stopped() is None
    here.stop_file.touch()
    assert str(here.stop_file) in str(it.stopped())
    here.stop_file.write_text("ada: the auditors are here\nuntil Friday")
    assert str(it.stopped()).endswith("(ada: the auditors are here)")
    here.stop_file.unlink()
    here.stop_file.symlink_to("/nonexistent")
    assert it.stopped()


LOADS = """
import asyncio, sys
from pathlib import Path
from groundskeeper.agent.home import home
from groundskeeper.agent.policy import PolicySource
from groundskeeper.lib.clock import SystemClock
at = home(Path(sys.argv[1]))
at.make()
effective = asyncio.run(PolicySource(at, SystemClock()).load())
assert effective.problem is None, effective.problem
assert "cryptography" not in sys.modules
"""


def test_the_resident_process_never_loads_what_checks_signatures(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOADS, str(tmp_path)], check=True)


def test_the_settings_of_a_rule_survive_the_way_through_a_signature(here: Home) -> None:
    policy = Policy(version=2, name="mine", rules={"disk_filling": {"ignore": ["/srv"]}})
    assert msgspec.json.decode(canonical(policy), type=Policy) == policy


async def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_allowed(here: Home) -> None:
    if os.geteuid() == 0:
        here.config.rmdir()
        here.config.write_text("a file where the folder should be")
    else:
        here.config.chmod(0o500)
    effective = await source(here).load()
    assert only_observes(effective.policy)
    assert "could not be put in place" in str(effective.problem)
