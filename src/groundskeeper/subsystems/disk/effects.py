"""Making space on this machine, and asking whether there is some."""

import asyncio
import os
import threading
from typing import cast

from groundskeeper.lib.clock import Clock
from groundskeeper.lib.figures import counted, size
from groundskeeper.model import Action, Already, Impossible, Needed, Probe, ProbeResult, Sight, Unavailable
from groundskeeper.subsystems.disk.reclaiming import Freed, Making, Reclaimer, lack_of
from groundskeeper.subsystems.disk.types import Share, SpaceFree


class MakingSpace:
    """Effect of EnsureSpace and EnsureSpaceFromCaches. There is no undo: see docs/decisions on what may be deleted."""

    def __init__(self, clock: Clock, reclaimer: Reclaimer | None = None) -> None:
        self._clock = clock
        self._reclaimer = reclaimer or Reclaimer()

    async def look(self, action: Action) -> Sight:
        wanted = cast(Making, action)
        try:
            if not (lack := lack_of(wanted.mount, wanted.bytes_free, wanted.inodes_free)):
                return Already(reason=f"{_free_for(wanted)}, which is enough")
            if os.geteuid() != 0:
                return Impossible(reason="only root can tell which files are in use, and delete those that are not")
            found = await asyncio.to_thread(self._reclaimer.survey, wanted.mount, wanted.sources, self._today(), lack)
        except OSError as problem:
            return Impossible(reason=f"{wanted.mount} cannot be looked at: {problem.strerror}")
        if not found:
            return Impossible(reason=f"{_free_for(wanted)}, and there is nothing on it that may be deleted")
        return Needed(found=f"{_free_for(wanted)}; may be deleted: {_in_words(found)}")

    async def apply(self, action: Action) -> str:
        """Deleting is done in a thread, which stops after the file in hand when this call is cancelled."""
        wanted, stop = cast(Making, action), threading.Event()
        try:
            freed = await asyncio.to_thread(self._reclaimer.free, wanted, self._today(), stop.is_set)
        except OSError as problem:
            raise Unavailable(f"{wanted.mount} cannot be looked at: {problem.strerror}") from problem
        finally:
            stop.set()
        return _told(wanted, freed)

    def _today(self) -> float:
        return self._clock.now().timestamp()


def _told(wanted: Making, freed: list[Freed]) -> str:
    if not freed:
        return f"nothing needed to be deleted, or nothing could be; {_free_for(wanted)}"
    return f"freed {'; '.join(map(str, freed))}; {_free_for(wanted)}"


def _in_words(shares: tuple[Share, ...]) -> str:
    return ", ".join(f"{share.source.value} {size(share.bytes)} ({counted(share.files, 'file')})" for share in shares)


def _free_for(wanted: Making | SpaceFree) -> str:
    """What is free of the thing that was short."""
    room = os.statvfs(wanted.mount)
    if wanted.inodes_free and not wanted.bytes_free:
        return f"there is room for {counted(room.f_favail, 'more file')} on {wanted.mount}"
    return f"{size(room.f_bavail * room.f_frsize)} of {size(room.f_blocks * room.f_frsize)} are free on {wanted.mount}"


class AskingSpace:
    """Prober of SpaceFree. Local filesystems only: statvfs answers from memory there, and could hang elsewhere."""

    async def ask(self, probe: Probe) -> ProbeResult:
        wanted = cast(SpaceFree, probe)
        try:
            lack = lack_of(wanted.mount, wanted.bytes_free, wanted.inodes_free)
            return ProbeResult(ok=not lack, reason=_free_for(wanted))
        except OSError as problem:
            return ProbeResult(ok=False, reason=f"{wanted.mount} cannot be looked at: {problem.strerror}")
