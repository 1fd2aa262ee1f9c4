"""What the screen shows: at every size it fits, and it says in words what it says in marks."""

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from groundskeeper.agent.status import Status
from groundskeeper.cli.gauges import Level, gauges
from groundskeeper.cli.here import home
from groundskeeper.cli.lines import told
from groundskeeper.cli.screen import Screen
from groundskeeper.cli.standing import Looking, Standing
from groundskeeper.cli.summary import autonomy, summary
from groundskeeper.model import (
    Change,
    ChangeId,
    DeviceId,
    Finding,
    Incident,
    IncidentId,
    Observation,
    Phase,
    Severity,
    Stage,
    Watching,
)
from groundskeeper.subsystems.disk.types import Filesystem
from groundskeeper.subsystems.network.types import GatewayReach
from groundskeeper.subsystems.pressure.types import Pressure
from groundskeeper.subsystems.systemd.types import EnsureUnitActive, ServiceAnswers, UnitState
from groundskeeper.subsystems.timekeeping.types import ClockSync

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DEVICE = DeviceId("web-1")
EVERYTHING = {"read": "auto", "reversible": "auto", "disruptive": "auto", "irreversible": "approve"}


def agent(**more):
    usual = {
        "device": "web-1", "pid": 7, "since": AT - timedelta(hours=2), "policy": "office", "policy_version": 3,
        "policy_digest": "d", "policy_problem": None, "stopped": None, "autonomy": EVERYTHING,
        "watching": (
            Watching(what="services", possible=True, reason="watched"),
            Watching(what="sign-ins", possible=False, reason="this machine has no log of sign-ins; " * 4),
        ),
        "incidents": 0, "unsettled_changes": 0,
    }  # fmt: skip
    return Status(**(usual | more))


def seen(*facts):
    return tuple(Observation(device=DEVICE, at=AT, fact=fact) for fact in facts)


def unit(name, active="active"):
    return UnitState(unit=name, active=active, sub="", wanted=True)


def disk(mount="/", available=60, **more):
    return Filesystem(mount=mount, source=f"/dev/{mount}", kind="ext4", size=100, available=available, **more)


HEALTHY = seen(
    unit("nginx.service"),
    unit("ssh.service"),
    disk(),
    Pressure(resource="cpu", high=False, some=0, full=0, since=AT),
    GatewayReach(gateway="10.0.0.1", link="eth0", reachable=True, since=AT, how="asked"),
    ClockSync(synchronised=True, since=AT, offset=timedelta(milliseconds=2)),
)


def incident(phase=Phase.OPEN, subject="nginx.service", number=1):
    finding = Finding(
        rule="service_down", device=DEVICE, subject=subject, severity=Severity.CRITICAL, reason="it is not running"
    )
    return Incident(
        id=IncidentId(f"i{number}"), finding=finding, phase=phase, since=AT, moved_at=AT, reason="tried and tried; " * 9
    )


def change(number=1, stage=Stage.CONFIRMED):
    return Change(
        id=ChangeId(f"c{number}"), incident=IncidentId("i1"), fingerprint="f", runbook="r",
        action=EnsureUnitActive(device=DEVICE, unit="nginx.service"), by="reflex", policy="p", stage=stage,
        intended_at=AT - timedelta(milliseconds=52), moved_at=AT, reason="because",
    )  # fmt: skip


def standing(**more):
    return Standing(**({"at": AT, "agent": agent(), "seen": HEALTHY} | more))


def drawn(shown, width=80, height=None):
    paper = Console(width=width, file=io.StringIO(), force_terminal=False, highlight=False)
    paper.print(Screen(shown, height, keys=height is not None), end="")
    return paper.file.getvalue()


SUMMARIES = [
    (standing(), Level.GOOD, "Everything is green. Nothing needed doing in the last day."),
    (standing(changes=(change(),)), Level.GOOD, "Everything is green. 1 thing was put right in the last day."),
    (
        standing(incidents=(incident(Phase.PENDING),)),
        Level.GOOD,
        "All is well; nginx.service is looked at more closely.",
    ),
    (standing(incidents=(incident(Phase.MITIGATING),)), Level.BAD, "nginx.service is being put right."),
    (
        standing(incidents=(incident(Phase.ESCALATED), incident())),
        Level.WARN,
        "1 thing waits for a person: nginx.service. `groundskeeper incident i1` tells why.",
    ),
    (
        standing(incidents=(incident(Phase.WATCHING),)),
        Level.GOOD,
        "nginx.service was put right just now, and is watched for a while.",
    ),
    (
        standing(stopped="ada", incidents=(incident(),)),
        Level.BAD,
        "All automation is stopped; it is seen and told, nothing is changed. 1 thing is wrong.",
    ),
    (standing(agent=None, absent="no agent runs here"), Level.OFF, "No agent runs here."),
    (standing(agent=agent(policy_problem="it is not signed")), Level.WARN, "Policy is not in order: it is not signed"),
    (standing(seen=seen(disk(read_only=True))), Level.WARN, "Worth a look: /."),
]  # fmt: skip


