"""approve and undo, from the command line through the real door to the real engine; only the machine is made up."""

import asyncio
import threading
import time

import pytest

from groundskeeper import wire
from groundskeeper.agent.control import serve
from groundskeeper.engine.cycle import Engine
from groundskeeper.engine.envelope import Envelope
from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.lib.clock import SystemClock
from groundskeeper.lib.identity import random_id
from groundskeeper.model import Autonomy, ChangeId, DeviceId, IncidentId, Observation, Policy, Risk
from groundskeeper.runbooks import REFLEXES, made
from groundskeeper.subsystems.disk.types import Filesystem
from groundskeeper.subsystems.systemd.types import UnitState
from groundskeeper.testing import SimulatedHost

DEVICE = DeviceId("web-1")
ASKING = Policy(version=1, name="asking", autonomy=dict.fromkeys(Risk, Autonomy.APPROVE))
STOPPED = UnitState(unit="nginx.service", active="failed", sub="failed", result="signal", wanted=True, ending="killed")
READ_ONLY = Filesystem(mount="/srv", source="d", kind="ext4", size=100, available=50, read_only=True)


class Door:
    """An agent's engine and door, in a thread of their own."""

    def __init__(self, home):
        self._home = home
        self._ready = threading.Event()
        self._done = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *problem):
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)

    async def _run(self):
        self._loop, self._done, clock = asyncio.get_running_loop(), asyncio.Event(), SystemClock()
        ledger = SqliteLedger(self._home.ledger)

        def see(fact):
            engine.observe(Observation(device=DEVICE, at=clock.now(), fact=fact))

        engine = Engine(DEVICE, ledger, Envelope(ledger, SimulatedHost(clock, see), clock), clock, random_id)
        engine.adopt(ASKING, "asking", made(REFLEXES, {}))

        async def status(asked):
            return "here"

        async def undo(asked):
            return wire.plain(await engine.undo(ChangeId(asked["change"]), asked["who"]))

        async def approve(asked):
            await engine.approve(IncidentId(asked["incident"]), asked["who"])
            return "begun"

        async with await serve(self._home.socket, {"status": status, "undo": undo, "approve": approve}):
            running = asyncio.ensure_future(engine.run())
            see(STOPPED)
            see(READ_ONLY)
            self._ready.set()
            await self._done.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await ledger.close()


@pytest.fixture
def waiting(at, run):
    """The two incidents of the machine, once both wait for a person."""
    at.make()
    with Door(at):
        for _ in range(200):
            found = run("incidents", "--json").json
            if [one["phase"] for one in found] == ["escalated", "escalated"]:
                break
            time.sleep(0.02)
        yield {one["finding"]["subject"]: one["id"] for one in found}


def test_what_waits_is_done_when_a_person_approves_and_taken_back_when_a_person_says_so(run, waiting):
    approved = run("approve", waiting["nginx.service"])
    assert (approved.code, approved.err) == (0, "")
    assert "nginx.service is running  confirmed" in approved.out
    (change,) = run("changes", "--json").json
    assert (change["stage"], change["by"]) == ("confirmed", "approved by ada")
    undone = run("undo", change["id"][:4])
    assert (undone.code, undone.err) == (0, "")
    assert undone.out.startswith("Taken back: ")
    (change,) = run("changes", "--json").json
    assert (change["stage"], change["undone_by"]) == ("reverted", "ada")
    told = run("incident", waiting["nginx.service"]).out
    assert "ada approved" in told
    assert "taken back" in told
    again = run("undo", change["id"])
    assert again.code == 3
    assert "nothing to take back" in again.err


def test_what_nobody_should_do_is_not_done_by_approval_either(run, waiting):
    ended = run("approve", waiting["/srv"])
    assert ended.code == 3
    assert "/srv is left read-only" in ended.err
    assert run("changes", "--json").json == []
