"""DSSE: who signed what, and that nothing else passes."""

import json
from base64 import b64decode, b64encode
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.agent.sealing import NotSo, pae, public, seal, unseal

KIND = "application/vnd.groundskeeper.policy+json"
ALICE, BOB, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
PAYLOAD = b'{"version":7}'
SEALED = seal(KIND, PAYLOAD, [ALICE])


def test_what_is_signed_is_as_the_standard_has_it() -> None:
    """The example in DSSE's protocol.md."""
    wanted = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == wanted


def test_what_a_trusted_key_signed_is_believed() -> None:
    assert unseal(KIND, SEALED, [BOB_KEY, ALICE_KEY]) == PAYLOAD


ALICE_KEY, BOB_KEY, EVE_KEY = public(ALICE), public(BOB), public(EVE)


@pytest.mark.parametrize("trusted", [[], [BOB_KEY], [b"short"]])
def test_what_nobody_trusted_signed_is_not(trusted: list[bytes]) -> None:
    with pytest.raises(NotSo):
        unseal(KIND, SEALED, trusted)


def test_an_order_is_no_policy() -> None:
    with pytest.raises(NotSo, match="another kind"):
        unseal(KIND, seal("application/vnd.groundskeeper.order+json", PAYLOAD, [ALICE]), [ALICE_KEY])


def test_the_kind_is_signed_too() -> None:
    other = json.loads(seal("application/vnd.groundskeeper.order+json", PAYLOAD, [ALICE]))
    with pytest.raises(NotSo):
        unseal(KIND, json.dumps({**other, "payloadType": KIND}).encode(), [ALICE_KEY])


def test_one_key_is_one_however_often_it_signs_and_under_however_many_names() -> None:
    envelope = json.loads(seal(KIND, PAYLOAD, [ALICE, ALICE]))
    envelope["signatures"][1]["keyid"] = "another"
    raw = json.dumps(envelope).encode()
    with pytest.raises(NotSo, match="signed by 1 of the trusted keys, and 2 are wanted"):
        unseal(KIND, raw, [ALICE_KEY, bytes(ALICE_KEY), BOB_KEY], threshold=2)
    assert unseal(KIND, seal(KIND, PAYLOAD, [ALICE, BOB]), [ALICE_KEY, BOB_KEY], threshold=2) == PAYLOAD


def test_a_stranger_who_signs_too_changes_nothing() -> None:
    assert unseal(KIND, seal(KIND, PAYLOAD, [EVE, ALICE]), [ALICE_KEY]) == PAYLOAD


def test_the_url_safe_alphabet_is_read_too() -> None:
    envelope = json.loads(SEALED)
    envelope["signatures"][0]["sig"] = envelope["signatures"][0]["sig"].replace("+", "-").replace("/", "_")
    assert unseal(KIND, json.dumps(envelope).encode(), [ALICE_KEY]) == PAYLOAD


@given(place=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_one_changed_bit_never_changes_what_is_believed(place: int, bit: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= 1 << bit
    with suppress(NotSo):
        assert unseal(KIND, bytes(changed), [ALICE_KEY]) == PAYLOAD


@given(place=st.integers(0, len(PAYLOAD) - 1), bit=st.integers(0, 7))
def test_one_changed_bit_of_the_payload_is_refused(place: int, bit: int) -> None:
    envelope = json.loads(SEALED)
    payload = bytearray(b64decode(envelope["payload"]))
    payload[place] ^= 1 << bit
    envelope["payload"] = b64encode(payload).decode()
    with pytest.raises(NotSo):
        unseal(KIND, json.dumps(envelope).encode(), [ALICE_KEY])


@given(st.one_of(st.binary(), st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())))
def test_anything_else_is_not_a_signed_document(raw: bytes) -> None:
    with pytest.raises(NotSo):
        unseal(KIND, raw, [ALICE_KEY])
