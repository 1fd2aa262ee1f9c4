"""Which servers are known to be good, kept in a small file so that it outlives the agent."""

from contextlib import suppress
from pathlib import Path

import msgspec

from groundskeeper.lib import atomic
from groundskeeper.model import Value
from groundskeeper.subsystems.resolver.asking import Asked
from groundskeeper.subsystems.resolver.dns import Answer

_MOST = 8


class Kept(Value, tag=False):
    """`good`: servers that were in use and resolved names, the latest first. `usual`: the best each has answered."""

    good: tuple[str, ...] = ()
    usual: dict[str, int] = {}


class ResolverMemory:
    """Shared by the sensor, the effect and the prober of one machine. `store` None keeps it in memory only."""

    def __init__(self, store: Path | None) -> None:
        self._store = store
        self._kept = Kept()
        if store is not None:
            with suppress(OSError, msgspec.DecodeError):  # None yet, or damaged: learned anew
                self._kept = msgspec.json.decode(store.read_bytes(), type=Kept)

    @property
    def good(self) -> tuple[str, ...]:
        return self._kept.good

    def satisfied(self, asked: Asked) -> bool:
        """Whether this is what the server usually answers. One that never resolved the root need not begin now.

        An office without the internet has servers that know their own names and nothing else.
        """
        usual = max(Answer.ALIVE, self._kept.usual.get(asked.server, Answer.ALIVE))
        return asked.answer >= usual

    def proven(self, servers: tuple[str, ...], answers: dict[str, Asked]) -> None:
        """These servers have been in use for a while, and this is how they answer."""
        good = tuple(server for server in servers if server in answers and self.satisfied(answers[server]))
        usual = dict(self._kept.usual)
        for server in good:
            usual[server] = max(usual.get(server, 0), int(answers[server].answer))
        latest = tuple(dict.fromkeys((*good, *self._kept.good)))[:_MOST]
        self._keep(Kept(good=latest, usual={server: level for server, level in usual.items() if server in latest}))

    def _keep(self, kept: Kept) -> None:
        if kept == self._kept:
            return
        self._kept = kept
        if self._store is not None:
            with suppress(OSError):  # A full or read-only disk: it is learned anew after a restart
                atomic.write(self._store, msgspec.json.encode(kept))
