"""What can go wrong. A new fault is one entry in one of these tables, or any executable given by path (`own.py`)."""

from groundskeeper.lab.errors import LabError
from groundskeeper.lab.faults import disks, load, network, services
from groundskeeper.lab.faults.fault import Fault, Witness

CATALOGUE = {fault.name: fault for fault in (*services.FAULTS, *disks.FAULTS, *network.FAULTS, *load.FAULTS)}
STORMS = {"first": tuple(CATALOGUE)}


def fault_named(name: str) -> Fault:
    """The fault of that name; LabError listing all there are."""
    if name not in CATALOGUE:
        raise LabError(f"there is no fault {name!r}; there are: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


__all__ = ["CATALOGUE", "STORMS", "Fault", "Witness", "fault_named"]
