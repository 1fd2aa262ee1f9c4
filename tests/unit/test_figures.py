from datetime import timedelta

import pytest

from groundskeeper.lib.figures import counted, size, span


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_500, "1.5 kB"),
        (9_940, "9.9 kB"),
        (999_499, "999 kB"),
        (999_501, "1.0 MB"),
        (20_000_000_000_000, "20 TB"),
    ],
)
def test_sizes_are_read_in_the_units_that_disks_are_sold_in(count: float, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (89, "89 seconds"), (300, "5 minutes"), (7200, "2 hours"), (259200, "3 days")],
)
def test_spans_are_read_in_their_largest_sensible_unit(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_a_count_agrees_with_its_noun() -> None:
    assert (counted(1, "file"), counted(1200, "file")) == ("1 file", "1,200 files")
