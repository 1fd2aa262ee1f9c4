"""One worker: `python -m groundskeeper.testing.kills` reads a job on its input and writes a line of JSON per trial.

It lives in network, mount and pid namespaces of its own, which end with it; but for services, which are those of the
machine it is started on (a lab's). Root only.
"""

import os
import sys

import msgspec

from groundskeeper.lab.namespaces import CLONE_NEWNET, CLONE_NEWNS, unshare
from groundskeeper.testing.kills.job import HERE, Job, work

CLONE_NEWPID = 0x20000000


def main() -> int:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    if job.subject not in HERE:
        work(job)
        return 0
    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        work(job)
        os._exit(0)  # the first process of the namespace: with it all others end
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
