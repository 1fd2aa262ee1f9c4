"""One package per thing on a host that we can see and change.

`types.py` holds its facts, actions and probes and imports no driver, so that a rule, a runbook or the hub can name
them; `sensor.py` and `effects.py` beside it are the drivers. To add one: make the package, and one line in KINDS.
"""

from groundskeeper.model import Watching
from groundskeeper.subsystems.disk.types import (
    EnsureSpace,
    EnsureSpaceFromCaches,
    Filesystem,
    Growing,
    Reclaimable,
    SpaceFree,
)
from groundskeeper.subsystems.firewall.types import (
    EnsureSourceAdmitted,
    EnsureSourceBanned,
    SourceAdmitted,
    SourceRefusal,
    SourceRefused,
)
from groundskeeper.subsystems.logs.types import AuthFailures, LogFlood, ManagementPeers
from groundskeeper.subsystems.network.types import (
    Addresses,
    EnsureAddress,
    EnsureLinkDown,
    EnsureLinkUp,
    EnsureNeighbourFixed,
    EnsureNeighbourLearned,
    EnsureNoAddress,
    EnsureNoRoute,
    EnsureRoute,
    GatewayReach,
    Link,
    LinkIs,
    LinkReaches,
    NetworkBaseline,
    Routes,
)
from groundskeeper.subsystems.pressure.types import Pressure
from groundskeeper.subsystems.process.types import (
    EnsureProcessCapped,
    EnsureProcessGone,
    EnsureScheduling,
    OutOfMemoryKill,
    ProcessEnded,
    ProcessLoad,
    ProcessYields,
    SchedulingIs,
)
from groundskeeper.subsystems.resolver.types import (
    EnsureResolver,
    EnsureResolverFile,
    NameResolves,
    Resolver,
)
from groundskeeper.subsystems.systemd.types import (
    EnsureUnitActive,
    EnsureUnitFresh,
    EnsureUnitInactive,
    EnsureUnitPaused,
    EnsureUnitResumed,
    ProcessesPaused,
    ServiceAnswers,
    UnitFailures,
    UnitHealthy,
    UnitResumed,
    UnitState,
    UnitStopped,
)
from groundskeeper.subsystems.timekeeping.types import ClockSync

KINDS: tuple[type, ...] = (
    Watching,
    EnsureSpace,
    EnsureSpaceFromCaches,
    Filesystem,
    Growing,
    Reclaimable,
    SpaceFree,
    EnsureSourceAdmitted,
    EnsureSourceBanned,
    SourceAdmitted,
    SourceRefusal,
    SourceRefused,
    AuthFailures,
    LogFlood,
    ManagementPeers,
    Addresses,
    EnsureAddress,
    EnsureLinkDown,
    EnsureLinkUp,
    EnsureNeighbourFixed,
    EnsureNeighbourLearned,
    EnsureNoAddress,
    EnsureNoRoute,
    EnsureRoute,
    GatewayReach,
    Link,
    LinkIs,
    LinkReaches,
    NetworkBaseline,
    Routes,
    EnsureProcessCapped,
    EnsureProcessGone,
    EnsureScheduling,
    OutOfMemoryKill,
    ProcessEnded,
    ProcessLoad,
    ProcessYields,
    SchedulingIs,
    EnsureResolver,
    EnsureResolverFile,
    NameResolves,
    Resolver,
    EnsureUnitActive,
    EnsureUnitFresh,
    EnsureUnitInactive,
    EnsureUnitPaused,
    EnsureUnitResumed,
    ProcessesPaused,
    ServiceAnswers,
    UnitFailures,
    UnitHealthy,
    UnitResumed,
    UnitState,
    UnitStopped,
    Pressure,
    ClockSync,
)
"""Every kind that crosses a wire or a disk."""
