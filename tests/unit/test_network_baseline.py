"""What should be there is learned from what was there: steady things stay expected, and are given up for a reason."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.network import baseline
from groundskeeper.subsystems.network.baseline import Limits, Moment, Stored
from groundskeeper.subsystems.network.rtnetlink import LOWER_UP, UP, AddressRow, LinkRow, Picture
from groundskeeper.subsystems.network.types import Address, Route

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIMITS = Limits(steady=timedelta(seconds=60), forget=timedelta(hours=1))
DEFAULT = Route(destination="0.0.0.0/0", link="host0", via="10.0.0.1")


def link(up: bool = True, mtu: int = 1500) -> LinkRow:
    return LinkRow(2, "host0", (UP | LOWER_UP) if up else 0, mtu, "veth", 0)


def address(text: str = "10.0.0.2/24", lasts: float | None = None, born: float = 0.0) -> AddressRow:
    return AddressRow(2, Address(address=text), born, lasts)


def picture(
    *addresses: AddressRow, up: bool = True, routes: tuple[Route, ...] = (DEFAULT,), gone: bool = False, mtu: int = 1500
) -> Picture:
    return Picture({} if gone else {2: link(up, mtu)}, addresses or (address(),), routes)


def lived(*looks: tuple[float, Picture], works: bool = True, removed: frozenset = frozenset()):
    """The fact after these looks; each at its second since the machine started. `removed` counts at the last one."""
    memory: dict = {}
    for place, (at, seen) in enumerate(looks):
        gone = removed if place == len(looks) - 1 else frozenset()
        moment = Moment(1000 + at, START + timedelta(seconds=at), works, gone)
        memory = baseline.learn(memory, seen, moment, LIMITS)
    return baseline.expected(memory, moment, LIMITS, START)


def test_what_has_been_there_for_a_minute_is_what_should_be_there():
    early = lived((0, picture()), (59, picture()))
    assert (early.links, early.addresses, early.routes) == ((), (), ())
    fact = lived((0, picture()), (60, picture()))
    assert [steady.name for steady in fact.links] == ["host0"]
    assert fact.links[0].carrier
    assert fact.links[0].mtu == 1500
    assert [held.address for held in fact.addresses[0].addresses] == ["10.0.0.2/24"]
    assert fact.routes == (DEFAULT,)


def test_what_the_settings_name_is_expected_at_once():
    moment = Moment(1000.0, START, True, meant=frozenset({baseline.route_key(DEFAULT)}))
    memory = baseline.learn({}, picture(), moment, LIMITS)
    assert baseline.expected(memory, moment, LIMITS, START).routes == (DEFAULT,)


def test_a_route_that_appears_later_is_no_older_than_that():
    seen = picture(address(born=5.0))
    wrong = Route(destination="10.9.0.0/16", link="host0")
    fact = lived((0, seen), (1, picture(address(born=5.0), routes=(DEFAULT, wrong))))
    assert fact.routes == (DEFAULT,)


def test_a_machine_that_has_run_for_long_is_known_at_the_first_look():
    fact = lived((0, picture(address(born=5.0))))
    assert [steady.name for steady in fact.links] == ["host0"]
    assert fact.routes == (DEFAULT,)


def test_a_steady_thing_that_is_gone_is_still_expected():
    down = picture(address(), up=False, routes=())
    fact = lived((0, picture()), (60, picture()), (61, down), (600, down))
    assert [steady.name for steady in fact.links] == ["host0"]
    assert fact.routes == (DEFAULT,)


def test_what_was_never_steady_is_not_missed():
    down = picture(address(), up=False, routes=())
    fact = lived((0, picture()), (30, down), (600, down))
    assert fact.routes == ()
    assert fact.links == ()


def test_a_break_starts_the_minute_anew():
    off = picture(address(), up=False, routes=())
    assert lived((0, picture()), (30, off), (31, picture()), (80, picture())).routes == ()


def test_after_an_hour_it_is_how_things_are_now():
    down = picture(address(), up=False, routes=())
    assert lived((0, picture()), (60, picture()), (61, down), (3661, down)).routes == ()


def test_what_a_running_program_took_away_is_its_business():
    bare = picture(routes=())
    key = baseline.route_key(DEFAULT)
    assert lived((0, picture()), (60, picture()), (61, bare), removed=frozenset({key})).routes == ()


def test_a_replacement_that_works_becomes_what_should_be_there():
    other = Route(destination="0.0.0.0/0", link="host0", via="10.0.0.254")
    after = picture(routes=(other,))
    assert lived((0, picture()), (60, picture()), (61, after), (122, after)).routes == (other,)


def test_a_replacement_that_does_not_work_does_not():
    other = Route(destination="0.0.0.0/0", link="host0", via="10.0.0.254")
    after = picture(routes=(other,))
    fact = lived((0, picture()), (60, picture()), (61, after), (122, after), works=False)
    assert DEFAULT in fact.routes


def test_an_address_renumbered_is_given_up_and_another_familys_is_not():
    after = picture(address("10.0.0.9/24"), address("fd00::9/64"))
    fact = lived((0, picture()), (60, picture()), (61, after), (122, after))
    assert [held.address for held in fact.addresses[0].addresses] == ["10.0.0.9/24", "fd00::9/64"]
    only6 = picture(address("fd00::9/64"))
    fact = lived((0, picture()), (60, picture()), (61, only6), (122, only6))
    assert [held.address for held in fact.addresses[0].addresses] == ["10.0.0.2/24", "fd00::9/64"]


def test_a_lease_is_expected_until_it_ends():
    leased, later = picture(address(lasts=300.0)), picture(address(lasts=240.0))
    bare = Picture({2: link()}, (), (DEFAULT,))
    fact = lived((0, leased), (60, later), (61, bare))
    assert fact.addresses[0].addresses[0].until == START + timedelta(seconds=300)
    assert lived((0, leased), (60, later), (61, bare), (400, bare)).addresses == ()


def test_a_device_that_is_gone_is_missed_only_where_it_carried_the_way_out():
    gone = Picture({}, (), ())
    fact = lived((0, picture()), (60, picture()), (61, gone))
    assert [steady.name for steady in fact.links] == ["host0"]
    spare = picture(routes=())
    assert lived((0, spare), (60, spare), (61, gone)).links == ()


def test_the_size_of_a_packet_is_remembered():
    small = picture(mtu=576)
    assert lived((0, picture()), (60, picture()), (61, small)).links[0].mtu == 1500


@pytest.mark.parametrize("up", [True, False])
def test_what_is_stored_comes_back_as_steady(up):
    fact = lived((0, picture(address(), address("fd00::2/64"))), (60, picture(address(), address("fd00::2/64"))))
    kept = msgspec.json.decode(msgspec.json.encode(baseline.stored(fact, "this life")), type=Stored)
    memory = baseline.recalled(kept, 5.0, LIMITS)
    seen = picture(address(), address("fd00::2/64")) if up else picture(address(), up=False, routes=())
    moment = Moment(5.0, START, True)
    again = baseline.expected(baseline.learn(memory, seen, moment, LIMITS), moment, LIMITS, START)
    assert again == fact


PICTURES = st.builds(
    lambda addresses, up, routes, mtu: picture(*addresses, up=up, routes=routes, mtu=mtu),
    st.lists(st.sampled_from([address(), address("10.0.0.9/24"), address("fd00::2/64", lasts=90.0)]), max_size=3),
    st.booleans(),
    st.sampled_from([(), (DEFAULT,), (Route(destination="10.9.0.0/16", link="host0"), DEFAULT)]),
    st.sampled_from([1500, 576]),
)


@given(st.lists(st.tuples(st.floats(0.1, 400), PICTURES), min_size=1, max_size=12), st.booleans())
def test_whatever_is_there_long_enough_is_expected_and_nothing_is_expected_that_was_never_steady(steps, works):
    memory: dict = {}
    at, since = 1000.0, {}
    ever: set = set()
    for pause, seen in steps:
        at += pause
        moment = Moment(at, START + timedelta(seconds=at), works)
        memory = baseline.learn(memory, seen, moment, LIMITS)
        present = baseline.things(seen, moment.now)
        ever |= {key for key, first in since.items() if at - first >= 60}  # it was there until this very moment
        since = {key: since.get(key, at) for key in present}
        ever |= {key for key, first in since.items() if at - first >= 60}
        expected = {key for key, kept in memory.items() if kept.gone is not None or at - kept.since >= 60}
        assert {key for key, first in since.items() if at - first >= 60} <= expected <= ever
