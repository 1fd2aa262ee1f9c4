"""What the firewall's actions say, and where a source is kept."""

from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.model import DeviceId, Refused
from groundskeeper.subsystems.firewall.table import placed
from groundskeeper.subsystems.firewall.types import EnsureSourceBanned


def test_a_ban_says_whom_it_cuts_off_and_for_how_long():
    ban = EnsureSourceBanned(
        device=DeviceId("web-1"), source="203.0.113.9", duration=timedelta(minutes=10), reason="5 failed sign-ins"
    )
    assert ban.describe() == "203.0.113.9 is refused by the firewall for 10 minutes"
    assert ban.radius().cuts_off == ("203.0.113.9",)
    assert ban.expires_after == timedelta(minutes=10)


@given(st.integers(min_value=1 << 28, max_value=(0xDF << 24) - 1).map(IPv4Address))
def test_every_v4_host_has_a_place_unless_it_is_this_machine(address):
    if address.is_loopback:
        with pytest.raises(Refused):
            placed(str(address))
    else:
        assert placed(str(address)) == ("banned4", address.packed)


@given(st.integers(min_value=2 << 124, max_value=(4 << 124) - 1).map(IPv6Address))
def test_every_v6_host_and_its_network_have_different_places(address):
    assert placed(str(address)) == ("banned6", address.packed)
    network = IPv6Address(int(address) >> 64 << 64)
    assert placed(f"{network}/64") == ("networks6", network.packed)
