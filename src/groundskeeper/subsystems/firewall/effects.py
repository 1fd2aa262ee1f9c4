"""Refusing a source and letting it in again, and the questions whether it is so."""

import asyncio
from contextlib import suppress
from typing import assert_never

from groundskeeper.lib.figures import span
from groundskeeper.model import Action, Already, Impossible, Needed, Probe, ProbeResult, Refused, Sight
from groundskeeper.subsystems.firewall.connections import end_connections
from groundskeeper.subsystems.firewall.table import Ban, Source, Table, placed
from groundskeeper.subsystems.firewall.types import (
    EnsureSourceAdmitted,
    EnsureSourceBanned,
    SourceAdmitted,
    SourceRefused,
)

FirewallAction = EnsureSourceBanned | EnsureSourceAdmitted
TAG = "gk: "
"""How our bans begin in `nft list ruleset`."""


class SourceAccess:
    """Carries out EnsureSourceBanned and EnsureSourceAdmitted."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, FirewallAction)
        try:
            ban = self._table.banned(placed(action.source))
            in_force = ban is not None and self._table.in_force()
        except Refused as problem:
            return Impossible(reason=str(problem))
        match action:
            case EnsureSourceBanned():
                return _before_ban(action, ban if in_force else None)
            case EnsureSourceAdmitted():
                return _before_admission(action, ban)
        assert_never(action)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, FirewallAction)
        source = placed(action.source)
        match action:
            case EnsureSourceBanned():
                return await self._ban(action, source)
            case EnsureSourceAdmitted():
                self._table.admit(source)
                return f"{action.source} may connect again"
        assert_never(action)

    async def _ban(self, action: EnsureSourceBanned, source: Source) -> str:
        self._table.ban(source, action.duration, TAG + action.reason)
        if not self._table.in_force():
            self._table.declare()
        ended = 0
        with suppress(PermissionError):  # In a container that may change the firewall, but no sockets
            ended = await asyncio.to_thread(end_connections, action.source)
        also = f"; {ended} open connection{'s' * (ended != 1)} ended" if ended else ""
        return f"everything from {action.source} is refused for {span(action.duration)}{also}"


class SourceAccessProber:
    """Answers SourceRefused and SourceAdmitted."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def ask(self, probe: Probe) -> ProbeResult:
        assert isinstance(probe, SourceRefused | SourceAdmitted)
        ban = self._table.banned(placed(probe.source))
        if isinstance(probe, SourceAdmitted):
            reason = f"{probe.source} is {'still' if ban else 'not'} in the list of refused sources"
            return ProbeResult(ok=ban is None, reason=reason)
        if ban is None:
            return ProbeResult(ok=False, reason=f"{probe.source} is not in the list of refused sources")
        if not self._table.in_force():
            return ProbeResult(
                ok=False, reason="the list of refused sources is there, but the firewall does not ask it"
            )
        return ProbeResult(ok=True, reason=f"the firewall refuses {probe.source} for another {span(ban.left)}")


def _before_ban(action: EnsureSourceBanned, ban: Ban | None) -> Sight:
    if ban is None:
        undo = EnsureSourceAdmitted(device=action.device, source=action.source)
        return Needed(found=f"{action.source} may connect", undo=undo)
    if ban.left >= action.duration / 2:
        return Already(reason=f"{action.source} is refused for another {span(ban.left)}")
    before = _again(action, ban)
    return Needed(found=f"{action.source} is refused, but only for another {span(ban.left)}", undo=before)


def _before_admission(action: EnsureSourceAdmitted, ban: Ban | None) -> Sight:
    if ban is None:
        return Already(reason=f"{action.source} is not refused")
    return Needed(found=f"{action.source} is refused for another {span(ban.left)}", undo=_again(action, ban))


def _again(action: FirewallAction, ban: Ban) -> EnsureSourceBanned:
    """The ban that was found, for as long as it had left."""
    reason = ban.comment.removeprefix(TAG)
    return EnsureSourceBanned(device=action.device, source=action.source, duration=ban.left, reason=reason)
