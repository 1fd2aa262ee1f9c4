"""Facts in words. One function a kind; a kind without one is told by its name and its fields."""

import re
from functools import singledispatch

import msgspec

from groundskeeper.lib.figures import counted, size, span
from groundskeeper.model import Fact, UnknownFact, Watching
from groundskeeper.subsystems.disk.types import Filesystem, Growing, Reclaimable
from groundskeeper.subsystems.logs.types import AuthFailures, LogFlood, ManagementPeers
from groundskeeper.subsystems.network.types import Addresses, GatewayReach, Link, NetworkBaseline, Routes
from groundskeeper.subsystems.pressure.types import Pressure
from groundskeeper.subsystems.process.types import OutOfMemoryKill, ProcessLoad
from groundskeeper.subsystems.systemd.types import ServiceAnswers, UnitFailures, UnitState
from groundskeeper.subsystems.timekeeping.types import ClockSync

SHOWN_FIELDS = 4
STATES = {
    "active": "runs",
    "failed": "has failed",
    "inactive": "is stopped",
    "activating": "is being started",
    "deactivating": "is being stopped",
}
"""systemd's words for a unit's state, in ours."""


@singledispatch
def tell(fact: Fact) -> str:
    """What was seen, in one line."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(fact).__name__).lower()
    fields = msgspec.to_builtins(fact, enc_hook=str)
    shown = [f"{name.replace('_', ' ')} {value}" for name, value in fields.items() if name != "type"]
    return f"{kind}: {', '.join(shown[:SHOWN_FIELDS])}"


@tell.register
def _(fact: UnknownFact) -> str:
    return f"a fact of a kind that this version does not know ({fact.kind})"


@tell.register
def _(fact: Watching) -> str:
    return f"{fact.what}: {fact.reason}"


@tell.register
def _(fact: UnitState) -> str:
    how = STATES.get(fact.active, f"is {fact.active}")
    return f"{fact.unit} {how}" + (f": {fact.ending}" if fact.ending else "")


@tell.register
def _(fact: UnitFailures) -> str:
    words = f"{fact.unit} failed {counted(len(fact.times), 'time')} within ten minutes"
    return words + (f", last: {fact.ending}" if fact.ending else "")


@tell.register
def _(fact: ServiceAnswers) -> str:
    return f"{fact.unit} {'answers' if fact.ok else 'does not answer'}: {fact.reason}"


@tell.register
def _(fact: Filesystem) -> str:
    if not fact.mounted:
        return f"{fact.mount} is not mounted any more"
    used = 100 * (1 - fact.available / fact.size) if fact.size else 0.0
    words = f"{fact.mount} is {used:.0f} % full, {size(fact.available)} free of {size(fact.size)}"
    words += ", read-only" if fact.read_only else ""
    return words + (f", full in {span(fact.full_in)} at this rate" if fact.full_in else "")


@tell.register
def _(fact: Reclaimable) -> str:
    given = ", ".join(f"{size(share.bytes)} of {share.source.value}" for share in fact.shares if share.bytes)
    return f"could be freed on {fact.mount}: {given or 'nothing'}"


@tell.register
def _(fact: Growing) -> str:
    named = ", ".join(f"{file.path} ({file.process})" for file in fact.files[:3])
    return f"growing on {fact.mount}: {named or 'nothing'}"


@tell.register
def _(fact: Pressure) -> str:
    state = "short" if fact.high else "enough"
    return f"{fact.resource}: {state}, {fact.some:.0f} % of the time some work waited for it"


@tell.register
def _(fact: ProcessLoad) -> str:
    if fact.gone:
        return f"{fact.name} (process {fact.pid}) takes little again, or has ended"
    return f"{fact.name} (process {fact.pid}) uses {fact.cpu:.1f} of {fact.cores} cores and {size(fact.resident)}"


@tell.register
def _(fact: OutOfMemoryKill) -> str:
    return f"memory ran out: the kernel ended {fact.process} (process {fact.pid})"


@tell.register
def _(fact: AuthFailures) -> str:
    names = f" as {', '.join(fact.users[-3:])}" if fact.users else ""
    return f"{counted(max(fact.total, len(fact.times)), 'failed sign-in')} from {fact.source}{names}"


@tell.register
def _(fact: ManagementPeers) -> str:
    return f"signed in from: {', '.join(fact.addresses) or 'nowhere'}"


@tell.register
def _(fact: LogFlood) -> str:
    return f"{counted(fact.skipped, 'log line')} of {fact.origin} not read: too many at once"


@tell.register
def _(fact: Link) -> str:
    if not fact.present:
        return f"{fact.name} is gone"
    state = "connected" if fact.up and fact.carrier else "up, nobody at the other end" if fact.up else "switched off"
    return f"{fact.name} is {state}"


@tell.register
def _(fact: Addresses) -> str:
    return f"{fact.link} has {', '.join(one.address for one in fact.addresses) or 'no address'}"


@tell.register
def _(fact: Routes) -> str:
    return f"there is {', '.join(route.describe() for route in fact.routes) or 'no route'}"


@tell.register
def _(fact: NetworkBaseline) -> str:
    held = f"; {fact.held_by} is changing it now" if fact.held_by else ""
    return f"what has long been so: {counted(len(fact.links), 'link')}, {counted(len(fact.routes), 'route')}{held}"


@tell.register
def _(fact: GatewayReach) -> str:
    return f"{fact.gateway} on {fact.link} {'answers' if fact.reachable else 'does not answer'} ({fact.how})"


@tell.register
def _(fact: ClockSync) -> str:
    if fact.synchronised:
        return f"the clock is kept right, {abs(fact.offset.total_seconds()) * 1000:.1f} ms off"
    return f"nothing keeps the clock right (time service: {fact.service or 'none installed'})"
