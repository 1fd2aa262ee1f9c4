"""A source that is refused for a while: the fact, the actions and the probes."""

from datetime import datetime, timedelta

from groundskeeper.lib.figures import span
from groundskeeper.model import Action, DeviceId, Fact, Probe, Radius, Value


class SourceRefusal(Fact, Value):
    """A source that we refuse: from when, and until when. An `until` that is past: it was let in again."""

    source: str
    since: datetime
    until: datetime
    forgotten: bool = False
    """The last word about a source that was let in again a day ago."""

    @property
    def subject(self) -> str:
        return self.source


class SourceRefused(Probe, Value):
    """Is everything from this address or network dropped: is it in our set, and does the kernel ask our chain?"""

    source: str

    def describe(self) -> str:
        return f"nothing from {self.source} gets in"


class SourceAdmitted(Probe, Value):
    """Is this address or network in none of our sets?"""

    source: str

    def describe(self) -> str:
        return f"{self.source} is not refused by us"


class EnsureSourceBanned(Action, Value):
    """Containment: what comes from `source` (an address, or an IPv6 /64 network) is dropped for `duration`.

    Connections that are open already are cut as well. The kernel itself ends the ban after `duration`, so that a dead
    agent leaves none behind. A source that is refused already, until no earlier than half of `duration`, is left so.
    """

    device: DeviceId
    source: str
    duration: timedelta
    reason: str

    @property
    def subject(self) -> str:
        return self.source

    @property
    def expires_after(self) -> timedelta | None:
        return self.duration

    def describe(self) -> str:
        return f"{self.source} is refused by the firewall for {span(self.duration)}"

    def radius(self) -> Radius:
        return Radius(touches=(f"firewall:{self.source}",), cuts_off=(self.source,))

    def probe(self) -> Probe:
        return SourceRefused(source=self.source)


class EnsureSourceAdmitted(Action, Value):
    """The inverse: `source` is in none of our sets. What others' rules say of it is left alone."""

    device: DeviceId
    source: str

    @property
    def subject(self) -> str:
        return self.source

    def describe(self) -> str:
        return f"{self.source} is no longer refused by the firewall"

    def radius(self) -> Radius:
        return Radius(touches=(f"firewall:{self.source}",))

    def probe(self) -> Probe:
        return SourceAdmitted(source=self.source)
