"""The live view on a real terminal: it takes the whole screen, and gives it back as it was."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios

import pytest

COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-7]m")
ALTERNATE, ORDINARY = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """80 columns by 24 lines, with `watch` on it."""

    def __init__(self, **environment):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from groundskeeper.cli import main; main()", "watch"],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color"} | environment,
        )  # fmt: skip
        self.theirs = theirs
        self.shown = b""

    def until(self, words, within=10.0):
        while words not in self.shown:
            ready, _, _ = select.select([self.ours], [], [], within)
            assert ready, f"{words!r} was not shown, but {self.shown!r}"
            self.shown += os.read(self.ours, 65536)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminal(lived):
    opened = []

    def open_one(**environment):
        opened.append(Terminal(**environment))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def test_q_ends_the_view_and_the_terminal_is_as_it_was(terminal):
    shown = terminal(NO_COLOR="")
    shown.until(b"q quits")
    assert ALTERNATE in shown.shown
    assert COLOUR.search(shown.shown)
    assert termios.tcgetattr(shown.theirs) != shown.before
    os.write(shown.ours, b"q")
    shown.until(ORDINARY)
    assert shown.process.wait(10) == 0
    assert termios.tcgetattr(shown.theirs) == shown.before


def test_no_color_is_honoured(terminal):
    shown = terminal(NO_COLOR="1")
    shown.until(b"q quits")
    assert not COLOUR.search(shown.shown)
    assert b"waits for a person" in shown.shown


def test_what_stands_still_is_not_drawn_again_and_again(terminal):
    shown = terminal()
    shown.until(b"q quits")
    ready, _, _ = select.select([shown.ours], [], [], 1.3)
    assert not ready, os.read(shown.ours, 65536)
