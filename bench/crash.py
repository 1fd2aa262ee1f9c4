"""Every change killed at every one of its system calls, and its disk failed at each of its writes.

    make bench NAME=crash [ARGS="--at-once 4 --sample 50 --seed 1"]

Ours is the envelope as it is shipped. The peer is the same machinery with the effect first and the record after, which
is what a step of a workflow engine does (it is run at most `--peer` points of each change, since it is only a control).
One sample is a trial: the number of promises broken in it.
"""

import argparse
import errno
import json
import os
import sys
from collections.abc import Sequence

from groundskeeper.lab.lab import PACKAGES, SOURCE, Lab
from groundskeeper.lab.office import load_office
from groundskeeper.testing.kills.job import HERE, WITH_SYSTEMD, Job, Line
from groundskeeper.testing.kills.running import Figures, Tell, figures, run
from measuring import aim, report, summary

SHARES = 4


def jobs(subject: str, words: argparse.Namespace) -> list[Job]:
    """Deaths at every point, failures at every write, and deaths during the recovery."""
    every = []
    for share in range(SHARES):
        more = {"subject": subject, "share": share, "shares": SHARES, "seed": words.seed, "sample": words.sample}
        every.append(Job(**more, nested=words.nested))
        every += [Job(**more, error=error) for error in (errno.ENOSPC, errno.EIO, errno.EINTR)]
    return every


def in_a_lab(words: argparse.Namespace, tell: Tell) -> list[Line]:
    """The same for services, inside a machine with systemd. Each trial waits for real services: many at once."""
    shares = 8
    jobs = [
        Job(subject=name, sample=words.services, nested=words.nested, seed=words.seed, share=share, shares=shares)
        for name in WITH_SYSTEMD
        for share in range(shares)
    ]
    with Lab.up(load_office("solo"), "gk-crash", lambda line: print(line, file=sys.stderr)) as lab:
        machine = lab.machine("web-1")
        path = f"PYTHONPATH={SOURCE}:{PACKAGES}"
        worker = ("/usr/bin/env", path, "/usr/bin/python3", "-m", "groundskeeper.testing.kills")
        return run(jobs, shares, tell, lambda: machine.command(*worker))


def counts(lines: Sequence[Line], found: Figures) -> dict[str, int]:
    return {
        "points_killed": sum(line.struck for line in lines if not line.error),
        "points_failed": sum(line.struck for line in lines if line.error),
        "applied_twice": found.applied_twice,
        "left_unverified": found.left_unverified,
        "left_unreverted": found.left_unreverted,
        "left_unsettled": found.left_unsettled,
        "not_done_in_the_end": found.not_done_in_the_end,
    }


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--at-once", type=int, default=os.cpu_count() or 2)
    words.add_argument("--sample", type=int, default=0, help="points of each change and each kind; 0 for every one")
    words.add_argument("--nested", type=int, default=60, help="deaths during the recovery, for each change")
    words.add_argument("--services", type=int, default=160, help="points of each change of a service, in a lab machine")
    words.add_argument("--peer", type=int, default=80, help="points at which the control is killed, for each change")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--only", action="append", help="only this change; may be given more than once")
    chosen = words.parse_args()

    def tell(job: Job, lines: list[Line]) -> None:
        bad = [line for line in lines if line.broken]
        how = os.strerror(job.error) if job.error else "killed"
        print(
            f"  {job.subject} {how} {job.share + 1}/{job.shares}: {len(lines)} trials, {len(bad)} bad", file=sys.stderr
        )
        for line in bad if job.envelope == "Envelope" else []:
            print(f"    {line}", file=sys.stderr)

    names = chosen.only or list(HERE)
    ours = run([job for name in names for job in jobs(name, chosen)], chosen.at_once, tell)
    if chosen.services:
        ours += in_a_lab(chosen, tell)
    control = [Job(subject=name, sample=chosen.peer, seed=chosen.seed, envelope="EffectFirst") for name in names]
    theirs = run(control, chosen.at_once, tell)
    samples = {
        "ours": [float(len(line.broken)) for line in ours],
        "effect first": [float(len(x.broken)) for x in theirs],
    }
    found, control_found = counts(ours, figures(ours)), counts(theirs, figures(theirs))
    print(json.dumps({"seed": chosen.seed, "ours": found, "effect first": control_found}), file=sys.stderr)
    report(
        "crash", "promises broken per trial", summary(samples["ours"], seed=chosen.seed, **found),
        {"effect first": summary(samples["effect first"], version="planted", **control_found)},
        [
            aim("applied twice", found["applied_twice"], 0),
            aim("left unverified", found["left_unverified"], 0),
            aim("left unreverted", found["left_unreverted"] + found["left_unsettled"], 0),
            aim("not done in the end", found["not_done_in_the_end"], 0),
            aim("bugs of the control that were seen", sum(samples["effect first"]), 1, at_most=False),
        ],
        samples,
    )  # fmt: skip


if __name__ == "__main__":
    main()
