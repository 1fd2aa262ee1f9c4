"""What the machine's settings name is expected from the first look on."""

from groundskeeper.subsystems.network import configured
from groundskeeper.subsystems.network.baseline import Held, route_key
from groundskeeper.subsystems.network.types import Address, Route

DEFAULT = Route(destination="0.0.0.0/0", link="eth0", via="10.77.2.1")
PLAIN = Route(destination="10.8.0.0/16", link="eth0", via="10.77.2.9")
THINGS = [
    (("link", "eth0"), None),
    (("link", "lo"), None),
    (("link", "tun0"), None),
    (("address", "eth0", "10.77.2.10/24"), Held("eth0", Address(address="10.77.2.10/24"))),
    (("address", "tun0", "10.9.0.2/24"), Held("tun0", Address(address="10.9.0.2/24"))),
    (("address", "lo", "127.0.0.1/8"), Held("lo", Address(address="127.0.0.1/8"))),
    (route_key(DEFAULT), DEFAULT),
    (route_key(PLAIN), PLAIN),
]
IFUPDOWN = "auto eth0\niface eth0 inet static\n  address 10.77.2.10/24\n  gateway 10.77.2.1\n"
NETWORKD = "[Match]\nName=eth0\n[Network]\nAddress=10.77.2.10/24\nGateway=10.77.2.1\n"
NETPLAN = "network:\n  ethernets:\n    eth0:\n      addresses: [10.77.2.10/24]\n      routes:\n      - via: 10.77.2.1\n"
MEANT = {
    ("link", "eth0"),
    ("link", "lo"),
    ("address", "eth0", "10.77.2.10/24"),
    ("address", "lo", "127.0.0.1/8"),
    route_key(DEFAULT),
}


def test_each_kind_of_settings_names_the_same_things(tmp_path):
    for number, (place, text) in enumerate(
        {
            "etc/network/interfaces": IFUPDOWN,
            "etc/systemd/network/10-eth0.network": NETWORKD,
            "etc/netplan/01.yaml": NETPLAN,
        }.items()
    ):
        root = tmp_path / str(number)
        (root / place).parent.mkdir(parents=True)
        (root / place).write_text(text)
        assert configured.meant(THINGS, configured.words(root)) == MEANT, place


def test_without_settings_only_the_loopback_is_meant(tmp_path):
    meant = configured.meant(THINGS, configured.words(tmp_path))
    assert meant == {("link", "lo"), ("address", "lo", "127.0.0.1/8")}
