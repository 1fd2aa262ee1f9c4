"""The ledger as plain lists and dicts: for tests and simulations. It yields between calls, so that races show."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from groundskeeper.knowledge.ledger.chain import GENESIS, link, verify
from groundskeeper.model import (
    Change,
    ChangeId,
    Entry,
    Event,
    Found,
    Incident,
    IncidentId,
    Moved,
    ProbeResult,
    Stepped,
    Transition,
)


class MemoryLedger:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._incidents: dict[IncidentId, Incident] = {}
        self._changes: dict[ChangeId, Change] = {}
        self._seq = 0
        self._head = GENESIS
        self._anchor = GENESIS

    def _append(
        self, at: datetime, event: Event, incident: IncidentId | None = None, change: ChangeId | None = None
    ) -> None:
        self._seq += 1
        line = link(self._head, self._seq, at, event, incident, change)
        self._entries.append(line)
        self._head = line.digest

    def _moved(self, step: Transition) -> bool:
        incident = self._incidents.get(step.incident)
        if incident is None or incident.generation != step.generation:
            return False
        self._incidents[incident.id] = incident.after(step)
        self._append(step.at, Moved(transition=step), step.incident)
        return True

    def _keep(self, change: Change, probe: ProbeResult | None) -> None:
        self._changes[change.id] = change
        event = Stepped(stage=change.stage, action=change.action, reason=change.reason, undo=change.undo, probe=probe)
        self._append(change.moved_at, event, change.incident, change.id)

    async def open(self, incident: Incident) -> bool:
        await asyncio.sleep(0)
        mark = incident.finding.fingerprint
        if any(other.live and other.finding.fingerprint == mark for other in self._incidents.values()):
            return False
        self._incidents[incident.id] = incident
        self._append(incident.since, Found(finding=incident.finding), incident.id)
        return True

    async def advance(self, step: Transition) -> bool:
        await asyncio.sleep(0)
        return self._moved(step)

    async def intend(self, claim: Transition, changes: Sequence[Change], events: Sequence[Event]) -> bool:
        await asyncio.sleep(0)
        if not self._moved(claim):
            return False
        for event in events:
            self._append(claim.at, event, claim.incident)
        for change in changes:
            self._keep(change, None)
        return True

    async def step(self, change: Change, probe: ProbeResult | None = None) -> bool:
        await asyncio.sleep(0)
        stored = self._changes.get(change.id)
        if stored is None or stored.generation != change.generation - 1:
            return False
        self._keep(change, probe)
        return True

    async def record(self, at: datetime, events: Sequence[Event], incident: IncidentId | None = None) -> None:
        await asyncio.sleep(0)
        for event in events:
            self._append(at, event, incident)

    async def incidents(self, *, live: bool = True, since: datetime | None = None) -> list[Incident]:
        await asyncio.sleep(0)
        return [
            incident
            for incident in self._incidents.values()
            if (incident.live or not live) and (since is None or incident.moved_at >= since)
        ]

    async def incident(self, id: IncidentId) -> Incident | None:
        await asyncio.sleep(0)
        return self._incidents.get(id)

    async def changes(
        self, *, since: datetime | None = None, incident: IncidentId | None = None, unsettled: bool = False
    ) -> list[Change]:
        await asyncio.sleep(0)
        return [
            change
            for change in self._changes.values()
            if (since is None or change.intended_at >= since)
            and (incident is None or change.incident == incident)
            and not (unsettled and change.stage.settled)
        ]

    async def change(self, id: ChangeId) -> Change | None:
        await asyncio.sleep(0)
        return self._changes.get(id)

    async def entries(self, *, incident: IncidentId | None = None, after: int = 0, limit: int = 10_000) -> list[Entry]:
        await asyncio.sleep(0)
        found = (line for line in self._entries if line.seq > after and (incident is None or line.incident == incident))
        return [line for line, _ in zip(found, range(limit), strict=False)]

    async def forget(self, before: datetime) -> int:
        await asyncio.sleep(0)
        self._incidents = {k: v for k, v in self._incidents.items() if v.live or v.moved_at >= before}
        self._changes = {k: v for k, v in self._changes.items() if not v.stage.settled or v.moved_at >= before}
        old = next((i for i, line in enumerate(self._entries) if line.at >= before), len(self._entries))
        if old:
            self._anchor = self._entries[old - 1].digest
            self._entries = self._entries[old:]
        return old

    async def verify(self) -> int:
        await asyncio.sleep(0)
        return verify(self._entries, self._anchor)

    async def close(self) -> None:
        await asyncio.sleep(0)
