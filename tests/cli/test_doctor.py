"""The doctor looks at what is really here, and names what helps."""

import sqlite3


def checks(ended):
    return {check["what"]: check for check in ended.json["checks"]}


def test_a_new_machine_has_nothing_wrong_and_is_told_what_to_do_next(run):
    ended = run("doctor", "--json")
    assert ended.code == 0
    assert ended.json["in_order"] is True
    found = checks(ended)
    assert found["agent"] == {
        "what": "agent", "state": "limited", "reason": "none runs here", "next": "groundskeeper up",
    }  # fmt: skip
    assert {"rights", "services", "firewall", "pressure", "policy", "the ledger", "room"} <= set(found)
    assert "none runs here" in run("doctor").out


def test_a_ledger_that_was_tampered_with_is_not_in_order(run, lived):
    assert checks(run("doctor", "--json"))["the ledger"]["state"] == "good"
    with sqlite3.connect(lived.ledger) as db:
        db.execute("update entries set at = replace(at, '09', '10') where seq = 3")
    db.close()
    ended = run("doctor", "--json")
    assert ended.code == 1
    assert checks(ended)["the ledger"]["state"] == "bad"


def test_stopped_automation_is_not_in_order_and_the_command_that_helps_is_named(run, lived):
    run("stop")
    ended = run("doctor", "--json")
    assert ended.code == 1
    assert checks(ended)["automation"]["next"] == "groundskeeper start"
