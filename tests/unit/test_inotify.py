"""The kernel's news about files."""

import os

import pytest

from groundskeeper.lib.inotify import CREATE, DELETE_SELF, IGNORED, MODIFY, MOVED_TO, Inotify


@pytest.fixture
def inotify():
    made = Inotify()
    yield made
    made.close()


def test_a_write_is_told_of_the_file(inotify, tmp_path):
    path = tmp_path / "log"
    path.touch()
    watch = inotify.watch(path, MODIFY)
    assert inotify.read() == []
    path.write_text("x")
    assert (watch, MODIFY, "") in inotify.read()


def test_a_new_name_is_told_of_the_folder(inotify, tmp_path):
    watch = inotify.watch(tmp_path, CREATE | MOVED_TO)
    (tmp_path / "a").touch()
    os.rename(tmp_path / "a", tmp_path / "b é")
    assert inotify.read() == [(watch, CREATE, "a"), (watch, MOVED_TO, "b é")]


def test_a_file_that_goes_ends_its_watch(inotify, tmp_path):
    path = tmp_path / "log"
    path.touch()
    watch = inotify.watch(path, DELETE_SELF)
    path.unlink()
    assert [news.mask for news in inotify.read()] == [DELETE_SELF, IGNORED]
    inotify.unwatch(watch)


def test_a_missing_path_says_which(inotify, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        inotify.watch(tmp_path / "nowhere", MODIFY)
