"""One worker: `python -m groundskeeper.testing.kills` reads a job on its input and writes a line of JSON per trial.

It lives in network, mount and pid namespaces of its own, which end with it. Root only.
"""

import os
import sys

import msgspec

from groundskeeper.lab.namespaces import CLONE_NEWNET, CLONE_NEWNS, unshare
from groundskeeper.testing.kills.job import Job, work

CLONE_NEWPID = 0x20000000


def main() -> int:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        work(job)
        os._exit(0)  # the first process of the namespace: with it all others end
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
