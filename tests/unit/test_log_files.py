"""Log files as they grow, are rotated, emptied and half written."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.model import Unavailable
from groundskeeper.subsystems.logs.files import Files, Tail


@pytest.fixture
def path(tmp_path) -> Path:
    made = tmp_path / "auth.log"
    made.write_text("long ago\n")
    return made


@pytest.fixture
def files(path):
    made = Files({path: ""})
    assert made.read() == []
    yield made
    made.close()


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def texts(files: Files) -> list[str]:
    return [heard.text for heard in files.read()]


def test_only_what_is_new_is_read(files, path):
    append(path, "one\ntwo\n")
    assert texts(files) == ["one", "two"]
    assert texts(files) == []


def test_a_line_is_read_when_it_is_finished(files, path):
    append(path, "half a ")
    assert texts(files) == []
    append(path, "line\n")
    assert texts(files) == ["half a line"]


def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(files, path):
    append(path, "before\n")
    with path.open("a") as still_open:
        path.rename(path.with_suffix(".1"))
        path.write_text("new\n")
        still_open.write("late\n")
    assert texts(files) == ["before", "late", "new"]
    append(path.with_suffix(".1"), "very late\n")
    append(path, "newer\n")
    assert texts(files) == ["very late", "newer"]


def test_a_rotated_file_that_is_deleted_is_let_go(files, path):
    path.rename(path.with_suffix(".1"))
    path.write_text("new\n")
    assert texts(files) == ["new"]
    path.with_suffix(".1").unlink()
    assert texts(files) == []
    held = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.lexists(f"/proc/self/fd/{fd}")
    ]
    assert not [name for name in held if name.startswith(str(path.parent)) and name.endswith("(deleted)")]


def test_a_file_that_is_emptied_in_place_is_read_from_its_beginning(files, path):
    append(path, "one\n")
    assert texts(files) == ["one"]
    os.truncate(path, 0)
    append(path, "two\n")
    assert texts(files) == ["two"]


def test_many_rotations_keep_no_more_than_two_files_open(files, path):
    def held() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = held()
    for n in range(10):
        path.rename(path.with_suffix(f".{n}"))
        path.write_text(f"{n}\n")
        assert texts(files) == [str(n)]
    assert held() <= before + 1


def test_a_file_that_comes_later_is_read_from_its_beginning(tmp_path, path):
    later = tmp_path / "mail.log"
    files = Files({path: "", later: "postfix"})
    later.write_text("first\n")
    assert [(heard.text, heard.service) for heard in files.read()] == [("first", "postfix")]
    files.close()


def test_the_past_comes_with_its_times(path):
    path.write_text("2026-03-02T09:29:00.5+00:00 h sshd[1]: x\nMar  2 09:29:00 h sshd[1]: y\n")
    files = Files({path: ""}, back=4096)
    first, second = files.read()
    assert first.at == datetime(2026, 3, 2, 9, 29, 0, 500_000, UTC)
    assert second.at is not None
    assert second.at.year == 1970
    append(path, "now\n")
    assert [heard.at for heard in files.read()] == [None]
    files.close()


def test_reading_begins_with_a_whole_line(path):
    path.write_text("first line\nsecond line\n")
    tail = Tail(path, back=len("line\nsecond line\n"))
    assert tail.read() == [b"second line"]
    tail.close()
    tail = Tail(path, back=len("second line\n"))
    assert tail.read() == [b"second line"]
    tail.close()


def test_what_cannot_be_read_says_why(tmp_path):
    with pytest.raises(Unavailable, match=r"none of auth\.log is there"):
        Files({tmp_path / "no" / "auth.log": ""})


@given(st.lists(st.text(alphabet="ab\n", max_size=12), max_size=12))
def test_however_it_is_written_every_finished_line_is_read_once(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("logs") / "log"
    path.touch()
    tail, lines = Tail(path, back=0), []
    for piece in pieces:
        append(path, piece)
        lines += tail.read()
    tail.close()
    assert [line.decode() for line in lines] == "".join(pieces).split("\n")[:-1]