@pytest.mark.parametrize(("shown", "level", "text"), SUMMARIES, ids=range(len(SUMMARIES)))
def test_one_line_says_it_all(shown, level, text):
    assert summary(shown) == summary(shown).__class__(level=level, text=text)
    assert text in re.sub(r"\s+", " ", drawn(shown))
    assert next(told(shown)) == text


def test_gauges_tell_what_is_seen():
    told_now = {gauge.name: (gauge.level, gauge.text) for gauge in gauges(standing().snapshot)}
    assert told_now == {
        "services": (Level.GOOD, "2 run, as they should"),
        "/": (Level.GOOD, "40 % full, 60 bytes free"),
        "load": (Level.GOOD, "processor: enough"),
        "network": (Level.GOOD, "gateway 10.0.0.1 answers"),
        "clock": (Level.GOOD, "kept right, 2.0 ms off"),
    }


def test_gauges_tell_what_is_wrong():
    bad = seen(
        unit("nginx.service", "failed"),
        unit("db.service"),
        ServiceAnswers(unit="db.service", checks=(), ok=False, reason="silent"),
        disk(available=1),
        Pressure(resource="io", high=True, some=80, full=9, since=AT - timedelta(minutes=3)),
        GatewayReach(gateway="10.0.0.1", link="eth0", reachable=False, since=AT, how="asked"),
        ClockSync(synchronised=False, since=AT),
    )
    told_now = {gauge.name: (gauge.level, gauge.text) for gauge in gauges(standing(seen=bad).snapshot)}
    assert told_now == {
        "services": (Level.BAD, "nginx.service not running; db.service not answering (of 2)"),
        "/": (Level.BAD, "99 % full, 1 bytes free"),
        "load": (Level.WARN, "short of disk for 3 minutes"),
        "network": (Level.BAD, "gateway 10.0.0.1 silent"),
        "clock": (Level.WARN, "nothing keeps it right"),
    }


def test_what_it_may_do_is_told_briefly():
    assert autonomy(EVERYTHING) == "acts by itself, asks first where it is irreversible"
    assert autonomy(dict.fromkeys(EVERYTHING, "observe")) == "only watches"
    assert autonomy({}) == "only watches"


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(40, 200),
    height=st.integers(8, 60),
    troubles=st.integers(0, 12),
    changes=st.integers(0, 30),
    unwatched=st.integers(0, 6),
    absent=st.booleans(),
)
def test_it_fits_every_window(width, height, troubles, changes, unwatched, absent):
    watching = tuple(Watching(what=f"w{n}", possible=bool(n % 2), reason="no " * 60) for n in range(unwatched))
    shown = standing(
        agent=None if absent else agent(watching=watching),
        absent="no agent runs here",
        incidents=tuple(incident(number=n) for n in range(troubles)),
        changes=tuple(change(number=n) for n in range(changes)),
    )
    lines = drawn(shown, width, height).splitlines()
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)
    assert "q quits" in lines[-1]


def test_at_80_by_24_nothing_important_is_missing():
    shown = drawn(standing(incidents=(incident(Phase.ESCALATED),), changes=(change(),)), 80, 24)
    for words in (
        "web-1", "office v3", "services", "sign-ins: this machine has no log", "40 % full", "waits for a person",
        "confirmed after 52 ms", "running for 2 hours",
    ):  # fmt: skip
        assert words in shown


def test_no_agent_and_no_ledger_is_an_ordinary_state(run, at):
    assert "`groundskeeper up` starts one" in run("watch", "--once").out
    told_now = run("status", "--json").json
    assert told_now["running"] is False
    assert told_now["agent"] is None
    assert (told_now["gauges"], told_now["incidents"], told_now["changes"]) == ([], [], [])


def test_without_an_agent_the_record_is_shown(run, lived):
    with Looking(home()) as looking:
        shown = drawn(looking.standing(AT + timedelta(hours=1)))
    assert "No agent runs here" in shown
    assert "postgresql@15-main.service" in shown
    assert "last 59 minutes ago: nginx.service" not in shown, "a live trouble comes before a settled one"
    assert "nginx.service is running  confirmed" in shown


def test_the_picture_is_drawn_and_fetches_nothing(run, lived, tmp_path):
    told_now = run("watch", "--once", "--svg", tmp_path / "picture.svg")
    assert "picture.svg" in told_now.out
    picture = (tmp_path / "picture.svg").read_text()
    assert picture.startswith("<svg")
    assert "@font-face" not in picture
    assert set(re.findall(r"https?://[^\s\"']+", picture)) <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }
