"""What is in the ledger, told to people and to programs."""

import sqlite3

import pytest


def test_an_empty_home_says_that_nothing_is_recorded_and_what_starts_it(run):
    for words in (["incidents"], ["changes"], ["incident", "x"]):
        ended = run(*words)
        assert ended.code == 4
        assert ended.out == ""
        assert "`groundskeeper up`" in ended.err
        assert ended.err.count("\n") == 1


def test_live_incidents_are_listed_and_settled_ones_on_request(run, lived):
    live = run("incidents")
    assert "postgresql@15-main.service on db-1" in live.out
    assert "waits for a person" in live.out
    assert "nginx" not in live.out
    everything = run("incidents", "--all")
    assert "nginx.service on web-1" in everything.out
    assert "settled" in everything.out


def test_incidents_as_json_are_the_models_own_values(run, lived):
    (one,) = run("incidents", "--json").json
    assert one["phase"] == "escalated"
    assert one["finding"]["rule"] == "service_down"
    assert len(run("incidents", "--all", "--json").json) == 2


def test_a_timeline_runs_from_the_evidence_to_the_end(run, lived):
    (nginx, _) = run("incidents", "--all", "--json").json
    told = run("incident", nginx["id"], "--json").json
    whats = [moment["what"] for moment in told["timeline"]]
    assert whats == [
        "seen", "finding", "plan", "allowed", "intended", "begun", "on probation", "probe", "confirmed",
        "put right, watched", "settled",
    ]  # fmt: skip
    times = [moment["ms"] for moment in told["timeline"]]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert times[whats.index("on probation")] == 35.0
    assert all(moment["text"] for moment in told["timeline"])
    assert told["incident"] == nginx
    assert [change["stage"] for change in told["changes"]] == ["confirmed"]


def test_a_timeline_for_people_has_each_sentence(run, lived):
    (nginx, _) = run("incidents", "--all", "--json").json
    told = run("incident", nginx["id"]).out
    for sentence in ("nginx.service has failed", "policy simulated v1 allows", "it has stayed well for 30 s", "35.0"):
        assert sentence in told


def test_an_id_may_be_shortened_as_long_as_it_is_one(run, lived):
    (nginx, _) = run("incidents", "--all", "--json").json
    assert run("incident", nginx["id"][:-1], "--json").json["incident"] == nginx
    several = run("incident", "09")
    assert several.code == 2
    assert "2 incidents begin with 09" in several.err
    nobody = run("incident", "zz")
    assert nobody.code == 2
    assert "`groundskeeper incidents --all` lists them" in nobody.err


def test_changes_say_what_became_of_them_and_how_they_are_taken_back(run, lived):
    told = run("changes").out
    assert "nginx.service is running  confirmed after 1.2 s" in told
    assert "taken back" in told
    confirmed = [change for change in run("changes", "--json").json if change["stage"] == "confirmed"]
    assert [f"`groundskeeper undo {change['id']}`" in told for change in confirmed] == [True]


@pytest.mark.parametrize("words", [("undo", "x"), ("approve", "x")])
def test_what_needs_the_agent_says_that_none_runs_and_how_to_start_one(run, lived, words):
    ended = run(*words)
    assert (ended.code, ended.out) == (4, "")
    assert "no agent runs here: `groundskeeper up` starts one" in ended.err


def test_a_damaged_ledger_is_told_in_one_sentence(run, lived):
    lived.ledger.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    ended = run("incidents")
    assert ended.code == 5
    assert "is damaged" in ended.err
    assert ended.err.count("\n") == 1


def test_a_line_of_nonsense_in_the_ledger_is_told_in_one_sentence(run, lived):
    with sqlite3.connect(lived.ledger) as db:
        db.execute("update incidents set body = '{}'")
    db.close()
    ended = run("incidents", "--all")
    assert ended.code == 5
    assert ended.err.count("\n") == 1
