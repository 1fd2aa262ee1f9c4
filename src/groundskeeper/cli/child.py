"""The agent as a child of `up`: started, waited for, stopped. It never outlives us, however we end."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from groundskeeper.agent.control import Control
from groundskeeper.agent.home import Home
from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Refused, Unavailable

READY_WITHIN = 20.0
STOP_WITHIN = 10.0
MAY_NOT_RUN = 3
LAST_WORDS = 400


class Child:
    """A started agent. `check` raises when it has ended by itself, with its last words."""

    def __init__(self, home: Home) -> None:
        home.make()
        # In memory, not on disk: that the disk is full is among the things that it may have to say.
        self._said = os.fdopen(os.memfd_create("agent"), "w+b")
        # A session of its own: Ctrl-C is for us, who stop it in order; --with-parent: kill -9 is for both.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "groundskeeper.agent", "run", "--with-parent", str(os.getpid())],
            stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said, start_new_session=True,
        )  # fmt: skip

    def check(self) -> None:
        """Raises Refused where the agent found that it may not run, Unavailable where it ended for another reason."""
        code = self._process.poll()
        if code is None:
            return
        words = self._last_words()
        if code == MAY_NOT_RUN:
            raise Refused(words)
        raise Unavailable(f"the agent ended ({words}); nothing is lost: `groundskeeper up` goes on where it was")

    def wait_ready(self, control: Control) -> None:
        """Until it answers at its door."""
        clock = SystemClock()
        until = clock.elapsed() + READY_WITHIN
        while True:
            self.check()
            try:
                control.ask("status")
            except Unavailable:
                if clock.elapsed() > until:
                    raise
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Ask it to end, and make sure that it did."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()  # the ledger is made for this: the next start goes on from it
        self._process.wait()
        self._said.close()

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        if lines:
            return lines[-1][-LAST_WORDS:]
        code = self._process.returncode
        return f"somebody killed it with signal {-code}" if code < 0 else f"exit code {code}"


@contextmanager
def child(home: Home) -> Iterator[Child]:
    """An agent that answers, as long as the block lasts."""
    started = Child(home)
    try:
        started.wait_ready(Control(home.socket))
        yield started
    finally:
        started.stop()
