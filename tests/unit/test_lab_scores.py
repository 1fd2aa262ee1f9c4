"""What the client felt, worked out from samples; and the score and the picture made of it."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.lab.drawing import BAR, draw, length, spoken
from groundskeeper.lab.faults.fault import Fault
from groundskeeper.lab.felt import RECORD, Sample, Samples, Service, Span, impact_ms, is_well, total, unwell
from groundskeeper.lab.judge import Felt
from groundskeeper.lab.scoring import Deeds, Score, as_json, judged, missed

MS = 1_000_000
SPANS = st.lists(st.builds(lambda begin, long: Span(begin, begin + long), st.integers(0, 300), st.integers(0, 60)))


def samples(service, text):
    """One sample each 10 ms: `.` answered, `x` did not."""
    return [Sample(number * 10 * MS, 500, service, mark == ".") for number, mark in enumerate(text, 1)]


@pytest.mark.parametrize(
    ("web", "db", "expected"),
    [
        ("....", "....", 0),
        (".xx.", "....", 20),
        (".xx.", "..xx", 30),
        ("xxxx", "xxxx", 40),
        ("...x", "....", 10),
    ],
)
def test_impact_is_the_time_in_which_any_service_failed(web, db, expected):
    seen = samples(Service.WEB, web) + samples(Service.DB, db)
    assert impact_ms(seen, 10 * MS, 50 * MS) == expected


def test_what_was_before_the_injection_does_not_count():
    assert impact_ms(samples(Service.WEB, "xx...x.."), 30 * MS, 90 * MS) == 10


def test_a_service_that_never_comes_back_fails_to_the_end():
    assert unwell(samples(Service.WEB, "..x"), 0, 500 * MS) == {Service.WEB: (Span(30 * MS, 500 * MS),)}


def test_well_means_used_and_answered():
    both = {Service.WEB, Service.DB}
    good = samples(Service.WEB, "....") + samples(Service.DB, "....")
    assert is_well(good, both, 0, 50 * MS)
    assert not is_well(samples(Service.WEB, "...."), both, 0, 50 * MS)
    assert not is_well(good + samples(Service.DB, "...x"), both, 0, 50 * MS)


@given(SPANS)
def test_the_total_is_the_number_of_moments_covered(spans):
    covered = {moment for span in spans for moment in range(span.begin, span.end)}
    assert total(spans) == len(covered)


def test_the_file_is_read_from_its_end_on_and_in_whole_records(tmp_path):
    path = tmp_path / "chair.samples"
    record = RECORD.pack(5, 7, Service.DB, True)
    path.write_bytes(record)
    file = Samples(path)
    with path.open("ab", buffering=0) as chair:
        assert file.new() == []
        chair.write(record + record[:5])
        assert file.new() == [Sample(5, 7, Service.DB, True)]
        chair.write(record[5:])
        assert file.new() == [Sample(5, 7, Service.DB, True)]
    file.close()


FAULT = Fault(
    name="web-killed",
    machine="web-1",
    what="the web server <is> killed",
    hurts=frozenset({Service.WEB}),
    inject=lambda lab: None,
    heal=lambda lab: None,
)


def felt(hurt, ms, *, settled=True, well_after=True):
    return Felt(
        fault="web-killed",
        impact_ms=ms,
        settled=settled,
        hurt=hurt,
        spans=dict.fromkeys(hurt, ((0, ms / 2), (ms, ms * 3 / 2))),
        watched_ms=4000,
        well_after=well_after,
    )


@pytest.mark.parametrize(
    ("managed", "worse"),
    [
        (felt(("web",), 40), False),
        (felt((), 0), False),
        (felt(("web", "db"), 250), True),
        (felt(("web", "db"), 249), False),
        (felt(("web",), 40, well_after=False), True),
    ],
)
def test_worse_is_what_the_fault_alone_did_not_do(managed, worse):
    unaided = felt(("web",), 4000, settled=False)
    assert judged(FAULT, managed, Deeds(), unaided).made_worse is worse


def test_a_fault_played_once_is_measured_against_what_it_says_of_itself():
    once = judged(FAULT, felt(("web", "db"), 340), Deeds())
    assert once.made_worse
    assert once.unaided is None
    assert not judged(FAULT, felt(("web",), 40), Deeds()).made_worse


def score(*, settled):
    unaided = felt(("web",), 4000, settled=False)
    managed = felt(("web",), 44 if settled else 4000, settled=settled)
    line = judged(FAULT, managed, Deeds("service_down/start_service", 0), unaided)
    return Score(storm="first", took_s=1.0, lines=(line,))


def test_the_score_counts_what_was_settled_and_names_what_was_missed():
    assert score(settled=True).settled == 1
    assert missed(score(settled=True).lines) == []
    assert missed(score(settled=False).lines) == ["web-killed"]
    line = as_json(score(settled=True))["lines"][0]
    assert {"name", "impact_ms", "settled", "by", "made_worse", "left_unconfirmed"} <= set(line)


def test_the_picture_is_svg_and_says_both_times():
    picture = draw(score(settled=True))
    ElementTree.fromstring(picture)
    assert "44 ms" in picture
    assert "4.0 s and on" in picture


def test_bars_grow_with_time_and_never_leave_the_picture():
    assert length(0) == 0
    assert length(10) < length(100) < length(10_000) == length(1e9) == BAR
    assert spoken(0, True) == "not felt"
