"""Who is signed in, as login and logind keep it; and what the journal held before the agent started."""

import struct

import pytest

from groundskeeper.subsystems.logs.past import entries
from groundskeeper.subsystems.logs.people import address_of_session, addresses_in, signed_in


def record(kind: int, host: str, size: int) -> bytes:
    head = struct.pack("=h2xi32s4s32s256s", kind, 4711, b"pts/0", b"ts/0", b"anna", host.encode())
    return head.ljust(size, b"\0")


@pytest.mark.parametrize("size", [384, 400])
def test_the_sessions_of_people_from_elsewhere_are_read(size):
    utmp = record(2, "6.1.0-18-amd64", size) + record(7, "198.51.100.7", size) + record(8, "198.51.100.8", size)
    assert list(addresses_in(utmp + record(7, "", size) + record(7, "::ffff:198.51.100.9", size))) == [
        "198.51.100.7",
        "198.51.100.9",
    ]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("STATE=active\nREMOTE=1\nREMOTE_HOST=198.51.100.7\n", ["198.51.100.7"]),
        ("STATE=closing\nREMOTE=1\nREMOTE_HOST=198.51.100.7\n", []),
        ("STATE=online\nREMOTE=0\n", []),
        ("", []),
    ],
)
def test_a_session_of_logind_tells_from_where(text, addresses):
    assert list(address_of_session(text)) == addresses


def test_where_nothing_tells_nobody_is_there(tmp_path):
    assert signed_in(tmp_path / "utmp", tmp_path / "sessions") == set()


def test_the_journals_lines_come_with_their_times_and_who_wrote_them():
    told = (
        b'{"__REALTIME_TIMESTAMP":"1772443800000000","SYSLOG_IDENTIFIER":"sshd","_PID":"7","MESSAGE":"x","_UID":"0"}\n'
        b'{"__REALTIME_TIMESTAMP":"1772443801000000","SYSLOG_IDENTIFIER":"sshd","_PID":"8","MESSAGE":"y","_UID":"1000"}\n'
        b'{"__REALTIME_TIMESTAMP":"1772443802000000","SYSLOG_IDENTIFIER":"sshd","MESSAGE":[104,105]}\n'
        b"not json\n{}\n"
    )
    first, second = entries(told)
    assert (first.text, first.foreign) == ("sshd[7]: x", False)
    assert first.at is not None
    assert first.at.isoformat() == "2026-03-02T09:30:00+00:00"
    assert (second.text, second.foreign) == ("sshd[8]: y", True)
