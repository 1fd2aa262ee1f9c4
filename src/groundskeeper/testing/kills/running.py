"""Many workers at once, and what came of it all."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from groundskeeper.testing.kills.job import Job, Line

PATIENCE = 1800


class Figures(msgspec.Struct, frozen=True):
    """What the trials show. `struck` are those in which the death, or the failure, really happened."""

    trials: int
    struck: int
    applied_twice: int
    left_unverified: int
    left_unreverted: int
    left_unsettled: int
    not_done_in_the_end: int


Tell = Callable[[Job, list[Line]], None]
Command = Callable[[], Sequence[str]]


def here() -> Sequence[str]:
    """A worker on this machine."""
    return (sys.executable, "-m", "groundskeeper.testing.kills")


def run(jobs: Sequence[Job], at_once: int, tell: Tell = lambda job, lines: None, command: Command = here) -> list[Line]:
    """Carry the jobs out, so many at a time. Raises RuntimeError where a worker itself fails."""

    def one(job: Job) -> list[Line]:
        lines = _work(job, command())
        tell(job, lines)
        return lines

    with ThreadPoolExecutor(at_once) as pool:
        return [line for lines in pool.map(one, jobs) for line in lines]


def _work(job: Job, command: Sequence[str]) -> list[Line]:
    done = subprocess.run(
        command, input=msgspec.json.encode(job), capture_output=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"a worker for {job.subject} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return [msgspec.json.decode(line, type=Line) for line in done.stdout.splitlines()]


def figures(lines: Iterable[Line]) -> Figures:
    """Trials are counted once for each kind of promise that was broken in them."""
    every = list(lines)
    kinds = Counter(kind for line in every for kind in {broken.kind for broken in line.broken})
    return Figures(
        trials=len(every),
        struck=sum(line.struck for line in every),
        applied_twice=kinds["twice"],
        left_unverified=kinds["unverified"],
        left_unreverted=kinds["unreverted"],
        left_unsettled=kinds["unsettled"],
        not_done_in_the_end=kinds["lost"],
    )
