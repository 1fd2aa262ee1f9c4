"""Offices as data, and the names of the images they need."""

import pytest

from groundskeeper.lab.agents import with_agents
from groundskeeper.lab.errors import LabError
from groundskeeper.lab.faults import CATALOGUE, STORMS, fault_named
from groundskeeper.lab.image import image_key
from groundskeeper.lab.network import interfaces_file, mac
from groundskeeper.lab.office import PACKAGES, load_office
from groundskeeper.model import Refused

OFFICES = ("office", "solo")


@pytest.mark.parametrize("name", OFFICES)
def test_the_offices_that_ship_can_be_read(name):
    office = load_office(name)
    assert office.name == name
    assert {link.network for plan in office.machines for link in plan.links} == set(office.networks)


def test_an_office_can_be_a_file_of_ones_own(tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text('name = "shop"\nnetworks = ["lan"]\n[[machines]]\nname = "till"\nlinks = []\n')
    assert load_office(str(path)).machine("till").name == "till"


def test_a_word_that_means_nothing_is_refused(tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text('name = "shop"\nnetworks = []\nmachines = []\ncolour = "green"\n')
    with pytest.raises(LabError, match="colour"):
        load_office(str(path))


def test_an_unknown_machine_is_answered_with_those_there_are():
    with pytest.raises(LabError, match="web-1"):
        load_office("office").machine("web-2")


def test_the_same_packages_in_another_order_are_the_same_image():
    assert image_key(PACKAGES) == image_key([*reversed(PACKAGES), PACKAGES[0]])
    assert image_key(PACKAGES) != image_key(load_office("solo").with_packages("monit").packages)


def test_a_machine_configures_its_network_as_an_administrator_would():
    text = interfaces_file(load_office("office").machine("web-1"))
    assert "iface eth0 inet static\n    address 10.77.2.10/24\n    gateway 10.77.2.1\n" in text


def test_every_card_has_an_address_of_its_own_that_stays():
    cards = [(plan, link) for plan in load_office("office").machines for link in plan.links]
    assert len({mac(*card) for card in cards}) == len(cards)
    assert mac(*cards[0]) == mac(*cards[0])
    assert int(mac(*cards[0])[:2], 16) & 3 == 2, "locally administered, and no group"


def test_only_machines_that_would_have_an_agent_get_one():
    office = with_agents(load_office("office"))
    service = "/etc/systemd/system/groundskeeper.service"
    assert {plan.name for plan in office.machines if service in plan.files} == {
        "gateway",
        "web-1",
        "db-1",
        "workstation",
    }


def test_every_fault_says_what_it_is_and_where():
    machines = {plan.name for plan in load_office("office").machines}
    for name, fault in CATALOGUE.items():
        assert fault.name == name
        assert fault.machine in machines
        assert fault.hurts
        assert fault.what


def test_storms_are_made_of_known_faults():
    for names in STORMS.values():
        assert all(fault_named(name) for name in names)
    with pytest.raises(Refused, match="web-killed"):
        fault_named("nonsense")
