"""Whose clock it is, and which installed service should keep it. Reads files; asks nobody."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

CAP_SYS_TIME = 25

SERVICES = (
    "chrony.service",
    "chronyd.service",
    "ntpsec.service",
    "ntp.service",
    "ntpd.service",
    "openntpd.service",
    "systemd-timesyncd.service",
)
"""The one that somebody chose before the one that comes with the system."""
UNITS = ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system", "usr/local/lib/systemd/system")
CHOSEN = ("etc/systemd/system/*.target.wants", "etc/systemd/system")


def installed_service(root: Path = Path("/"), services: Sequence[str] = SERVICES) -> str | None:
    """The unit of the time service that is enabled here, else of one that is installed; None where there is none.

    Debian's other time services take systemd-timesyncd away with them, so that there is rarely more than one.
    """
    present = [name for name in services if any((root / folder / name).is_file() for folder in UNITS)]
    enabled = [name for name in present if any(any(root.glob(f"{folder}/{name}")) for folder in CHOSEN)]
    return next(iter(enabled + present), None)


def owner_of_the_clock(root: Path = Path("/")) -> str | None:
    """Where this machine is a container, whose clock it really is; None where it is its own.

    systemd tells a container's kind in /run/systemd/container, and the container's manager in the environment of
    process 1 (systemd: Container Interface), which only root may read. Others are known by what process 1 may never do.
    """
    kind = _text(root / "run/systemd/container") or _from_environment(_text(root / "proc/1/environ"))
    if kind:
        return f"the host of this {kind} container"
    return None if _may_set_the_clock(_text(root / "proc/1/status")) else "the host of this container"


def _may_set_the_clock(status: str) -> bool:
    """Is CAP_SYS_TIME within the reach of the process (capabilities(7))? Yes where that is not told."""
    bounds = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status, re.M)
    return bounds is None or bool(int(bounds[1], 16) >> CAP_SYS_TIME & 1)


def _from_environment(text: str) -> str:
    pairs = [pair.partition("=") for pair in text.split("\0")]
    return next((value for name, _, value in pairs if name == "container"), "")


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace").strip()
    return ""
