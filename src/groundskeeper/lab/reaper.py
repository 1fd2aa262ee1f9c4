"""The lab's last will: a process that does nothing until the owner is gone, then removes all that the lab ever made.

It is the only way a lab ends: `down` kills the owner, and so may anyone; when whoever raised the lab ends without
having said that it is to stay, the reaper kills the owner itself. The mounts, the network and the loop devices
lived in namespaces of the killed processes and need no one.
"""

import contextlib
import os
import select
import shutil
import signal
from pathlib import Path

from groundskeeper.lab import cgroups
from groundskeeper.lab.namespaces import adopt_orphans

RUN = Path("/run/groundskeeper-lab")
STAY = b"stay"


def sweep(lab: str) -> None:
    """Kill and remove whatever a lab of that name may have left. May run twice, and beside another sweep."""
    for branch in cgroups.branches(lab):
        cgroups.kill_and_remove(branch)
    shutil.rmtree(RUN / lab, ignore_errors=True)
    with contextlib.suppress(OSError):  # another lab's folder may be in it
        RUN.rmdir()


def stay_as_reaper(lab: str) -> int:
    """Fork. The child returns, to become the owner, with its parent's pid; the parent stays behind as the reaper.

    The reaper adopts what the owner leaves orphaned: a killed machine's systemd would otherwise wait, dead but listed,
    for the host's first process to notice, and in a container that one often never does. Call it before anything else.
    """
    reaper = os.getpid()
    adopt_orphans()
    owner = os.fork()
    if owner == 0:
        return reaper
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _until_over(owner)
    os.waitpid(owner, 0)
    sweep(lab)
    _bury_all()
    os._exit(0)


def _until_over(owner: int) -> None:
    """Until the owner ends, or the other end of standard input does without a word: then the owner ends too."""
    ended, line = os.pidfd_open(owner), 0
    watch = select.poll()
    watch.register(ended, select.POLLIN)
    watch.register(line, select.POLLIN)
    while True:
        ready = {fd for fd, _ in watch.poll()}
        if ended in ready:
            return
        if not os.read(line, len(STAY)):
            os.kill(owner, signal.SIGKILL)
        watch.unregister(line)


def _bury_all() -> None:
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return
