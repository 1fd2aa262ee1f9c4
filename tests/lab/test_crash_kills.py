"""Real changes on a real kernel, killed at system calls: the real envelope, ledger and drivers, and the kernel's word.

A sample of the points, the same for one seed (KILLS_SEED); `make bench NAME=crash` takes every one.
"""

import contextlib
import errno
import os

import pytest

from groundskeeper.lib import atomic
from groundskeeper.testing.kills.job import HERE, Job
from groundskeeper.testing.kills.running import figures, run
from groundskeeper.testing.kills.tracing import NEVER, Fate, traced

SEED = int(os.environ.get("KILLS_SEED", "1"))
AT_ONCE = 2


def broken(lines):
    """The trials in which a promise was broken, with what it takes to see it again."""
    return [f"seed {SEED}: {line}" for line in lines if line.broken]


@pytest.mark.parametrize("subject", HERE)
def test_a_change_that_is_killed_anywhere_is_done_once_and_ends_proven_or_taken_back(subject):
    jobs = [
        Job(subject=subject, sample=24, seed=SEED, nested=6),
        Job(subject=subject, sample=6, seed=SEED, error=errno.ENOSPC),
        Job(subject=subject, sample=6, seed=SEED, error=errno.EIO),
        Job(subject=subject, sample=3, seed=SEED, error=errno.EINTR),
    ]
    lines = run(jobs, AT_ONCE)
    assert not broken(lines)
    found = figures(lines)
    assert found.trials >= 30
    # How many calls there are varies a little from run to run; a harness that passes over points would show here.
    assert found.struck >= 0.9 * found.trials


@pytest.mark.parametrize(("bug", "kind"), [("EffectFirst", "unreverted"), ("AppliesAgain", "twice")])
def test_the_trials_find_a_planted_bug(bug, kind):
    jobs = [
        Job(subject="EnsureSourceBanned", envelope=bug, share=share, shares=4 * AT_ONCE) for share in range(AT_ONCE)
    ]
    lines = run(jobs, AT_ONCE)
    assert any(one.kind == kind for line in lines for one in line.broken)


def test_every_call_is_counted_whatever_its_name_and_death_comes_before_it_takes_effect(tmp_path):
    """One process, three kinds of call that leave a trace: killed at call n, exactly those before n were made."""
    trace = tmp_path / "trace"

    def work() -> None:
        for number in range(5):
            os.mkdir(tmp_path / f"made-{number}")
            os.close(os.open(trace, os.O_CREAT | os.O_WRONLY))
            os.rename(trace, tmp_path / f"moved-{number}")

    calls = traced(work, NEVER).calls
    for path in tmp_path.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    counted = []
    for at in range(1, len(calls) + 1):
        run_ = traced(work, Fate(at))
        assert run_.status == -9
        assert len(run_.calls) == at
        counted.append(len(list(tmp_path.iterdir())))
        for path in tmp_path.iterdir():
            path.rmdir() if path.is_dir() else path.unlink()
    assert counted == sorted(counted), "each death left a little more than the one before"
    assert counted[-1] == 10 and set(counted) == set(range(11))


def test_a_call_that_is_failed_has_no_effect_and_says_so(tmp_path):
    def work() -> None:
        try:
            os.mkdir(tmp_path / "made")
        except OSError as problem:
            os._exit(problem.errno)

    made = traced(work, Fate(1, errno.ENOSPC, only=frozenset({83})))
    assert made.status == errno.ENOSPC
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("error", [0, errno.ENOSPC, errno.EIO], ids=["killed", "full", "failing"])
def test_a_file_is_the_old_or_the_new_wherever_its_writing_ends(tmp_path, error):
    path = tmp_path / "network.json"
    old, new = b"o" * 5000, b"n" * 7000
    calls = len(traced(lambda: atomic.write(path, new)).calls)
    assert calls > 8
    seen = set()
    for at in range(1, calls + 1):
        path.write_bytes(old)
        traced(lambda: _quietly(path, new), Fate(at, error))
        assert path.read_bytes() in (old, new)
        seen.add(path.read_bytes())
        atomic.write(path, new)
        assert os.listdir(tmp_path) == [path.name], "what was begun and not ended does not pile up"
    assert seen == {old, new}


def _quietly(path, data):
    with contextlib.suppress(OSError):
        atomic.write(path, data)
