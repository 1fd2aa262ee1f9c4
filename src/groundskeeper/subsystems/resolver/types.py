"""What is known of a machine's resolver, and what can be put right."""

from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar

from groundskeeper.model import Action, DeviceId, Fact, Probe, Radius, Value


class Keeper(Enum):
    """Who writes resolv.conf."""

    FILE = "file"
    """A plain file: nobody in particular, or a person."""
    RESOLVED = "resolved"
    """systemd-resolved: it rewrites the file, and asks the servers itself."""
    RESOLVCONF = "resolvconf"
    """resolvconf or openresolv: the file is made from pieces."""
    NETWORKMANAGER = "networkmanager"
    NOWHERE = "nowhere"
    """There is no such file, or it leads nowhere."""


class NameServer(Value, tag=False):
    """`answers` is None until it has been asked; `how` is what came back, in words."""

    address: str
    answers: bool | None = None
    how: str = ""
    sure: bool = True
    """False for silence, or a failure that may pass: worth asking again."""
    local: bool = False
    """It runs on this very machine."""


class Resolver(Fact, Value):
    """What resolv.conf says and what its servers answer. `working`: one of those that are asked for names answers.

    `candidates`: other servers that answered a test question just now, best first; looked for only while it does not
    work.
    """

    path: str
    keeper: Keeper
    digest: str
    servers: tuple[NameServer, ...]
    working: bool
    since: datetime
    candidates: tuple[str, ...] = ()
    searched: bool = False
    """Whether candidates have been looked for since it stopped working."""

    @property
    def subject(self) -> str:
        return "resolver"


class NameResolves(Probe, Value):
    """Does the machine's own resolver answer, through resolv.conf as it is now? `name` is "." for the root."""

    name: str = "."

    def describe(self) -> str:
        return "names are resolved"


class EnsureResolver(Action, Value):
    """These servers stand first in resolv.conf; those that stood there follow. Undo puts the exact bytes back."""

    probation: ClassVar[timedelta] = timedelta(seconds=10)

    device: DeviceId
    servers: tuple[str, ...]
    path: str = "/etc/resolv.conf"

    @property
    def subject(self) -> str:
        return "resolver"

    def describe(self) -> str:
        return f"names are asked of {' and '.join(self.servers)} first"

    def radius(self) -> Radius:
        return Radius(touches=(f"file:{self.path}",))

    def probe(self) -> Probe:
        return NameResolves()


class EnsureResolverFile(Action, Value):
    """The file holds exactly these bytes, with this owner and mode: the inverse of EnsureResolver.

    `content` is None where there was no file. `link` is what the name was a symbolic link to, "" for a plain file.
    """

    device: DeviceId
    path: str
    content: bytes | None
    mode: int = 0o644
    owner: int = 0
    group: int = 0
    link: str = ""

    @property
    def subject(self) -> str:
        return "resolver"

    def describe(self) -> str:
        return f"{self.path} is as it was before"

    def radius(self) -> Radius:
        return Radius(touches=(f"file:{self.path}",))

    def probe(self) -> Probe:
        return NameResolves()
