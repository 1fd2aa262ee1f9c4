"""`python -m groundskeeper.agent run`: the resident process, without the command line's weight."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

import uvloop

from groundskeeper.agent.home import home
from groundskeeper.agent.resident import Resident
from groundskeeper.model import DeviceId, GroundskeeperError

PR_SET_PDEATHSIG = 1
REAL_TIME = 10
LONGEST_RUN = 5_000_000
"""Microseconds without waiting for anything."""
USAGE = "usage: python -m groundskeeper.agent run [--home DIR] [--device NAME] [--with-parent PID]"


def main(words: list[str]) -> int:
    """The exit code: 0 when told to stop, 2 for wrong usage, 3 where it may not run, 1 for anything else."""
    options = _options(words)
    if options is None:
        print(USAGE, file=sys.stderr)  # noqa: T201 - the only words of a process that cannot start
        return 2
    if "with-parent" in options:
        _end_with(int(options["with-parent"]))
    _hold_our_own()
    at = Path(options["home"]) if "home" in options else None
    device = DeviceId(options["device"]) if "device" in options else None
    try:
        uvloop.run(Resident(home(at), device).run())
    except GroundskeeperError as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 3
    return 0


def _options(words: list[str]) -> dict[str, str] | None:
    if not words or words[0] != "run":
        return None
    options: dict[str, str] = {}
    rest = iter(words[1:])
    for word in rest:
        if word in ("--home", "--device", "--with-parent"):
            options[word[2:]] = next(rest, "")
        else:
            return None
    return options


def _hold_our_own() -> None:
    """Run before everything ordinary, where we may: what has to be dealt with may have taken the whole processor.

    The kernel ends us if we ever kept a processor to ourselves for so long: then systemd starts us anew. Where it is
    forbidden (no root, a container), we run like everybody else.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_RTTIME, (LONGEST_RUN, LONGEST_RUN))
        # The loop alone: its threads and children, which may walk whole disks, do not inherit it.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(REAL_TIME))


def _end_with(parent: int) -> None:
    """SIGTERM when whoever started us dies, however: a view that is killed must not leave an agent that nobody sees."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)  # it died while we were being loaded


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
