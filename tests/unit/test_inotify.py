"""inotify against the kernel itself, and its bytes as properties."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundskeeper.lib import inotify
from groundskeeper.lib.inotify import Inotify


def test_a_file_that_is_replaced_written_or_removed_is_told_by_name(tmp_path):
    with Inotify() as watcher:
        watcher.watch(tmp_path)
        assert watcher.read() == []
        (tmp_path / "new").write_text("x")
        assert inotify.CLOSE_WRITE in [event.mask for event in watcher.read() if event.name == "new"]
        os.replace(tmp_path / "new", tmp_path / "old")
        assert {event.name for event in watcher.read()} == {"new", "old"}
        (tmp_path / "old").unlink()
        assert inotify.DELETE in [event.mask for event in watcher.read()]


def test_a_file_half_written_is_not_told_yet(tmp_path):
    with Inotify() as watcher, open(tmp_path / "slow", "w") as file:
        watcher.watch(tmp_path)
        file.write("half")
        file.flush()
        assert watcher.read() == []


def test_what_is_not_there_cannot_be_watched(tmp_path):
    with Inotify() as watcher, pytest.raises(FileNotFoundError):
        watcher.watch(tmp_path / "nothing")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_events_never_crash(data):
    list(inotify.events(data))
