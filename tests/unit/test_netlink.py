"""Netlink: framing as properties, and the socket against the kernel itself (reading needs no privilege)."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.lib import netlink
from groundskeeper.lib.netlink import ERROR, Message, Netlink, Request

KIND = st.integers(0, 0xFFFF)
WORD = st.integers(0, 0xFFFFFFFF)
BODY = st.binary(max_size=64)
MESSAGE = st.builds(Message, kind=KIND, flags=KIND, sequence=WORD, port=WORD, body=BODY)
GETLINK, GETADDR, GETROUTE = 18, 22, 26


@given(st.lists(MESSAGE, max_size=5))
def test_messages_come_back_as_they_were_packed(messages):
    data = b"".join(netlink.pack(m.kind, m.flags, m.sequence, m.body, m.port) for m in messages)
    assert list(netlink.unpack(data)) == messages


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), BODY), max_size=5))
def test_attributes_come_back_as_they_were_packed(pairs):
    data = b"".join(netlink.attribute(kind, body) for kind, body in pairs)
    assert list(netlink.each_attribute(data)) == pairs
    assert netlink.attributes(data) == dict(pairs)


@given(st.integers(0, 0x3FFF), st.lists(st.tuples(st.integers(0, 0x3FFF), BODY), max_size=4))
def test_a_nested_attribute_holds_its_parts_and_is_marked(kind, pairs):
    data = netlink.nested(kind, *(netlink.attribute(k, body) for k, body in pairs))
    assert struct.unpack_from("=HH", data)[1] == kind | netlink.NESTED
    [(seen, inside)] = netlink.each_attribute(data)
    assert seen == kind
    assert list(netlink.each_attribute(inside)) == pairs


@given(st.binary(max_size=256), st.integers(0, 8))
def test_bytes_that_are_no_netlink_never_crash(data, at):
    for message in netlink.unpack(data):
        netlink.failure(message)
        netlink.attributes(message.body, at)
    netlink.attributes(data, at)
    netlink.failure(Message(ERROR, 0x300, 1, 0, data))


@given(st.lists(MESSAGE, min_size=1, max_size=3), st.integers(1, 15))
def test_a_datagram_cut_short_gives_the_whole_messages_before_the_cut(messages, cut):
    data = b"".join(netlink.pack(m.kind, m.flags, m.sequence, m.body, m.port) for m in messages)
    assert list(netlink.unpack(data[: -min(cut, len(data))])) in (messages, messages[:-1])


@given(st.text().filter(lambda value: "\0" not in value))
def test_a_string_comes_back(value):
    assert netlink.string(netlink.attributes(netlink.text(3, value))[3]) == value


@pytest.mark.parametrize(("packed", "value"), [(netlink.u8, 7), (netlink.u16, 300), (netlink.u32, 70_000)])
def test_a_number_comes_back(packed, value):
    assert netlink.number(netlink.attributes(packed(1, value))[1]) == value


def test_an_error_carries_its_number_and_the_kernels_own_sentence():
    told = struct.pack("=i", -errno.EEXIST) + bytes(16) + netlink.text(1, "File exists already")
    problem = netlink.failure(Message(ERROR, 0x300, 1, 0, told))
    assert problem is not None
    assert problem.errno == errno.EEXIST
    assert "File exists already" in str(problem)
    assert netlink.failure(Message(ERROR, 0, 1, 0, bytes(20))) is None


def test_a_table_is_read_whole():
    with Netlink(netlink.ROUTE) as kernel:
        links = kernel.dump(GETLINK, bytes(16))
        names = [netlink.string(netlink.attributes(link.body, 16)[3]) for link in links]
        assert "lo" in names
        assert kernel.dump(GETADDR, bytes(8))


def test_a_question_that_the_kernel_refuses_raises_its_errno_and_the_socket_goes_on():
    with Netlink(netlink.ROUTE) as kernel:
        with pytest.raises(OSError) as refused:
            kernel.ask(GETLINK, struct.pack("=BxHiII", 0, 0, 0x7FFFFFF0, 0, 0))
        assert refused.value.errno == errno.ENODEV
        [link] = kernel.ask(GETLINK, struct.pack("=BxHiII", 0, 0, 1, 0, 0))
        assert netlink.string(netlink.attributes(link.body, 16)[3]) == "lo"


def test_one_refusal_in_a_batch_does_not_hide_the_rest():
    lo = struct.pack("=BxHiII", 0, 0, 1, 0, 0)
    none = struct.pack("=BxHiII", 0, 0, 0x7FFFFFF0, 0, 0)
    with Netlink(netlink.ROUTE) as kernel:
        with pytest.raises(OSError) as refused:
            kernel.batch([Request(GETLINK, lo), Request(GETLINK, none), Request(GETLINK, lo)])
        assert refused.value.errno == errno.ENODEV
        assert len(kernel.batch([Request(GETLINK, lo), Request(GETLINK, lo)])) == 2


def test_nothing_announced_is_an_empty_list_at_once():
    with Netlink(netlink.ROUTE, groups=[1]) as kernel:
        assert kernel.receive() == []


def test_a_family_that_is_not_here_is_an_oserror():
    with pytest.raises(OSError):
        Netlink(250)
