from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.subsystems.process.stat import parse, stat

LINE = (
    b"4711 (tmux: server (x) y) S 1 4711 4711 0 -1 4194368 1019 214 0 0 12 3 0 0 20 0 5 0 188271 11395072 1129 "
    b"18446744073709551615 94 94 140 0 0 0 0 3674112 134433283 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)


def test_a_name_may_hold_spaces_and_parentheses():
    seen = parse(LINE)
    assert seen is not None
    assert (seen.pid, seen.name, seen.state, seen.used) == (4711, "tmux: server (x) y", "S", 15)
    assert (seen.threads, seen.started, seen.resident, seen.kernel) == (5, 188271, 1129, False)


@given(st.binary(max_size=200))
def test_whatever_it_is_it_is_parsed_or_none(raw: bytes):
    parse(raw)


@given(st.text(max_size=15))
def test_any_name_comes_back(name: str):
    raw = LINE.replace(b"tmux: server (x) y", name.encode("utf-8", "surrogatepass"))
    seen = parse(raw)
    assert seen is not None and seen.started == 188271


def test_a_process_that_ended_is_none():
    assert stat(2**22 + 1) is None
    me = stat(1)
    assert me is not None and me.pid == 1
