"""The score of the first storm is a promise."""

from xml.etree import ElementTree

import pytest

from groundskeeper.lab.agents import Agents
from groundskeeper.lab.drawing import draw
from groundskeeper.lab.faults import STORMS
from groundskeeper.lab.scoring import missed
from groundskeeper.lab.storm import play_storm


@pytest.fixture(scope="module")
def score(office):
    """The whole storm, played once for all that is asked of it."""
    played = play_storm(office, "first", STORMS["first"], lambda how, felt: print(how, felt.fault, felt.impact_ms))
    yield played
    Agents(office).end()


def test_nine_of_ten_are_settled_without_a_person(score):
    due = [line for line in score.lines if line.expected]
    assert len(missed(due)) <= len(due) // 10, missed(due)


def test_nothing_is_made_worse(score):
    assert score.made_worse == ()


def test_no_change_is_left_unconfirmed(score):
    assert score.left_unconfirmed == 0


def test_what_is_a_persons_turn_is_left_to_a_person(score):
    settled = {line.name for line in score.lines if not line.expected and line.settled}
    assert settled <= {"memory-runaway"}, "only a program that runs into its cap may happen to end by itself"


def test_nothing_would_have_passed_by_itself(score):
    assert [line.name for line in score.lines if line.unaided_settled] == []


def test_whoever_acted_is_named(score):
    assert [line.name for line in score.lines if line.settled and line.expected and not line.by] == []


def test_nobody_acting_costs_the_client_several_times_as_much(score):
    settled = [line for line in score.lines if line.settled]
    assert sum(line.unaided_ms for line in settled) > 3 * sum(line.impact_ms for line in settled)


def test_the_picture_shows_every_fault(score):
    picture = draw(score)
    ElementTree.fromstring(picture)
    assert all(line.name in picture for line in score.lines)
