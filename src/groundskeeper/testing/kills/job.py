"""A worker's share of the trials."""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from groundskeeper.testing.kills.bugs import KINDS
from groundskeeper.testing.kills.files import CacheFull, DiskFull, ResolverDead
from groundskeeper.testing.kills.kernel import done
from groundskeeper.testing.kills.network import (
    AddressLost,
    Attack,
    AttackGoesOn,
    BannedByMistake,
    LinkOff,
    NeighbourFixed,
    RouteLost,
    RouteSwallows,
    RouteWrong,
    lay_cable,
)
from groundskeeper.testing.kills.processes import Runaway, RunawayToEnd
from groundskeeper.testing.kills.services import Down, PausedService, Stuck
from groundskeeper.testing.kills.subject import Subject
from groundskeeper.testing.kills.tracing import Fate
from groundskeeper.testing.kills.trial import Broken, Plain, Trial

HERE: dict[str, type[Subject]] = {
    kind.name: kind
    for kind in (
        Attack, AttackGoesOn, BannedByMistake, LinkOff, AddressLost, RouteLost, RouteWrong, RouteSwallows,
        NeighbourFixed, CacheFull, DiskFull, ResolverDead, Runaway, RunawayToEnd,
    )
}  # fmt: skip
"""What can be tried in a few namespaces."""
WITH_SYSTEMD: dict[str, type[Subject]] = {kind.name: kind for kind in (Down, Stuck, PausedService)}
"""What needs a machine with systemd, in which the worker is started."""
SUBJECTS = HERE | WITH_SYSTEMD
STORAGE = frozenset({1, 18, 20, 74, 75, 77, 257, 285})
"""write, pwrite64, writev, fsync, fdatasync, ftruncate, openat, fallocate: where a disk says that it is full."""


class Job(msgspec.Struct, frozen=True):
    """`sample`: at most so many points, drawn with `seed`; 0 for every one. `error`: an errno instead of death.

    `nested`: how many trials with a second death, during the recovery. `share` of `shares`: which part is this one's.
    """

    subject: str
    sample: int = 0
    seed: int = 0
    error: int = 0
    nested: int = 0
    share: int = 0
    shares: int = 1
    envelope: str = "Envelope"


class Line(msgspec.Struct, frozen=True):
    """What came of one trial."""

    subject: str
    at: int
    call: int
    struck: bool
    error: int = 0
    then: int = 0
    broken: list[Broken] = []


def work(job: Job) -> None:
    """Run the share: in namespaces that are nobody else's, or on the machine that it was started on."""
    if job.subject in HERE:
        _make_home()
    subject = SUBJECTS[job.subject]()
    subject.dress()
    trial = Trial(subject, Path(f"/run/kills-{os.getpid()}"), KINDS[job.envelope])
    plain = trial.plain()
    for fate, then in list(_fates(job, plain))[job.share :: job.shares]:
        struck, broken = trial.kill(plain, fate, then)
        call = _call_at(plain, fate)
        line = Line(subject.name, fate.at, call, struck, fate.error, then[0].at if then else 0, broken)
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()


def _fates(job: Job, plain: Plain) -> Iterator[tuple[Fate, tuple[Fate, ...]]]:
    """Every point, or a sample of them; the same for every share of one seed."""
    rng = random.Random(f"{job.seed} {job.subject}")
    only = STORAGE if job.error else frozenset()
    points = sum(call in only for call in plain.calls) if only else len(plain.calls)
    every = range(1, points + 1)
    chosen = sorted(rng.sample(every, job.sample)) if 0 < job.sample < points else list(every)
    for at in chosen:
        yield Fate(at, job.error, 1 if at % 2 else 3, only), ()
    for _ in range(job.nested):
        second = Fate(rng.randint(1, max(1, plain.recovering)))
        yield Fate(rng.randint(1, points)), (second,)


def _call_at(plain: Plain, fate: Fate) -> int:
    calls = [call for call in plain.calls if call in fate.only] if fate.only else plain.calls
    return calls[fate.at - 1] if fate.at <= len(calls) else -1


def _make_home() -> None:
    done("mount", "--make-rprivate", "/")
    done("mount", "-t", "proc", "proc", "/proc")
    done("mount", "-t", "tmpfs", "tmpfs", "/run")
    Path("/run/kills-sys").mkdir()
    done("mount", "-t", "sysfs", "sysfs", "/run/kills-sys")
    done("mount", "-t", "tmpfs", "tmpfs", "/var/cache")
    Path("/var/cache/apt").mkdir()
    os.chdir("/")
    lay_cable()
