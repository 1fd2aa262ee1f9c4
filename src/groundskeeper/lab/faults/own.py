"""A fault that somebody brings: any executable, run on one of the machines and judged as the others are."""

import os
import shutil
from pathlib import Path

from groundskeeper.lab.errors import LabError
from groundskeeper.lab.faults.fault import Fault
from groundskeeper.lab.lab import Lab

PLACE = "usr/local/lib/lab-faults"


def own_fault(path: Path, machine: str) -> Fault:
    """The executable as a fault. It is called inside the machine with the word `inject`, and in the end with `heal`."""
    if not os.access(path, os.X_OK) or not path.is_file():
        raise LabError(f"{path} is not an executable file; a fault of your own is one: chmod +x {path}")

    def called_with(word: str, lab: Lab, *, check: bool) -> None:
        there = lab.machine(machine)
        there.write(f"{PLACE}/{path.name}", "")
        shutil.copy(path, there.root / PLACE / path.name)
        there.run(f"/{PLACE}/{path.name}", word, check=check)

    return Fault(
        name=path.name,
        machine=machine,
        what=f"{path} on {machine}",
        hurts=frozenset(),
        inject=lambda lab: called_with("inject", lab, check=True),
        heal=lambda lab: called_with("heal", lab, check=False),
    )
