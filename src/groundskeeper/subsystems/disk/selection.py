"""What may be deleted to make room, and which of it first. Pure: an allow-list of places and names, and no more."""

import re
import stat
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from groundskeeper.subsystems.disk.types import Source

ROTATED = re.compile(
    r".+\.[1-9]\d{0,2}(\.(gz|xz|bz2|zst))?"  # syslog.1, syslog.2.gz; not mysql-bin.000001: that is data
    r"|.+[-.](19|20)\d{6}(-\d{2,10})?(\.log)?(\.(gz|xz|bz2|zst))?"  # messages-20260301.gz
    r"|.+\.log\.(gz|xz|bz2|zst|old)"
    r"|.+\.old"
)
KEPT_LOGS = re.compile(
    r"(auth\.log|secure|audit|wtmp|btmp|lastlog|faillog|sudo|tallylog).*"  # who came in: evidence after a break-in
    r"|.*(bin|binlog|relay|wal|redo|undo)([-._].*|\d.*|$)"  # databases call their journals logs, and write them here
    r"|.*\.(sql|dump|tar|tgz|zip|db|sqlite3?|ibd|pcap)(\..*)?"
)
JOURNAL = re.compile(r".+@.+\.journal~?")
"""journald's name for a file it has closed; the one it writes has no @."""
PACKAGE = re.compile(r".+\.(deb|rpm|drpm)|(src)?pkgcache\.bin")
DUMP = re.compile(r"core\..+|.+\.crash")
ANYTHING = re.compile(r".+")
NOTHING = re.compile(r"(?!)")

PRIVATE = re.compile(
    r"systemd-private-.*|snap-private-tmp|snap\..*|\.X11-unix|\.ICE-unix|\.XIM-unix|\.font-unix|\.Test-unix"
    r"|ssh-.*|tmux-.*|\.X\d+-lock|dbus-.*|lost\+found|aquota\..*|pulse-.*|krb5cc_.*|hsperfdata_.*|vmware-.*"
)
"""Below /tmp but with a keeper of its own, as systemd's own tmpfiles rules have it."""
LOG_KEEPERS = re.compile(r"journal|audit|sa|sysstat|installer|private|pgbackrest|barman|mysql-bin|lost\+found")


class Place(NamedTuple):
    """A folder from which files may go: those whose whole name matches `goes` and not `stays`, `older` than this."""

    source: Source
    path: str
    goes: re.Pattern[str]
    older: timedelta = timedelta()
    stays: re.Pattern[str] = NOTHING
    """Names of files that stay whatever else holds."""
    closed: re.Pattern[str] = NOTHING
    """Names of folders that are not entered."""
    unused: bool = False
    """Its age counts from its last reading or writing. (A log's counts from its writing: backups read it every day.)"""
    depth: int = 0
    """How many levels of folders below it are entered."""
    lock: str = ""
    """While somebody holds this file's lock, the place is in use and nothing goes."""


DAY = timedelta(days=1)
APT_LOCK = "/var/cache/apt/archives/lock"

PLACES: tuple[Place, ...] = (
    Place(Source.PACKAGE_CACHES, "/var/cache/apt/archives", PACKAGE, lock=APT_LOCK),
    Place(Source.PACKAGE_CACHES, "/var/cache/apt", PACKAGE, lock=APT_LOCK),
    Place(Source.PACKAGE_CACHES, "/var/cache/dnf", PACKAGE, older=DAY, depth=3),
    Place(Source.PACKAGE_CACHES, "/var/cache/libdnf5", PACKAGE, older=DAY, depth=3),
    Place(Source.PACKAGE_CACHES, "/var/cache/yum", PACKAGE, older=DAY, depth=5),
    Place(Source.PACKAGE_CACHES, "/var/cache/zypp/packages", PACKAGE, older=DAY, depth=4),
    Place(Source.CRASH_DUMPS, "/var/lib/systemd/coredump", DUMP, older=DAY),
    Place(Source.CRASH_DUMPS, "/var/crash", DUMP, older=DAY),
    Place(Source.JOURNAL, "/var/log/journal", JOURNAL, older=2 * DAY, depth=1),
    Place(Source.ROTATED_LOGS, "/var/log", ROTATED, older=DAY, stays=KEPT_LOGS, closed=LOG_KEEPERS, depth=4),
    Place(Source.TEMPORARY_FILES, "/tmp", ANYTHING, older=3 * DAY, stays=PRIVATE, closed=PRIVATE, unused=True, depth=8),
    Place(
        Source.TEMPORARY_FILES,
        "/var/tmp",
        ANYTHING,
        older=10 * DAY,
        stays=PRIVATE,
        closed=PRIVATE,
        unused=True,
        depth=8,
    ),
)

LOGS = "/var/log"
"""Below it a file that is deleted and still written to may be emptied."""


class Entry(NamedTuple):
    """A directory entry as lstat(2) sees it. `bytes` is what it takes on the disk.

    `written` is when its content last changed, `used` when it was last read or written, `arrived` when its name, owner
    or mode last changed: a file that keeps its old times may have been put here a minute ago.
    """

    name: str
    mode: int
    links: int
    device: int
    inode: int
    bytes: int
    written: float
    used: float
    arrived: float


class Candidate(NamedTuple):
    """A file that may go. `folders` lead from the place to it, each opened without following links."""

    place: Place
    folders: tuple[str, ...]
    entry: Entry

    @property
    def path(self) -> str:
        return "/".join((self.place.path, *self.folders, self.entry.name))


def may_go(place: Place, entry: Entry, now: float, busy: frozenset[tuple[int, int]]) -> bool:
    """Only a plain file with one name, of an allowed name, old enough, that nobody has open.

    A second hard link is somebody's way of keeping a file (and deleting one frees nothing); a sticky bit on a file is
    the convention for "not to be cleaned away" (tmpfiles.d(5)).
    """
    return (
        stat.S_ISREG(entry.mode)
        and entry.links == 1
        and not entry.mode & stat.S_ISVTX
        and place.goes.fullmatch(entry.name) is not None
        and place.stays.fullmatch(entry.name) is None
        and now - _since(place, entry) >= place.older.total_seconds()
        and (entry.device, entry.inode) not in busy
    )


def _since(place: Place, entry: Entry) -> float:
    return entry.used if place.unused else entry.written


class Lack(NamedTuple):
    """What is still missing. Nothing is lacking when neither is positive."""

    bytes: int
    inodes: int = 0

    def __bool__(self) -> bool:
        return self.bytes > 0 or self.inodes > 0


def in_order(found: Iterable[Candidate]) -> list[Candidate]:
    """The longest unchanged first. What arrived lately goes last: somebody may have put it by, with its old times."""
    return sorted(found, key=_order)


def _order(candidate: Candidate) -> tuple[float, float, str]:
    since = _since(candidate.place, candidate.entry)
    arrived = candidate.entry.arrived // DAY.total_seconds() if candidate.place.unused else 0.0
    return arrived, since, candidate.path


def choose(ordered: Iterable[Candidate], lack: Lack, most: int | None = None) -> list[Candidate]:
    """From the front, until what is lacking would be there; nothing more, and at most so many."""
    chosen: list[Candidate] = []
    for candidate in ordered:
        if not lack or len(chosen) == most:
            break
        if candidate.entry.bytes or lack.inodes > 0:  # deleting an empty file makes no room
            chosen.append(candidate)
            lack = Lack(lack.bytes - candidate.entry.bytes, lack.inodes - 1)
    return chosen
