"""What the process in a trial does: carry a change out, go on after a death, try again. Real drivers, real ledger."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from groundskeeper.agent.home import Home
from groundskeeper.agent.host import LocalHost
from groundskeeper.agent.wiring import drivers
from groundskeeper.engine.cycle import Engine
from groundskeeper.engine.envelope import Envelope
from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.lib.clock import Clock, SystemClock
from groundskeeper.lib.identity import random_id
from groundskeeper.model import (
    Action,
    Change,
    ChangeId,
    DeviceId,
    Finding,
    Host,
    Incident,
    IncidentId,
    Ledger,
    Order,
    Phase,
    Severity,
    Stage,
)

DEVICE = DeviceId("here")
EnvelopeKind = Callable[[Ledger, Host, Clock], Envelope]
PATIENCE = 60.0


class Parts(NamedTuple):
    ledger: SqliteLedger
    envelope: Envelope
    engine: Engine
    clock: SystemClock


def begin(folder: Path, action: Action, kind: EnvelopeKind = Envelope) -> None:
    """Find the trouble, claim it, carry the change out."""
    _live(folder, kind, lambda parts: _carry_out(parts, action))


def recover(folder: Path, kind: EnvelopeKind = Envelope) -> None:
    """A new process on what the dead one left, until that is settled."""
    _live(folder, kind, _recover)


def _live(folder: Path, kind: EnvelopeKind, what: Callable[[Parts], Coroutine[Any, Any, None]]) -> None:
    async def life() -> None:
        clock = SystemClock()
        home = Home(state=folder, run=folder, config=folder)
        async with AsyncExitStack() as stack:
            ledger = SqliteLedger(home.ledger)
            stack.push_async_callback(ledger.close)
            made = drivers(home, clock)
            envelope = kind(ledger, LocalHost(made.effects, made.probers), clock)
            await what(Parts(ledger, envelope, Engine(DEVICE, ledger, envelope, clock, random_id), clock))

    asyncio.run(life())


async def _carry_out(parts: Parts, action: Action) -> None:
    now = parts.clock.now()
    incident = next(iter(await parts.ledger.incidents()), None)
    if incident is None:
        finding = Finding(rule="trial", device=DEVICE, subject="it", severity=Severity.CRITICAL, reason="it is broken")
        incident = Incident(
            id=IncidentId(random_id()), finding=finding, phase=Phase.OPEN, since=now, moved_at=now, reason="broken"
        )
        await parts.ledger.open(incident)
    change = Change(
        id=ChangeId(random_id()), incident=incident.id, fingerprint=incident.finding.fingerprint, runbook="trial",
        action=action, by="reflex", policy="trial", stage=Stage.INTENT, intended_at=now, moved_at=now, reason="broken",
    )  # fmt: skip
    claim = incident.move(Phase.MITIGATING, now, "a plan")
    await parts.ledger.intend(claim, [change], [])
    order = Order(
        change=change.id, device=DEVICE, action=action, incident=incident.id, by=change.by, policy=change.policy
    )
    outcome = await parts.envelope.perform(order)
    await parts.ledger.advance(incident.after(claim).move(Phase.WATCHING, parts.clock.now(), outcome.reason))


async def _recover(parts: Parts) -> None:
    await parts.engine.recover()
    async with asyncio.timeout(PATIENCE):
        while await _moving(parts.ledger):
            await parts.clock.sleep(timedelta(milliseconds=2))


async def _moving(ledger: SqliteLedger) -> bool:
    if await ledger.changes(unsettled=True):
        return True
    return any(incident.phase is Phase.MITIGATING for incident in await ledger.incidents())
