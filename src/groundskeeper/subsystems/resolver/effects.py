"""Puts working servers first in resolv.conf, and puts the old file back."""

import errno
import os
import stat
from pathlib import Path

from groundskeeper.lib import atomic
from groundskeeper.model import Action, Already, Impossible, Needed, Probe, ProbeResult, Refused, Sight, Unavailable
from groundskeeper.subsystems.resolver import conf, dns
from groundskeeper.subsystems.resolver.asking import ask_all
from groundskeeper.subsystems.resolver.memory import ResolverMemory
from groundskeeper.subsystems.resolver.sensor import LARGEST, NOBODY, PLAIN, read
from groundskeeper.subsystems.resolver.types import EnsureResolver, EnsureResolverFile, NameResolves


class ResolverEffect:
    """EnsureResolver. Only servers that answer right before are written down."""

    def __init__(self, memory: ResolverMemory, port: int = dns.PORT) -> None:
        self._memory = memory
        self._port = port

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureResolver)
        path = Path(action.path)
        file = read(path)
        working = await self._working(action)
        if not working:
            return Impossible(reason=f"none of {', '.join(action.servers)} answers a test question")
        first = conf.servers(file.content)[:1]
        if first and first[0] in working:
            return Already(reason=f"{first[0]} stands first already, and answers")
        if len(file.content) > LARGEST:
            return Impossible(reason=f"{path} is too large to be changed safely")
        return Needed(found=_found(path, first), undo=_as_it_is(action, path))

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureResolver)
        working = await self._working(action)
        if not working:
            raise Unavailable(f"none of {', '.join(action.servers)} answers any more")
        path = Path(action.path)
        file = read(path)
        content = conf.with_first(file.content, working).encode("utf-8", "surrogateescape")
        if file.target is None:
            _write(path, content, 0o644, (0, 0) if os.geteuid() == 0 else None)
        else:
            state = file.target.stat()
            _write(file.target, content, stat.S_IMODE(state.st_mode), (state.st_uid, state.st_gid))
        return f"put {' and '.join(working)} first in {path}"

    async def _working(self, action: EnsureResolver) -> tuple[str, ...]:
        answers = await ask_all(action.servers, action.servers, port=self._port)
        return tuple(server for server in action.servers if self._memory.satisfied(answers[server]))


class ResolverFileEffect:
    """EnsureResolverFile. A draft of a write that was cut short is not as it was before either."""

    async def look(self, action: Action) -> Sight:
        assert isinstance(action, EnsureResolverFile)
        path = Path(action.path)
        as_before = _bytes(path) == action.content and _leads_to(path) == action.link
        if as_before and not atomic.draft(path).exists():
            return Already(reason=f"{path} is as it was before")
        undo = EnsureResolverFile(device=action.device, path=action.path, content=_bytes(path), link=_leads_to(path))
        return Needed(found=f"{path} is not as it was before", undo=undo)

    async def apply(self, action: Action) -> str:
        assert isinstance(action, EnsureResolverFile)
        path = Path(action.path)
        if action.link:
            atomic.link(path, action.link)
        elif action.content is None:
            atomic.draft(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        else:
            owner = (action.owner, action.group) if os.geteuid() == 0 else None
            _write(path, action.content, action.mode, owner)
        return f"put the old {path} back"


class ResolverProber:
    """NameResolves: the first server that the C library would ask must answer."""

    def __init__(self, memory: ResolverMemory, path: Path = PLAIN, port: int = dns.PORT) -> None:
        self._memory = memory
        self._path = path
        self._port = port

    async def ask(self, probe: Probe) -> ProbeResult:
        assert isinstance(probe, NameResolves)
        first = (conf.servers(read(self._path).content) or (NOBODY,))[0]
        answers = await ask_all((first,), name=probe.name, port=self._port)
        return ProbeResult(ok=self._memory.satisfied(answers[first]), reason=f"{first}: {answers[first].how}")


def _found(path: Path, first: tuple[str, ...]) -> str:
    return f"{first[0]} stands first in {path}" if first else f"{path} names no server"


def _as_it_is(action: EnsureResolver, path: Path) -> EnsureResolverFile:
    """What puts the very same bytes back, where they really are."""
    file = read(path)
    if file.target is None:
        return EnsureResolverFile(device=action.device, path=str(path), content=None, link=_leads_to(path))
    state = file.target.stat()
    return EnsureResolverFile(
        device=action.device,
        path=str(file.target),
        content=_bytes(file.target),
        mode=stat.S_IMODE(state.st_mode),
        owner=state.st_uid,
        group=state.st_gid,
    )


def _bytes(path: Path) -> bytes | None:
    """The contents of a plain file; None for anything else."""
    try:
        return path.read_bytes() if not path.is_symlink() else None
    except OSError:
        return None


def _leads_to(path: Path) -> str:
    return str(path.readlink()) if path.is_symlink() else ""


def _write(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    """Replace it at once. A file that is mounted from elsewhere cannot be replaced: it is written where it stands."""
    try:
        atomic.write(path, content, mode, owner)
    except PermissionError as problem:
        raise Refused(f"{path} may not be changed here: run the agent as root, or see `lsattr {path}`") from problem
    except OSError as problem:
        if problem.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        path.write_bytes(content)
