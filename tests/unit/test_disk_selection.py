"""What may be deleted to make room: never anything outside the list, never more than is wanted, the oldest first."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.disk.selection import (
    KEPT_LOGS,
    PLACES,
    Candidate,
    Entry,
    Lack,
    Place,
    choose,
    in_order,
    may_go,
)
from groundskeeper.subsystems.disk.types import Source

NOW = 1_800_000_000.0
DAY = 86400.0
NOBODY: frozenset[tuple[int, int]] = frozenset()


def at(path: str) -> Place:
    return next(place for place in PLACES if place.path == path)


def entry(name: str, *, days: float = 40.0, **fields: object) -> Entry:
    then = NOW - days * DAY
    plain = Entry(name, stat.S_IFREG | 0o644, 1, 1, 1, 4096, then, then, then)
    return plain._replace(**fields)  # type: ignore[arg-type]


GOES = [
    ("/var/log", "syslog.1"),
    ("/var/log", "syslog.2.gz"),
    ("/var/log", "access.log.99"),
    ("/var/log", "messages-20260301"),
    ("/var/log", "messages-20260301.gz"),
    ("/var/log", "app-20260301-1767225600.log.zst"),
    ("/var/log", "Xorg.0.log.old"),
    ("/var/log", "dpkg.log.xz"),
    ("/var/log/journal", "system@0005f1-abc.journal"),
    ("/var/log/journal", "user-1000@0005f1-abc.journal~"),
    ("/var/cache/apt/archives", "linux-image-6.1.0-18-amd64_6.1.76-1_amd64.deb"),
    ("/var/cache/apt", "srcpkgcache.bin"),
    ("/var/lib/systemd/coredump", "core.nginx.33.abc.zst"),
    ("/var/tmp", "export-12.tmp"),
    ("/tmp", "whatever it is"),
]
STAYS = [
    ("/var/log", "syslog"),
    ("/var/log", "mysql-bin.000001"),
    ("/var/log", "mariadb-bin.1"),
    ("/var/log", "binlog.12"),
    ("/var/log", "relay-bin.7"),
    ("/var/log", "ib_redo12"),
    ("/var/log", "auth.log.1"),
    ("/var/log", "secure-20260301"),
    ("/var/log", "wtmp.1"),
    ("/var/log", "btmp-20260301"),
    ("/var/log", "audit.log.3"),
    ("/var/log", "backup.tar.gz"),
    ("/var/log", "shop.sql.1"),
    ("/var/log", "orders.db.1"),
    ("/var/log", "report.2026"),
    ("/var/log", "1"),
    ("/var/log", "invoice.pdf"),
    ("/var/log/journal", "system.journal"),
    ("/var/log/journal", "user-1000.journal"),
    ("/var/cache/apt/archives", "lock"),
    ("/var/cache/apt", "notes.txt"),
    ("/var/lib/systemd/coredump", "notes"),
    ("/tmp", "ssh-XYZ"),
    ("/tmp", ".X0-lock"),
]


@pytest.mark.parametrize(("place", "name"), GOES)
def test_what_nobody_misses_may_go_when_it_is_old(place: str, name: str) -> None:
    assert may_go(at(place), entry(name), NOW, NOBODY)


@pytest.mark.parametrize(("place", "name"), STAYS)
def test_what_may_be_data_stays_however_old_it_is(place: str, name: str) -> None:
    assert not may_go(at(place), entry(name), NOW, NOBODY)


@pytest.mark.parametrize(("place", "name"), [pair for pair in GOES if "cache" not in pair[0]])
def test_what_is_young_stays(place: str, name: str) -> None:
    assert not may_go(at(place), entry(name, days=0.5), NOW, NOBODY)


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": stat.S_IFLNK | 0o777},
        {"mode": stat.S_IFDIR | 0o755},
        {"mode": stat.S_IFIFO | 0o644},
        {"mode": stat.S_IFSOCK | 0o644},
        {"mode": stat.S_IFBLK | 0o644},
        {"mode": stat.S_IFREG | stat.S_ISVTX | 0o644},
        {"links": 2},
        {"links": 0},
    ],
)
def test_only_a_plain_file_with_one_name_goes(fields: dict[str, int]) -> None:
    for place in PLACES:
        name = next(name for path, name in GOES if path == place.path or place.path not in dict(GOES))
        assert not may_go(place, entry(name, **fields), NOW, NOBODY)


def test_what_somebody_has_open_stays() -> None:
    assert not may_go(at("/tmp"), entry("x", device=8, inode=99), NOW, frozenset({(8, 99)}))
    assert may_go(at("/tmp"), entry("x", device=8, inode=99), NOW, frozenset({(8, 98), (7, 99)}))


def test_a_temporary_file_that_was_read_yesterday_is_in_use_and_a_log_that_was_is_not() -> None:
    assert not may_go(at("/tmp"), entry("x", used=NOW - DAY), NOW, NOBODY)
    assert may_go(at("/var/log"), entry("syslog.1", used=NOW - 60), NOW, NOBODY)


def test_no_place_is_a_home_or_a_folder_of_data() -> None:
    roots = ("/var/cache/", "/var/log", "/var/lib/systemd/coredump", "/var/crash", "/tmp", "/var/tmp")
    assert all(place.path.startswith(roots) for place in PLACES)
    assert all(place.stays is KEPT_LOGS for place in PLACES if place.source is Source.ROTATED_LOGS)


files = st.builds(
    lambda place, name, mode, links, days, size, inode: Candidate(
        place, (), entry(name, days=days, mode=mode, links=links, bytes=size, inode=inode)
    ),
    st.sampled_from(PLACES),
    st.sampled_from([name for _, name in GOES + STAYS]) | st.text("abc.-0123456789@", min_size=1, max_size=12),
    st.sampled_from([stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777, stat.S_IFREG | 0o1644]),
    st.integers(1, 2),
    st.floats(-1, 100),
    st.sampled_from([0, 4096, 10**6]) | st.integers(0, 10**9),
    st.integers(1, 50),
)
lacks = st.builds(Lack, st.integers(-(10**9), 10**9), st.integers(-10, 20))


@given(st.lists(files, max_size=25), lacks)
def test_no_more_goes_than_is_wanted_and_the_oldest_first(found: list[Candidate], lack: Lack) -> None:
    chosen = choose(in_order(found), lack)
    assert len(chosen) <= len(found) and all(candidate in found for candidate in chosen)
    if not lack:
        assert chosen == []
    if chosen:  # without the last one it would not have been enough
        short = Lack(lack.bytes - sum(one.entry.bytes for one in chosen[:-1]), lack.inodes - len(chosen) + 1)
        assert short
    enough = Lack(lack.bytes - sum(one.entry.bytes for one in found), lack.inodes - len(found))
    if lack and not enough:  # all of it together would do, so what was chosen does
        assert not Lack(lack.bytes - sum(one.entry.bytes for one in chosen), lack.inodes - len(chosen))
    logs = [one.entry.written for one in chosen if not one.place.unused]
    assert logs == sorted(logs)


@given(st.lists(files, max_size=25), lacks)
def test_nothing_goes_that_the_list_does_not_name(found: list[Candidate], lack: Lack) -> None:
    for candidate in choose(in_order(one for one in found if may_go(one.place, one.entry, NOW, NOBODY)), lack):
        assert candidate.place in PLACES
        assert candidate.place.goes.fullmatch(candidate.entry.name)
        assert not candidate.place.stays.fullmatch(candidate.entry.name)
        assert stat.S_ISREG(candidate.entry.mode) and candidate.entry.links == 1
        assert NOW - candidate.entry.written >= candidate.place.older.total_seconds()


def test_what_was_put_by_lately_with_its_old_times_goes_last() -> None:
    place = at("/var/tmp")
    copied = Candidate(place, (), entry("copied", days=400, arrived=NOW - 60))
    left = Candidate(place, (), entry("left", days=20))
    assert [one.entry.name for one in choose(in_order([copied, left]), Lack(8192))] == ["left", "copied"]


def test_empty_files_are_left_where_only_space_is_short() -> None:
    empty = Candidate(at("/tmp"), (), entry("empty", bytes=0))
    assert choose([empty], Lack(1)) == []
    assert choose([empty], Lack(0, 1)) == [empty]
