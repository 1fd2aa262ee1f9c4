"""Death at every port call, failure of every ledger call: nothing is done twice, nothing is left half-way.

Each test that shows a promise kept has a brother that plants a bug and shows the same harness finding it.
"""

import random
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundskeeper.engine.envelope import Envelope
from groundskeeper.model import Ledger, Unavailable
from groundskeeper.testing import Death, Failure

from . import planted
from .lives import STORIES, EnvelopeKind, Lives, Story

SHARED_MEMORY = Path("/dev/shm")
"""Where it is there: thousands of durable commits are not about this machine's disk."""


def plain(ledger: Ledger) -> Ledger:
    return ledger


async def killed_everywhere(
    story: Story,
    envelope: EnvelopeKind = Envelope,
    wrap: Callable[[Ledger], Ledger] = plain,
    *,
    file: Path | None = None,
    reboot: bool = False,
) -> tuple[int, list[str]]:
    """How many deaths there were, one at each port call, before and after its effect; and what was broken by them."""
    deaths, found = 0, []
    for after in (False, True):
        for at in count(1):
            death = Death(at, after=after)
            lives = Lives(story, fresh(file), envelope, wrap)
            await lives.live(death)
            if not death.struck:
                break
            deaths += 1
            if reboot:
                lives.reboot()
            await lives.live()
            when = "after" if after else "before"
            found += [f"killed {when} call {at} ({death.calls[-1]}): {one}" for one in await lives.broken_promises()]
    return deaths, found


def fresh(file: Path | None) -> Path | None:
    if file:
        for old in file.parent.glob(f"{file.name}*"):
            old.unlink()
    return file


@pytest.mark.parametrize("reboot", [False, True], ids=["killed", "rebooted"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_a_death_at_any_call_leaves_nothing_twice_and_nothing_half(story: Story, reboot: bool) -> None:
    deaths, found = await killed_everywhere(story, reboot=reboot)
    assert deaths > 40
    assert not found


@pytest.mark.parametrize("story", STORIES[:4], ids=lambda story: story.name)
async def test_so_it_is_with_a_ledger_on_disk(story: Story, tmp_path: Path) -> None:
    shared = SHARED_MEMORY if SHARED_MEMORY.is_dir() else tmp_path
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        deaths, found = await killed_everywhere(story, file=Path(folder) / "ledger.db")
    assert deaths > 40
    assert not found


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_deaths_during_recovery_change_nothing_about_that(story: Story) -> None:
    rng = random.Random(story.name)
    for _ in range(40):
        lives, trail = Lives(story), []
        for _ in range(rng.choice((2, 2, 3))):
            death = Death(rng.randint(1, 25), after=rng.random() < 0.5)
            await lives.live(death)
            trail.append(f"call {len(death.calls)} ({death.calls[-1]})")
            if rng.random() < 0.3:
                lives.reboot()
                trail.append("reboot")
        await lives.live()
        assert not await lives.broken_promises(), trail


@pytest.mark.parametrize("times", [1, 3, 20])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_a_full_disk_at_any_call_of_the_ledger_is_waited_out(story: Story, times: int) -> None:
    for at in count(1):
        failure = Failure(at, times, lambda: Unavailable("the disk is full"))
        lives = Lives(story)
        await lives.live(failure)
        if not failure.struck:
            assert at > 20
            return
        assert not await lives.broken_promises(), f"from call {at} ({failure.calls[at - 1]}) on"


PLANTED: tuple[tuple[EnvelopeKind, str, bool, str], ...] = (
    (planted.EffectFirst, "mended", False, "no change says so"),
    (planted.EffectFirst, "contained", False, "no change says so"),
    (planted.NeverAsks, "no help", False, "does not help"),
    (planted.AppliesAgain, "mended", False, "applied twice"),
    (planted.ForgetsTheUndo, "no help", False, "no change says so"),
    (planted.NeverRecovers, "mended", False, "unsettled"),
    (planted.TakesItsWord, "no help", False, "no change says so"),
    (planted.TrustsAnOldLook, "mended", True, "without a probe"),
)


@pytest.mark.parametrize(
    ("envelope", "story", "reboot", "says"), PLANTED, ids=lambda value: getattr(value, "__name__", value)
)
async def test_the_harness_finds_a_planted_bug(envelope: EnvelopeKind, story: str, reboot: bool, says: str) -> None:
    (told,) = (one for one in STORIES if one.name == story)
    _, found = await killed_everywhere(told, envelope, reboot=reboot)
    assert any(says in one for one in found), found


async def test_the_harness_finds_a_ledger_that_is_not_durable() -> None:
    _, found = await killed_everywhere(STORIES[0], wrap=planted.Forgetful)  # type: ignore[arg-type]
    assert any("no change says so" in one for one in found), found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)), again=st.lists(st.integers(0, 5), max_size=8), story=st.sampled_from(STORIES))
async def test_observations_twice_and_out_of_order_change_nothing(
    order: list[int], again: list[int], story: Story
) -> None:
    lives = Lives(story)
    lives.echoes = [*order, *again]
    await lives.live()
    assert not await lives.broken_promises()
    assert len(await lives.ledger().incidents(live=False)) <= 1 + story.undone
