"""The whole loop on a made-up host and clock: what happens, in what order, and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import ClassVar

import pytest

from groundskeeper.model import (
    Action,
    Autonomy,
    Budgets,
    Cause,
    ChangeId,
    Decline,
    DeviceId,
    Fact,
    Finding,
    Incident,
    Moved,
    Observation,
    Phase,
    Policy,
    Probe,
    Refused,
    Risk,
    Severity,
    Snapshot,
    Stage,
    Stepped,
    Value,
    Watching,
    Window,
)
from groundskeeper.runbooks import Reflex
from groundskeeper.subsystems.firewall.types import EnsureSourceBanned
from groundskeeper.subsystems.systemd.types import EnsureUnitActive
from groundskeeper.testing import Answer, World

DEVICE = DeviceId("web-1")


class Broken(Value, tag=False):
    """Finds whatever is not possible. `lasts` in seconds."""

    lasts: float = 0.0
    name: ClassVar[str] = "broken"
    watches: ClassVar[tuple[type[Fact], ...]] = (Watching,)
    causes: ClassVar[tuple[Cause, ...]] = (Cause(rule="flooded"),)

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, fact in snapshot.of(Watching):
            if not fact.possible and fact.what != "cellar":
                yield finding(self.name, seen, fact, timedelta(seconds=self.lasts))


class Flooded(Value, tag=False):
    name: ClassVar[str] = "flooded"
    watches: ClassVar[tuple[type[Fact], ...]] = (Watching,)
    causes: ClassVar[tuple[Cause, ...]] = ()

    def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
        for seen, fact in snapshot.of(Watching):
            if not fact.possible and fact.what == "cellar":
                yield finding(self.name, seen, fact, timedelta())


def finding(rule: str, seen: Observation, fact: Watching, lasts: timedelta) -> Finding:
    return Finding(
        rule=rule,
        device=seen.device,
        subject=fact.what,
        severity=Severity.CRITICAL,
        reason=fact.reason,
        evidence=(seen,),
        lasts=lasts,
    )


class Mend:
    name = "mend"

    def __init__(self, rule: Broken) -> None:
        pass

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        subject = incident.finding.subject
        if subject == "attacked":
            ban = EnsureSourceBanned(
                device=DEVICE, source="203.0.113.9", duration=timedelta(minutes=10), reason="guessing"
            )
            return [ban]
        return [EnsureUnitActive(device=DEVICE, unit=part) for part in subject.split("+")]


class Leave:
    name = "leave"

    def __init__(self, rule: Flooded) -> None:
        pass

    def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
        return Decline(runbook=self.name, reason="a person must look at the cellar")


REFLEXES = (Reflex(Broken, Mend), Reflex(Flooded, Leave))
GENEROUS = Budgets(attempts=2, cooldown=timedelta(), repeats=100, at_once=9)


def policy(**more: object) -> Policy:
    return Policy(version=1, budgets=more.pop("budgets", GENEROUS), **more)  # type: ignore[arg-type]


def world(*answers: Answer, **more: object) -> World:
    more.setdefault("policy", policy())
    return World(device=DEVICE, answers=answers, reflexes=REFLEXES, **more)  # type: ignore[arg-type]


def broken(what: str = "web") -> Watching:
    return Watching(what=what, possible=False, reason=f"{what} is broken")


def fine(what: str = "web") -> Watching:
    return Watching(what=what, possible=True, reason="fine")


MENDS = Answer(action="EnsureUnitActive", subject="web", then=(fine(),))


async def phases(made: World) -> list[str]:
    steps = [line.event.transition for line in await made.ledger.entries() if isinstance(line.event, Moved)]
    return [step.to.value for step in steps]


async def stages(made: World) -> list[str]:
    return [line.event.stage.value for line in await made.ledger.entries() if isinstance(line.event, Stepped)]


async def only(made: World, live: bool = False) -> Incident:
    (incident,) = await made.ledger.incidents(live=live)
    return incident


async def test_what_breaks_is_mended_watched_and_resolved() -> None:
    async with world(MENDS) as made:
        made.see(broken())
        await made.after(2)
        assert await phases(made) == ["mitigating", "watching"]
        await made.after(60)
        assert await phases(made) == ["mitigating", "watching", "resolved"]
        assert await stages(made) == ["intent", "applying", "applied", "confirmed"]
        assert made.host.applied.total() == 1


async def test_intent_and_undo_are_written_before_anything_is_touched() -> None:
    async with world(Answer(action="*", takes=5)) as made:
        made.see(broken())
        await made.after(1)
        (change,) = await made.ledger.changes()
        assert change.stage is Stage.APPLYING
        assert change.undo is not None
        assert made.host.applied.total() == 0


async def test_what_does_not_help_is_taken_back_then_tried_once_more_then_handed_over() -> None:
    async with world(Answer(action="*", helps=False)) as made:
        made.see(broken())
        await made.after(120)
        assert made.host.applied.total() == 2
        assert made.host.put_back.total() == 2
        assert not made.host.so, "nothing may stay changed"
        incident = await only(made)
        assert incident.phase is Phase.ESCALATED
        assert "tried 2 times" in incident.reason


async def test_an_action_that_hangs_is_given_up_and_taken_back() -> None:
    async with world(Answer(action="*", hangs=True), policy=policy(budgets=Budgets(attempts=1))) as made:
        made.see(broken())
        await made.after(60)
        (change,) = await made.ledger.changes()
        assert change.stage is Stage.REVERTED
        assert "took longer" in change.reason


async def test_what_cannot_be_taken_back_and_did_not_help_goes_to_a_person_in_the_end() -> None:
    async with world(Answer(action="*", helps=False, undoable=False)) as made:
        made.see(broken())
        await made.after(120)
        assert [change.stage for change in await made.ledger.changes()] == [Stage.FAILED, Stage.NOOP]
        assert (await only(made)).phase is Phase.ESCALATED


async def test_what_is_so_already_is_a_noop_with_its_reason() -> None:
    async with world() as made:
        made.host.so.add(("EnsureUnitActive", "web"))
        made.see(broken())
        await made.after(1)
        (change,) = await made.ledger.changes()
        assert (change.stage, change.reason) == (Stage.NOOP, "web is running already")
        assert made.host.applied.total() == 0


async def test_trouble_that_returns_is_worked_on_again_until_it_counts_as_flapping() -> None:
    budgets = Budgets(attempts=99, cooldown=timedelta(seconds=1), repeats=3)
    async with world(MENDS, policy=policy(budgets=budgets)) as made:
        for _ in range(5):
            made.host.so.clear()
            made.see(broken())
            await made.after(40)
            made.see(fine())
            await made.after(40)
        assert made.host.applied.total() == 3
        reasons = [incident.reason for incident in await made.ledger.incidents(live=False)]
        assert any("the cause needs a person" in line.event.transition.reason for line in await made.ledger.entries()
                   if isinstance(line.event, Moved)), reasons  # fmt: skip


async def test_a_finding_has_to_last_before_it_is_believed() -> None:
    slow = policy(rules={"broken": {"lasts": 5.0}})
    async with world(MENDS, policy=slow) as made:
        made.see(broken())
        await made.after(3)
        assert (await only(made)).phase is Phase.PENDING
        made.see(fine())
        await made.after(3)
        assert await phases(made) == ["resolved"]
        made.see(broken())
        await made.after(6)
        assert made.host.applied.total() == 1


async def test_it_is_believed_when_it_has_lasted_and_not_at_the_next_full_second() -> None:
    async with world(MENDS, policy=policy(rules={"broken": {"lasts": 0.02}})) as made:
        made.see(broken())
        await made.after(0.2)
        assert made.host.applied.total() == 1


async def test_the_same_observation_twice_and_an_older_one_late_change_nothing() -> None:
    async with world(MENDS) as made:
        seen = Observation(device=DEVICE, at=made.clock.now(), fact=broken())
        for _ in range(3):
            made.engine.observe(seen)
        await made.after(2)
        made.engine.observe(seen)
        await made.after(2)
        assert made.host.applied.total() == 1
        assert len(await made.ledger.incidents(live=False)) == 1


async def test_a_symptom_folds_into_its_cause_and_is_left_alone_until_that_is_over() -> None:
    async with world(MENDS) as made:
        made.see(broken("cellar"))
        made.see(broken())
        await made.after(5)
        assert made.host.applied.total() == 0
        by_subject = {incident.finding.subject: incident for incident in await made.ledger.incidents()}
        assert by_subject["web"].cause == by_subject["cellar"].id
        assert by_subject["cellar"].phase is Phase.ESCALATED
        made.see(fine("cellar"))
        await made.after(2)
        assert made.host.applied.total() == 1, "the cause is over and it is still there"


async def test_nothing_is_done_while_automation_is_stopped_and_it_goes_on_by_itself_afterwards() -> None:
    async with world(MENDS) as made:
        made.stopped = "the file /etc/groundskeeper/stop is there"
        made.see(broken())
        await made.after(30)
        assert made.host.applied.total() == 0
        assert (await only(made)).phase is Phase.OPEN
        assert len(await made.ledger.entries()) < 8, "the same refusal is said once"
        made.stopped = None
        await made.after(3)
        assert made.host.applied.total() == 1


async def test_under_observe_nothing_is_done_and_the_plan_is_shown() -> None:
    observe = policy(autonomy=dict.fromkeys(Risk, Autonomy.OBSERVE))
    async with world(MENDS, policy=observe) as made:
        made.see(broken())
        await made.after(5)
        assert made.host.applied.total() == 0
        kinds = [type(line.event).__name__ for line in await made.ledger.entries(incident=(await only(made)).id)]
        assert kinds == ["Found", "Decided", "Judged", "Moved"]


async def test_an_approval_carries_the_plan_out() -> None:
    async with world(MENDS, policy=policy(autonomy=dict.fromkeys(Risk, Autonomy.APPROVE))) as made:
        made.see(broken())
        await made.after(5)
        waiting = await only(made)
        assert waiting.phase is Phase.ESCALATED
        assert made.host.applied.total() == 0
        await made.engine.approve(waiting.id, "ada")
        await made.after(2)
        assert made.host.applied.total() == 1
        with pytest.raises(Refused):
            await made.engine.approve(waiting.id, "ada")


async def test_containment_ends_by_itself() -> None:
    async with world(Answer(action="*")) as made:
        made.see(broken("attacked"))
        await made.after(5)
        assert len(made.host.so) == 1
        made.see(fine("attacked"))
        await made.after(11 * 60)
        assert not made.host.so
        assert "its time is over" in (await made.ledger.changes())[0].reason


async def test_a_person_takes_a_change_back_and_the_loop_does_not_do_it_again() -> None:
    async with world(MENDS) as made:
        made.see(broken())
        await made.after(5)
        (change,) = await made.ledger.changes()
        await made.engine.undo(change.id, "ada")
        assert not made.host.so
        made.see(broken())
        await made.after(60)
        assert made.host.applied.total() == 1
        assert "ada took this back" in (await only(made, live=True)).reason
        with pytest.raises(Refused, match="nothing to take back"):
            await made.engine.undo(change.id, "ada")
        with pytest.raises(Refused, match="no change"):
            await made.engine.undo(ChangeId("nobody"), "ada")


async def test_the_first_step_that_fails_ends_the_plan() -> None:
    answers = (Answer(action="*", subject="a", helps=False), Answer(action="*", subject="b"))
    async with world(*answers, policy=policy(budgets=Budgets(attempts=1, at_once=9))) as made:
        made.see(broken("a+b"))
        await made.after(60)
        first, second = await made.ledger.changes()
        assert (first.stage, second.stage) == (Stage.REVERTED, Stage.WITHDRAWN)


async def test_a_rule_with_a_fault_is_a_finding_of_its_own_and_blinds_no_other() -> None:
    class Faulty(Flooded, tag=False):
        name: ClassVar[str] = "faulty"

        def judge(self, snapshot: Snapshot, now: datetime) -> Iterable[Finding]:
            raise ZeroDivisionError("by a bug")

    async with World(reflexes=(*REFLEXES, Reflex(Faulty, Leave)), answers=(MENDS,), policy=policy()) as made:
        made.see(broken())
        await made.after(5)
        assert made.host.applied.total() == 1
        assert "rule_faulty" in {incident.finding.rule for incident in await made.ledger.incidents(live=False)}


async def test_an_approval_that_cannot_be_followed_now_is_answered_so_and_is_not_lost_in_silence() -> None:
    asking = policy(autonomy=dict.fromkeys(Risk, Autonomy.APPROVE))
    async with world(MENDS, policy=asking) as made:
        made.see(broken())
        await made.after(1)
        incident = await only(made)
        made.stopped = "the file stop is there"
        with pytest.raises(Refused, match="it is not done now: all automation is stopped"):
            await made.engine.approve(incident.id, "ada")
        made.stopped = None
        await made.engine.approve(incident.id, "ada")
        await made.after(5)
        assert (await only(made)).phase is Phase.WATCHING


async def test_when_much_breaks_at_once_no_more_is_changed_at_the_same_time_than_policy_allows() -> None:
    """Each incident has a task of its own: none may count what is under way before another has written its intent."""
    names = [f"part{number}" for number in range(8)]
    answers = [Answer(action="EnsureUnitActive", subject=name, takes=1.0, then=(fine(name),)) for name in names]
    budgets = Budgets(attempts=2, cooldown=timedelta(), repeats=100, at_once=3)
    async with world(*answers, policy=policy(budgets=budgets)) as made:
        for name in names:
            made.see(broken(name))
        most = 0
        for _ in range(80):
            await made.after(0.25)
            most = max(most, len(await made.ledger.changes(unsettled=True)))
        assert most == 3
        mended = [change.subject for change in await confirmed(made)]
        assert sorted(mended) == names


async def confirmed(made: World) -> list[Action]:
    return [change.action for change in await made.ledger.changes() if change.stage is Stage.CONFIRMED]


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_set_blinds_nobody(hours: int) -> None:
    """A machine whose hardware clock runs on local time starts hours off, and is set right once the network is up."""
    async with world(MENDS) as made:
        made.see(broken())
        await made.after(3)
        assert (await only(made)).phase is Phase.WATCHING
        made.clock.set_by(timedelta(hours=hours))
        made.host.so.clear()
        made.see(broken())
        await made.after(40)
        assert made.host.applied.total() == 2
        await made.after(40)
        assert {incident.phase for incident in await made.ledger.incidents(live=False)} == {Phase.RESOLVED}


async def test_what_has_to_last_lasts_no_longer_because_the_clock_was_set_back() -> None:
    async with world(MENDS, policy=policy(rules={"broken": {"lasts": 5.0}})) as made:
        made.see(broken())
        await made.after(1)
        made.clock.set_by(timedelta(hours=-5))
        await made.after(9)
        assert (await only(made)).phase is Phase.WATCHING


async def test_a_policy_that_allows_more_takes_up_what_only_policy_had_left_to_a_person() -> None:
    async with world(MENDS, policy=policy(autonomy={})) as made:
        made.see(broken())
        await made.after(2)
        assert (await only(made)).phase is Phase.ESCALATED
        made.adopt(policy(name="more"))
        await made.after(3)
        assert (await only(made)).phase is Phase.WATCHING
        assert "policy has changed: it is looked at anew" in [
            line.event.transition.reason for line in await made.ledger.entries() if isinstance(line.event, Moved)
        ]


async def test_a_new_policy_does_not_ask_a_runbook_again_that_left_it_to_a_person() -> None:
    async with world() as made:
        made.see(broken("cellar"))
        await made.after(2)
        steps = await phases(made)
        made.adopt(policy(name="more"))
        await made.after(3)
        assert await phases(made) == steps


async def test_a_new_policy_does_not_try_again_what_did_not_help() -> None:
    useless = Answer(action="EnsureUnitActive", subject="web", helps=False)
    async with world(useless, policy=policy(budgets=Budgets(attempts=1, cooldown=timedelta()))) as made:
        made.see(broken())
        await made.after(60)
        assert (await only(made)).phase is Phase.ESCALATED
        made.adopt(policy(name="more", budgets=Budgets(attempts=1, cooldown=timedelta())))
        await made.after(60)
        assert made.host.applied.total() == 1


async def test_what_one_policy_held_back_until_tonight_another_allows_now() -> None:
    freeze = Window(name="accounts", start=time(9), end=time(23))
    async with world(MENDS, policy=policy(windows=(freeze,))) as made:
        made.see(broken())
        await made.after(5)
        assert made.host.applied.total() == 0
        made.adopt(policy())
        await made.after(3)
        assert made.host.applied.total() == 1


async def test_a_wait_of_seconds_does_not_last_hours_because_the_clock_was_set_back() -> None:
    useless = Answer(action="EnsureUnitActive", subject="web", helps=False)
    async with world(useless, policy=policy(budgets=Budgets(cooldown=timedelta(seconds=20)))) as made:
        made.see(broken())
        while not made.host.applied.total() or (await only(made)).phase is not Phase.OPEN:
            await made.after(1)
        made.clock.set_by(timedelta(hours=-5))
        await made.after(30)
        assert made.host.applied.total() == 2


async def test_an_action_with_a_fault_leaves_no_claim_lying() -> None:
    class Clumsy(EnsureUnitActive, tag="EnsureUnitActive"):
        def probe(self) -> Probe:
            raise ZeroDivisionError("by a bug")

    class Careless(Mend):
        def propose(self, incident: Incident, snapshot: Snapshot) -> Sequence[Action] | Decline:
            return [Clumsy(device=DEVICE, unit="web")]

    async with World(reflexes=(Reflex(Broken, Careless),), policy=policy()) as made:
        made.see(broken())
        await made.after(5)
        incident = await only(made)
        assert incident.phase is Phase.ESCALATED
        assert "a fault in Groundskeeper itself" in incident.reason
