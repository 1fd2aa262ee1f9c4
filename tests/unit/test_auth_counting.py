"""How many attempts the lines tell of, from whom, and how little is kept of them."""

# ruff: noqa: E501 - lines of logs are as long as they are

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.logs.auth import Kind, Sign, read
from groundskeeper.subsystems.logs.counting import Failures, Peers

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def second(n: float) -> datetime:
    return NOW + timedelta(seconds=n)


def failure(source: str, pid: str = "", user: str = "root") -> Sign:
    return Sign(Kind.FAILED, "sshd", source, user, pid, 1, 0)


def counted(lines: str) -> int:
    """The attempts that lines of one second tell of, as the last fact says."""
    failures, total = Failures(), 0
    for line in lines.strip().splitlines():
        sign = read(line.strip())
        for fact in failures.add(sign, NOW) if sign else []:
            total = fact.total
    return total


def test_one_wrong_password_of_an_unknown_name_is_one_attempt():
    assert (
        counted("""
        h sshd[7]: Invalid user bob from 203.0.113.9 port 9
        h sshd[7]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9
        h sshd[7]: Failed password for invalid user bob from 203.0.113.9 port 9 ssh2
        h sshd[7]: Connection closed by invalid user bob 203.0.113.9 port 9 [preauth]
    """)
        == 1
    )


def test_three_wrong_passwords_on_one_connection_are_three():
    assert (
        counted("""
        h sshd[7]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root
        h sshd[7]: Failed password for root from 203.0.113.9 port 9 ssh2
        h sshd[7]: message repeated 2 times: [ Failed password for root from 203.0.113.9 port 9 ssh2]
        h sshd[7]: Connection reset by authenticating user root 203.0.113.9 port 9 [preauth]
        h sshd[7]: PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root
    """)
        == 3
    )


def test_two_connections_at_once_are_two():
    assert (
        counted("""
        h sshd[7]: Invalid user bob from 203.0.113.9 port 9
        h sshd[8]: Failed password for root from 203.0.113.9 port 10 ssh2
        h sshd[7]: Connection closed by invalid user bob 203.0.113.9 port 9 [preauth]
        h sshd[8]: Connection closed by authenticating user root 203.0.113.9 port 10 [preauth]
    """)
        == 2
    )


def test_mail_that_is_told_of_by_two_programs_is_counted_once():
    assert (
        counted("""
        h auth[3]: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=a rhost=203.0.113.9
        h auth[3]: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=a rhost=203.0.113.9
        h dovecot: imap-login: Disconnected (auth failed, 2 attempts in 9 secs): user=<a>, method=PLAIN, rip=203.0.113.9, lip=1
    """)
        == 2
    )


def test_what_is_older_than_ten_minutes_is_no_longer_among_the_latest_but_in_the_total():
    failures = Failures()
    failures.add(failure("203.0.113.9", "1"), second(0))
    failures.add(failure("203.0.113.9", "2"), second(400))
    (fact,) = failures.add(failure("203.0.113.9", "3"), second(700))
    assert fact.times == (second(400), second(700))
    assert (fact.total, fact.since) == (3, second(0))
    (fact,) = failures.add(failure("203.0.113.9", "4"), second(700) + timedelta(hours=25))
    assert (fact.total, fact.since) == (1, second(700) + timedelta(hours=25))


def test_a_v6_network_is_told_of_once_a_second_address_of_it_fails():
    failures = Failures()
    first = failures.add(failure("2001:db8:0:1::1"), second(0))
    assert [fact.source for fact in first] == ["2001:db8:0:1::1"]
    both = failures.add(failure("2001:db8:0:1::2"), second(1))
    assert [(fact.source, fact.total, fact.addresses) for fact in both] == [
        ("2001:db8:0:1::2", 1, 1),
        ("2001:db8:0:1::/64", 2, 2),
    ]


def test_a_flood_from_one_source_is_told_of_once_a_second():
    failures = Failures()
    told = [fact for n in range(1000) for fact in failures.add(failure("203.0.113.9", str(n)), second(n / 100))]
    assert 20 < len(told) < 35
    assert told[-1].total > 900
    assert len(told[-1].times) == 50


def test_of_too_many_sources_the_quietest_leave_and_then_have_a_last_word():
    failures = Failures(limit=2)
    for n, source in enumerate(("203.0.113.1", "203.0.113.2", "203.0.113.1", "203.0.113.3")):
        failures.add(failure(source, str(n)), second(n))
    assert [(fact.source, fact.times, fact.forgotten) for fact in failures.fading(second(5))] == [
        ("203.0.113.2", (), False)
    ]
    assert [failures.count(f"203.0.113.{n}") for n in (1, 2, 3)] == [2, 0, 1]
    assert list(failures.fading(second(60))) == []
    assert [(fact.source, fact.forgotten) for fact in failures.fading(second(1000))] == [("203.0.113.2", True)]


def test_who_is_quiet_for_a_day_is_forgotten_unless_it_comes_back():
    failures = Failures()
    failures.add(failure("203.0.113.1", "1"), second(0))
    failures.add(failure("203.0.113.2", "2"), second(0))
    day = 24 * 3600
    assert len(list(failures.fading(second(day + 1)))) == 2
    failures.add(failure("203.0.113.2", "3"), second(day + 2))
    assert [fact.source for fact in failures.fading(second(day + 1000)) if fact.forgotten] == ["203.0.113.1"]
    (fact,) = failures.add(failure("203.0.113.1", "4"), second(day + 2000))
    assert fact.total == 1


def test_a_flood_of_sources_is_bounded_at_once():
    failures = Failures(limit=10)
    for n in range(500):
        failures.add(failure(f"203.0.{n // 250}.{n % 250}"), second(0))
    assert len(failures._sources) <= 20


def test_names_of_hosts_guesses_and_the_machine_itself_are_not_counted():
    failures = Failures()
    assert failures.add(failure(""), NOW) == []
    assert failures.add(failure("evil.example.org"), NOW) == []
    assert failures.add(failure("203.0.113.9")._replace(sure=False), NOW) == []
    assert failures.add(failure("203.0.113.9")._replace(kind=Kind.PROBE), NOW) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(1, 3)), max_size=30))
def test_the_total_never_exceeds_what_the_lines_say(lines):
    failures, last = Failures(), 0
    for n, (pid, clue, times) in enumerate(lines):
        sign = Sign(Kind.FAILED, "sshd", "203.0.113.9", "u", pid, times, clue)
        for fact in failures.add(sign, second(n)):
            assert last < fact.total <= sum(times for *_, times in lines)
            last = fact.total


def test_a_person_is_known_for_half_a_day_and_is_told_of_once():
    peers = Peers()
    first = peers.fact(NOW)
    assert first is not None
    assert first.addresses == ()
    peers.add("198.51.100.7", NOW)
    told = peers.fact(NOW)
    assert told is not None
    assert told.addresses == ("198.51.100.7",)
    assert peers.fact(NOW) is None
    gone = peers.fact(NOW + timedelta(hours=13))
    assert gone is not None
    assert gone.addresses == ()
