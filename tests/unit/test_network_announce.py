"""The ARP announcement as RFC 826 and RFC 5227 draw it."""

from groundskeeper.subsystems.network.announce import frames

HARDWARE = bytes.fromhex("020000000001")


def test_an_announcement_goes_to_everyone_and_names_the_address_twice():
    asked, told = frames(HARDWARE, "10.0.0.2")
    head = "ffffffffffff 020000000001 0806 0001 0800 06 04"
    assert asked.hex() == (head + " 0001 020000000001 0a000002 000000000000 0a000002").replace(" ", "")
    assert told.hex() == (head + " 0002 020000000001 0a000002 020000000001 0a000002").replace(" ", "")
