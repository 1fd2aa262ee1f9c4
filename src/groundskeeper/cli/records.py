"""The ledger as the command line reads it: never written to, whether an agent runs or not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.model import Change, Incident, Invalid, Ledger, Refused, Unavailable

T = TypeVar("T")


def open_record(path: Path) -> SqliteLedger:
    """The ledger, to read. Raises Unavailable where there is none yet, Refused where it is not ours to read."""
    try:
        if not path.exists():
            raise Unavailable(f"nothing is recorded yet ({path}): `groundskeeper up` starts the agent")
        with path.open("rb"):
            pass
    except PermissionError as problem:
        raise Refused(f"{path} is for its owner to read: try again with sudo") from problem
    return SqliteLedger(path, read_only=True)


def read(path: Path, work: Callable[[Ledger], Awaitable[T]]) -> T:
    """What `work` reads of the ledger."""

    async def reading() -> T:
        ledger = open_record(path)
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(reading())


def the_one(found: Sequence[T], prefix: str, name_of: Callable[[T], str], noun: str) -> T:
    """The one whose id is `prefix`, or begins so. Raises Invalid where there is none, or where several do."""
    exact = [one for one in found if name_of(one) == prefix]
    matching = exact or [one for one in found if name_of(one).startswith(prefix)]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise Invalid(f"there is no {noun} {prefix}: `groundskeeper {noun}s{_all(noun)}` lists them")
    names = ", ".join(sorted(name_of(one) for one in matching)[:6])
    raise Invalid(f"{len(matching)} {noun}s begin with {prefix} ({names}): give more of the id")


def _all(noun: str) -> str:
    return " --all" if noun == "incident" else ""


async def the_incident(ledger: Ledger, prefix: str) -> Incident:
    return the_one(await ledger.incidents(live=False), prefix, lambda one: one.id, "incident")


async def the_change(ledger: Ledger, prefix: str) -> Change:
    return the_one(await ledger.changes(), prefix, lambda one: one.id, "change")
