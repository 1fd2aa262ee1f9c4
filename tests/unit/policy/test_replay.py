"""The past is replayed: under the same policy nothing changes, under another what changes is what should."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundskeeper import wire
from groundskeeper.knowledge.ledger import MemoryLedger
from groundskeeper.model import Autonomy, Budgets, Entry, Fact, Policy, Refused, Risk, Window
from groundskeeper.reasoning.replay import NOT_KNOWN, Replay, Way, replay
from groundskeeper.runbooks import REFLEXES, made
from groundskeeper.simulation import read_script, simulate
from groundskeeper.simulation.host import Answer
from groundskeeper.simulation.world import World

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.json"))
EVER = datetime(2000, 1, 1, tzinfo=UTC)
THEN = Policy(version=1, name="simulated")
OBSERVE = Policy(version=2, name="observe", autonomy={})
ASK = Policy(version=2, name="ask", autonomy=dict.fromkeys(Risk, Autonomy.APPROVE))


async def lived(script: Path) -> list[Entry]:
    ledger = MemoryLedger()
    await simulate(read_script(script), ledger)
    return await ledger.entries()


def under(policy: Policy, lines: Sequence[Entry], before: Policy = THEN) -> Replay:
    return replay(lines, policy, made(REFLEXES, policy.rules), before=before, since=EVER)


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
async def test_under_the_same_policy_everything_is_decided_again_as_it_was(script: Path) -> None:
    lines = await lived(script)
    replayed = under(THEN, lines)
    decided = [line for line in lines if type(line.event).__name__ == "Decided"]
    assert len(replayed.turns) == len(decided) > 0
    assert [turn for turn in replayed.turns if turn.was != turn.would] == []


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
async def test_a_policy_that_only_observes_does_nothing(script: Path) -> None:
    for turn in under(OBSERVE, await lived(script)).turns:
        assert turn.would.way not in (Way.DONE, Way.SPARED)
        assert not turn.would.ended


async def test_what_was_done_and_would_have_been_asked_for_is_shown_beside_its_end() -> None:
    (turn,) = under(ASK, await lived(example("stopped_service"))).turns
    assert (turn.was.way, turn.was.ended) == (Way.DONE, "confirmed")
    assert (turn.would.way, turn.would.ended) == (Way.ASKED, "")
    assert turn.was.steps == turn.would.steps != ()


async def test_who_waits_for_a_person_waits_until_one_comes() -> None:
    replayed = under(ASK, await lived(example("no_help")))
    assert [turn.would.way for turn in replayed.turns] == [Way.ASKED] * len(replayed.turns)
    assert all("still have been with the person" in turn.would.reason for turn in replayed.turns[1:])


async def test_how_a_repair_that_never_ran_would_have_ended_is_not_made_up() -> None:
    async with World(policy=ASK, answers=(Answer(action="EnsureUnitActive", subject="nginx.service"),)) as world:
        world.see(unit("nginx.service", "failed"))
        await world.after(5)
        lines = await world.ledger.entries()
    replayed = under(THEN, lines, before=ASK)
    assert [(turn.was.way, turn.would.way, turn.would.ended) for turn in replayed.turns] == [
        (Way.ASKED, Way.DONE, NOT_KNOWN)
    ]
    assert "How 1 of the repairs would have ended" in " ".join(replayed.cannot_know)


async def test_what_would_have_been_repaired_at_once_needs_no_approval_later() -> None:
    answers = (Answer(action="EnsureUnitActive", subject="nginx.service", then=(unit("nginx.service", "active"),)),)
    async with World(policy=ASK, answers=answers) as world:
        world.see(unit("nginx.service", "failed"))
        await world.after(5)
        (incident,) = await world.ledger.incidents()
        await world.engine.approve(incident.id, "ada")
        await world.after(5)
        lines = await world.ledger.entries()
    assert [turn.would.way for turn in under(THEN, lines, before=ASK).turns] == [Way.DONE, Way.SPARED]
    same = under(ASK, lines, before=ASK)
    assert [(turn.was.way, turn.would.way) for turn in same.turns] == [(Way.ASKED,) * 2, (Way.DONE,) * 2]


async def test_a_rule_with_another_setting_judges_what_was_seen() -> None:
    lines = await lived(example("full_disk"))
    blind = Policy(version=2, rules={"disk_filling": {"ignore": ["/var"]}})
    (turn,) = under(blind, lines).turns
    assert (turn.was.way, turn.would.way) == (Way.DONE, Way.UNSEEN)


async def test_a_trouble_that_only_the_other_settings_find_is_shown_when_they_would_have() -> None:
    shy = Policy(version=1, rules={"disk_filling": {"ignore": ["/var"]}})
    async with World(policy=shy) as world:
        for fact in facts_of(example("full_disk")):
            world.see(fact)
            await world.after(1)
        lines = await world.ledger.entries()
        begin = world.clock.now() - timedelta(seconds=60)
    assert under(shy, lines, before=shy).turns == ()
    (turn,) = under(THEN, lines, before=shy).turns
    assert (turn.was.way, turn.would.way, turn.incident) == (Way.UNSEEN, Way.DONE, None)
    assert turn.at > begin


async def test_budgets_count_what_the_other_policy_would_have_done_not_what_was() -> None:
    """The second attempt is one too many for a budget of one, and would not have been the second without the first."""
    lines = await lived(example("no_help"))
    once = Policy(version=2, budgets=Budgets(attempts=1))
    ways = [turn.would.way for turn in under(once, lines).turns]
    assert ways[0] is Way.DONE
    assert Way.DONE not in ways[1:]
    assert Way.REFUSED in ways


async def test_a_freeze_would_have_made_it_wait() -> None:
    lines = await lived(example("stopped_service"))
    begin = lines[0].at
    freeze = Window(name="accounts", start=begin.time(), end=(begin + timedelta(hours=1)).time())
    (turn,) = under(Policy(version=2, windows=(freeze,)), lines).turns
    assert turn.would.way is Way.WAITED
    assert "accounts" in turn.would.reason


async def test_where_all_was_stopped_it_would_have_been_stopped_under_any_policy() -> None:
    async with World() as world:
        world.stopped = "the file stop is there"
        world.see(unit("nginx.service", "failed"))
        await world.after(3)
        lines = await world.ledger.entries()
    (turn,) = under(THEN, lines).turns
    assert (turn.was.way, turn.would.way) == (Way.WAITED, Way.WAITED)


def test_nothing_recorded_is_said_so() -> None:
    assert under(THEN, []).cannot_know == ("Nothing is recorded yet.",)


async def test_only_what_was_decided_since_is_told() -> None:
    lines = await lived(example("no_help"))
    everything = under(THEN, lines).turns
    late = replay(lines, THEN, made(REFLEXES, {}), before=THEN, since=everything[-1].at)
    assert late.turns == everything[-1:]


def example(name: str) -> Path:
    return next(path for path in EXAMPLES if path.stem == name)


def facts_of(script: Path) -> list[Fact]:
    return [scene.fact for scene in read_script(script).scenes]


def unit(name: str, active: str) -> Fact:
    sub = "running" if active == "active" else "failed"
    return wire.from_plain({"type": "UnitState", "unit": name, "active": active, "sub": sub, "wanted": True}, Fact)


UNITS = ("a.service", "b.service")
DEEDS = st.one_of(
    st.tuples(st.just("breaks"), st.sampled_from(UNITS)),
    st.tuples(st.just("heals"), st.sampled_from(UNITS)),
    st.tuples(st.just("time"), st.sampled_from([0.2, 2.0, 40.0, 1000.0])),
    st.tuples(st.sampled_from(["approve", "undo", "stop", "start"]), st.just("")),
)
ANY_POLICY = st.builds(
    Policy,
    version=st.just(1),
    autonomy=st.dictionaries(st.sampled_from(list(Risk)), st.sampled_from(list(Autonomy)))
    | st.just(dict.fromkeys(Risk, Autonomy.AUTO))
    | st.just(dict.fromkeys(Risk, Autonomy.APPROVE)),
    budgets=st.builds(
        Budgets,
        attempts=st.integers(1, 3),
        cooldown=st.sampled_from([timedelta(), timedelta(seconds=2)]),
        repeats=st.integers(1, 4),
        at_once=st.integers(1, 3),
        per_day=st.dictionaries(st.sampled_from(list(Risk)), st.integers(0, 4)),
    ),
    protected=st.sampled_from([(), ("unit:a*",)]),
    windows=st.sampled_from([(), (Window(name="w", start=time(9, 30), end=time(9, 40)),)]),
)


@settings(max_examples=30, deadline=None)
@given(ANY_POLICY, st.lists(DEEDS, min_size=1, max_size=12), st.booleans())
def test_whatever_happened_the_same_policy_decides_it_again_as_it_was(
    policy: Policy, deeds: list[tuple[str, str | float]], helps: bool
) -> None:
    lines = asyncio.run(live(policy, deeds, helps))
    for turn in under(policy, lines, before=policy).turns:
        assert turn.was == turn.would


async def live(policy: Policy, deeds: list[tuple[str, str | float]], helps: bool) -> list[Entry]:
    answers = [
        Answer(action="EnsureUnitActive", subject=name, helps=helps, then=(unit(name, "active"),) if helps else ())
        for name in UNITS
    ]
    async with World(policy=policy, answers=answers) as world:
        for deed, what in deeds:
            await do(world, deed, what)
            await world.after(0.05)
        await world.after(60)
        return await world.ledger.entries()


async def do(world: World, deed: str, what: str | float) -> None:
    match deed, what:
        case "time", float():
            await world.after(what)
        case "breaks", str():
            world.host.so.clear()
            world.see(unit(what, "failed"))
        case "heals", str():
            world.see(unit(what, "active"))
        case "approve", _:
            for incident in await world.ledger.incidents():
                with suppress(Refused):
                    await world.engine.approve(incident.id, "ada")
        case "undo", _:
            for change in await world.ledger.changes():
                with suppress(Refused):
                    await world.engine.undo(change.id, "ada")
        case _:
            world.stopped = "the file is there" if deed == "stop" else None
