"""A machine's file systems: the shared image below, the machine's own changes above, and a real, small ext4 for /var.

All of it is mounted in the owner's private mount namespace, on one tmpfs: it is gone with the last process of the lab.
/var is a file system of its own so that "the disk is full" means what it means on a real machine, and ends nowhere
else.
"""

import hashlib
import subprocess
from pathlib import Path
from uuid import uuid4

from groundskeeper.lab.image import Image
from groundskeeper.lab.network import interfaces_file
from groundskeeper.lab.office import MachinePlan

UNITS = "etc/systemd/system"
WANTS = f"{UNITS}/multi-user.target.wants"
TIMERS = f"{UNITS}/timers.target.wants"
ALWAYS = frozenset({"networking.service"})


def mount(*argv: str) -> None:
    """mount(8) without its bookkeeping in /run, which belongs to the host."""
    subprocess.run(("mount", "--no-mtab", *argv), check=True, capture_output=True)


def mount_disks(plan: MachinePlan, image: Image, folder: Path) -> Path:
    """Mount a fresh machine's root and /var below `folder` and write its own files. The path of its root."""
    upper, work, root, disk = (folder / name for name in ("upper", "work", "root", "var.ext4"))
    for made in (upper, work, root):
        made.mkdir(parents=True)
    mount("-t", "overlay", "-o", f"lowerdir={image.root},upperdir={upper},workdir={work}", plan.name, str(root))
    subprocess.run(("cp", "--sparse=always", str(var_template(image, plan.var_size_mb)), str(disk)), check=True)
    mount("-t", "ext4", "-o", "loop", str(disk), str(root / "var"))
    write_files(root, plan)
    return root


def var_template(image: Image, size_mb: int) -> Path:
    """The image's /var as an ext4 of that size, made once and cached beside the image."""
    final = image.path / f"var-{size_mb}.ext4"
    if not final.exists():
        draft = final.with_suffix(f".draft-{uuid4().hex}")  # machines that start together each make one; the last stays
        argv = (
            "mkfs.ext4",
            "-q",
            "-F",
            "-m",
            "1",
            "-N",
            "16384",
            "-d",
            str(image.root / "var"),
            str(draft),
            f"{size_mb}M",
        )
        subprocess.run(argv, check=True, capture_output=True)
        draft.rename(final)
    return final


def write_files(root: Path, plan: MachinePlan) -> None:
    """What makes this machine itself: name, network, resolver, its services and the plan's own files."""
    own = {
        "/etc/hostname": f"{plan.name}\n",
        "/etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {plan.name}\n",
        "/etc/machine-id": f"{hashlib.sha256(plan.name.encode()).hexdigest()[:32]}\n",
        "/etc/network/interfaces": interfaces_file(plan),
        "/etc/resolv.conf": f"nameserver {plan.resolver}\n" if plan.resolver else "",
    }
    for path, text in (own | plan.files).items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text)
    _choose_services(root, plan.services)


def _choose_services(root: Path, services: tuple[str, ...]) -> None:
    """Switch on exactly these. Timers go too: nothing may begin by itself while somebody measures."""
    for link in [*(root / WANTS).glob("*.service"), *(root / TIMERS).iterdir()]:
        if link.name not in ALWAYS:
            link.unlink()
    for link in root.glob("etc/rc[0-9S].d/S*"):  # packages without a unit of their own are begun from here
        link.unlink()
    for unit in services:
        own = root / UNITS / unit
        (root / WANTS / unit).symlink_to(f"/{UNITS}/{unit}" if own.exists() else f"/lib/systemd/system/{unit}")
