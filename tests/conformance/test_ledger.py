"""Every ledger passes this suite."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundskeeper.knowledge.ledger import MemoryLedger, SqliteLedger
from groundskeeper.model import (
    Change,
    ChangeId,
    Corrupt,
    Decided,
    Decline,
    DeviceId,
    Finding,
    Incident,
    IncidentId,
    Invalid,
    Ledger,
    Phase,
    Said,
    Severity,
    Stage,
    UnknownAction,
)

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    made: Ledger = MemoryLedger() if request.param == "memory" else SqliteLedger(tmp_path / "ledger.db")
    yield made
    await made.close()


def incident(id: str = "i1", subject: str = "nginx.service", at: datetime = AT) -> Incident:
    finding = Finding(
        rule="service_down", device=DeviceId("web-1"), subject=subject, severity=Severity.CRITICAL, reason="it stopped"
    )
    return Incident(id=IncidentId(id), finding=finding, phase=Phase.OPEN, since=at, moved_at=at, reason="it stopped")


def change(id: str = "c1", of: str = "i1", stage: Stage = Stage.INTENT, generation: int = 0) -> Change:
    return Change(
        id=ChangeId(id),
        incident=IncidentId(of),
        fingerprint="f",
        runbook="start_service",
        action=UnknownAction({"type": "EnsureGardenWatered", "litres": 3}),
        by="reflex",
        policy="p",
        stage=stage,
        intended_at=AT,
        moved_at=AT,
        reason="because",
        generation=generation,
    )


async def test_a_new_incident_is_kept_once_while_it_is_live(ledger: Ledger) -> None:
    assert await ledger.open(incident("i1"))
    assert not await ledger.open(incident("i2")), "the same trouble, live already"
    assert await ledger.open(incident("i3", subject="ssh.service"))
    assert [one.id for one in await ledger.incidents()] == ["i1", "i3"]
    assert await ledger.incident(IncidentId("i1")) == incident("i1")
    assert await ledger.incident(IncidentId("nobody")) is None


async def test_trouble_that_was_resolved_may_come_again(ledger: Ledger) -> None:
    first = incident("i1")
    await ledger.open(first)
    assert await ledger.advance(first.move(Phase.RESOLVED, AT, "over"))
    assert await ledger.open(incident("i2"))
    assert [one.id for one in await ledger.incidents()] == ["i2"]
    assert len(await ledger.incidents(live=False)) == 2


async def test_only_one_of_two_who_saw_the_same_generation_moves_it(ledger: Ledger) -> None:
    first = incident()
    await ledger.open(first)
    claims = [await ledger.advance(first.move(Phase.MITIGATING, AT, who)) for who in ("a", "b")]
    assert claims == [True, False]
    stored = await ledger.incident(first.id)
    assert stored and (stored.phase, stored.generation, stored.reason) == (Phase.MITIGATING, 1, "a")


async def test_a_claim_and_its_intents_are_kept_together_or_not_at_all(ledger: Ledger) -> None:
    first = incident()
    await ledger.open(first)
    claim = first.move(Phase.MITIGATING, AT, "a plan")
    said = Decided(decision=Decline(runbook="r", reason="for the test"))
    assert await ledger.intend(claim, [change("c1"), change("c2")], [said])
    assert not await ledger.intend(claim, [change("c3")], []), "the claim was lost"
    assert [one.id for one in await ledger.changes()] == ["c1", "c2"]
    kinds = [type(line.event).__name__ for line in await ledger.entries(incident=first.id)]
    assert kinds == ["Found", "Moved", "Decided", "Stepped", "Stepped"]


async def test_a_change_steps_only_from_the_generation_it_was_read_at(ledger: Ledger) -> None:
    first = incident()
    await ledger.open(first)
    await ledger.intend(first.move(Phase.MITIGATING, AT, "x"), [change()], [])
    assert await ledger.step(change(stage=Stage.APPLYING, generation=1))
    assert not await ledger.step(change(stage=Stage.REFUSED, generation=1)), "somebody else stepped first"
    assert [one.stage for one in await ledger.changes(unsettled=True)] == [Stage.APPLYING]
    assert await ledger.step(change(stage=Stage.CONFIRMED, generation=2))
    assert await ledger.changes(unsettled=True) == []
    assert await ledger.change(ChangeId("c1")) == change(stage=Stage.CONFIRMED, generation=2)
    assert not await ledger.step(change("nobody", generation=1))


async def test_an_action_of_an_unknown_kind_comes_back_as_it_was(ledger: Ledger) -> None:
    first = incident()
    await ledger.open(first)
    await ledger.intend(first.move(Phase.MITIGATING, AT, "x"), [change()], [])
    (stored,) = await ledger.changes()
    assert stored.action.describe() == "an action of an unknown kind (EnsureGardenWatered)"


async def test_entries_are_in_order_by_page_and_by_incident(ledger: Ledger) -> None:
    await ledger.record(AT, [Said(who="ada", what=str(n)) for n in range(5)])
    await ledger.open(incident())
    assert [line.seq for line in await ledger.entries()] == [1, 2, 3, 4, 5, 6]
    assert [line.seq for line in await ledger.entries(after=2, limit=2)] == [3, 4]
    assert [line.seq for line in await ledger.entries(incident=IncidentId("i1"))] == [6]
    assert await ledger.verify() == 6


async def test_changes_and_incidents_can_be_asked_since_a_time(ledger: Ledger) -> None:
    old, new = incident("i1", at=AT), incident("i2", subject="b", at=AT + timedelta(hours=1))
    for one in (old, new):
        await ledger.open(one)
    assert [one.id for one in await ledger.incidents(since=AT + timedelta(minutes=1))] == ["i2"]
    await ledger.intend(old.move(Phase.MITIGATING, AT, "x"), [change()], [])
    assert await ledger.changes(since=AT + timedelta(seconds=1)) == []
    assert len(await ledger.changes(since=AT, incident=IncidentId("i1"))) == 1


async def test_what_is_old_can_be_forgotten_and_the_rest_still_verifies(ledger: Ledger) -> None:
    old = incident("i1")
    await ledger.open(old)
    await ledger.advance(old.move(Phase.RESOLVED, AT, "over"))
    later = AT + timedelta(days=400)
    await ledger.open(incident("i2", at=later))
    assert await ledger.forget(later - timedelta(days=1)) == 2
    assert [one.id for one in await ledger.incidents(live=False)] == ["i2"]
    assert await ledger.verify() == 1
    await ledger.record(later, [Said(who="ada", what="after")])
    assert [line.seq for line in await ledger.entries()] == [3, 4]
    assert await ledger.verify() == 2


async def test_sqlite_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    first = SqliteLedger(path)
    await first.open(incident())
    await first.forget(AT + timedelta(days=1))
    second = SqliteLedger(path)  # the first was never closed, as after a kill -9
    assert [one.id for one in await second.incidents()] == ["i1"]
    await second.record(AT, [Said(who="ada", what="more")])
    assert await second.verify() == 1
    await first.close()
    await second.close()


@pytest.mark.parametrize(
    "tamper",
    [
        "update entries set at = '2020-01-01T00:00:00.000000+00:00' where seq = 2",
        "update entries set event = replace(event, 'ada', 'eve') where seq = 2",
        "delete from entries where seq = 2",
        "update entries set seq = 9 where seq = 2",
        "delete from entries where seq = 1",
    ],
)
async def test_sqlite_shows_any_line_that_was_tampered_with(tmp_path: Path, tamper: str) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    await ledger.record(AT, [Said(who="ada", what=str(n)) for n in range(3)])
    assert await ledger.verify() == 3
    with sqlite3.connect(ledger.path) as db:
        db.execute(tamper)
    db.close()
    with pytest.raises(Corrupt, match="line"):
        await ledger.verify()
    await ledger.close()


def test_sqlite_says_what_to_do_with_a_file_that_is_none_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this was never a ledger, but it is long enough to look like a file" * 40)
    with pytest.raises(Corrupt, match="move it away"):
        SqliteLedger(tmp_path / "ledger.db")


async def test_sqlite_refuses_a_file_from_a_newer_version(tmp_path: Path) -> None:
    await SqliteLedger(tmp_path / "ledger.db").close()
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("update about set value = '99' where key = 'version'")
    db.close()
    with pytest.raises(Invalid, match="newer"):
        SqliteLedger(tmp_path / "ledger.db")


async def test_sqlite_leaves_no_transaction_open_whatever_went_wrong_in_it(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    first = incident()
    await ledger.open(first)
    with sqlite3.connect(ledger.path) as db:
        db.execute("update incidents set body = 'this is no incident'")
    db.close()
    with pytest.raises(Corrupt, match="not a Incident"):
        await ledger.advance(first.move(Phase.MITIGATING, AT, "x"))
    assert await ledger.open(incident("i2", subject="ssh.service")), "the next one is not refused"
    assert await ledger.verify() == 2
    await ledger.close()
