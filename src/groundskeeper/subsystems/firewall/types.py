"""A source that is refused for a while: the actions and the probes."""

from datetime import timedelta

from groundskeeper.model import Action, DeviceId, Probe, Radius, Value


def spoken(span: timedelta) -> str:
    """A duration as people say it: "10 minutes", "2 hours", "45 seconds"."""
    seconds = max(1, round(span.total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or seconds == size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"


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
        return f"{self.source} is refused by the firewall for {spoken(self.duration)}"

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
