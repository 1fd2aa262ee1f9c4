"""What one log line tells, and that nobody can put an address into it that is not theirs."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.logs import auth
from groundskeeper.subsystems.logs.hunch import recognise
from groundskeeper.subsystems.logs.patterns import SERVICES, Kind

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "auth_lines.jsonl").read_text().splitlines() if line.strip()
]
THEIRS, INNOCENT = "203.0.113.9", "8.8.8.8"
WORDS = st.lists(
    st.sampled_from(
        f"from|{INNOCENT}|port|22|ssh2|ssh2:|user|invalid|for|rhost={INNOCENT}|rip={INNOCENT},|user=<|>,|[{INNOCENT}]|"
        f"Failed password|Accepted password|[preauth]|client: {INNOCENT},|'@'{INNOCENT}'|\"|)|(|:|RSA SHA256:x|ruser=|"
        "Too many authentication failures|sshd[1]:|\n|535 Incorrect authentication data".split("|")
    ),
    max_size=9,
).map(" ".join)
HONEST = (
    "h sshd[1]: Failed password for invalid user {} from 203.0.113.9 port 9 ssh2",
    "h sshd[1]: Failed publickey for invalid user {} from 203.0.113.9 port 9 ssh2: RSA SHA256:zz",
    "h sshd[1]: Invalid user {} from 203.0.113.9 port 9",
    "h sshd[1]: Connection closed by invalid user {} 203.0.113.9 port 9 [preauth]",
    "h sshd[1]: Disconnected from authenticating user {} 203.0.113.9 port 9 [preauth]",
    "h sshd[1]: Received disconnect from 203.0.113.9 port 9:11: {} [preauth]",
    "h sshd[1]: error: PAM: Authentication failure for illegal user {} from 203.0.113.9",
    (
        "h sshd[1]: error: maximum authentication attempts exceeded for invalid user {} from 203.0.113.9 "
        "port 9 ssh2 [preauth]"
    ),
    (
        "h dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<{}>, method=PLAIN, "
        "rip=203.0.113.9, lip=10.0.0.1, session=<aaaa>"
    ),
    "h dovecot: auth-worker(7): sql({},203.0.113.9): Password mismatch",
    (
        "h vsftpd[1]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser={} "
        "rhost=203.0.113.9"
    ),
    'h vsftpd[1]: [{}] FAIL LOGIN: Client "203.0.113.9"',
    "h proftpd[1]: h (x[203.0.113.9]) - USER {}: no such user found from x [203.0.113.9] to 10.0.0.1:21",
    "h webmin[1]: Invalid login as {} from 203.0.113.9",
    "h mysqld: 2026-11-23 17:00:00 31 [Warning] Access denied for user '{}'@'203.0.113.9'",
    "h postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: {}",
)


def told(sign: auth.Sign | None) -> str | None:
    if sign is None:
        return None
    words = f"{sign.kind.value} {sign.service} {sign.source} {sign.user}"
    return words if sign.sure else words + " unsure"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["line"][:90])
def test_a_line_is_read(case):
    sign = auth.read(case["line"], case.get("service", ""))
    assert told(sign) == case["is"], case.get("because")
    assert sign is None or sign.times == case.get("times", 1)


@given(st.sampled_from(HONEST), WORDS)
def test_whatever_the_other_side_calls_itself_no_other_address_is_taken(honest, theirs):
    sign = auth.read(honest.replace("{}", theirs))
    assert sign is None or sign.source == THEIRS or not sign.sure
    assert sign is None or sign.kind is not Kind.ACCEPTED


@given(st.text(max_size=300), st.sampled_from(["", *SERVICES]))
def test_any_text_is_read_without_trouble(text, service):
    auth.read(text, service)
    recognise(text)


@pytest.mark.parametrize("service", SERVICES)
def test_no_hostile_line_takes_long_to_read(service):
    """A pattern whose time grows with a power of the line's length would let the other side stop the agent."""
    pieces = ("2026-01-01 ", "1.2.3.4 ", "aa:", "[1] ", "(a) ", " ", "user=<", "rhost=1.2.3.4 ", "from 1.2.3.4 port 1 ")
    for _, needle, text in SERVICES[service]:
        for piece in (*pieces, needle):
            line = (piece * auth.LONGEST)[: auth.LONGEST - len(needle)] + needle
            began = time.process_time()
            auth.read(line, service)
            assert time.process_time() - began < 0.5, (text, piece)


def test_every_pattern_compiles_and_its_needle_is_no_pattern():
    for service in SERVICES:
        for *_, needle, pattern in auth._rows(service):
            assert pattern() and needle


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("203.0.113.9:5060", "203.0.113.9"),
        ("example.org", None),
        ("999.1.1.1", None),
        ("", None),
    ],
)
def test_an_address_has_one_spelling(text, address):
    assert auth.address_of(text) == address
