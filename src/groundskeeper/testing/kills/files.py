"""Full disks and resolv.conf, on filesystems of the worker's own."""

import os
import shutil
import socket
from pathlib import Path

from groundskeeper.model import Action
from groundskeeper.subsystems.disk.types import EnsureSpace, EnsureSpaceFromCaches
from groundskeeper.subsystems.resolver.types import EnsureResolver
from groundskeeper.testing.kills.kernel import done
from groundskeeper.testing.kills.life import DEVICE

CACHE = Path("/var/cache/apt")
ARCHIVES = CACHE / "archives"
PACKAGES, EACH = 60, 64 * 1024
WANTED = 2 << 20


class CacheFull:
    """A filesystem of 4 MB, full of packages. What is not a package must stay."""

    name = "EnsureSpaceFromCaches"
    reversible = False

    def dress(self) -> None:
        if not os.path.ismount(CACHE):
            done("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(CACHE))

    def spoil(self) -> None:
        shutil.rmtree(ARCHIVES, ignore_errors=True)
        ARCHIVES.mkdir()
        (ARCHIVES / "keep.txt").write_text("somebody's notes")
        for number in range(PACKAGES):
            (ARCHIVES / f"gk-{number:02d}_1.0_all.deb").write_bytes(b"\0" * EACH)

    def action(self) -> Action:
        return EnsureSpaceFromCaches(device=DEVICE, mount=str(CACHE), bytes_free=WANTED)

    def truth(self) -> str:
        room = os.statvfs(CACHE)
        kept = "" if (ARCHIVES / "keep.txt").exists() else ", and a file of somebody's is gone"
        return ("room" if room.f_bavail * room.f_frsize >= WANTED else "full") + kept

    def made(self) -> int:
        return PACKAGES - len(list(ARCHIVES.glob("*.deb")))


class DiskFull(CacheFull):
    name = "EnsureSpace"

    def action(self) -> Action:
        return EnsureSpace(device=DEVICE, mount=str(CACHE), bytes_free=WANTED)


CONF = Path("/etc/resolv.conf")
DEAD, ALIVE = "127.0.0.99", "127.0.0.54"


class ResolverDead:
    name = "EnsureResolver"
    reversible = True

    def dress(self) -> None:
        done("ip", "link", "set", "lo", "up")
        if not os.path.ismount("/etc"):
            for name in ("upper", "work"):
                (CACHE.parent / name).mkdir(exist_ok=True)
            places = f"lowerdir=/etc,upperdir={CACHE.parent}/upper,workdir={CACHE.parent}/work"
            done("mount", "-t", "overlay", "overlay", "-o", places, "/etc")
        _answer_names()

    def spoil(self) -> None:
        for left in CONF.parent.glob(".resolv.conf*"):
            left.unlink()
        CONF.unlink(missing_ok=True)
        CONF.write_text(f"# by hand\nnameserver {DEAD}\n")

    def action(self) -> Action:
        return EnsureResolver(device=DEVICE, servers=(ALIVE,))

    def truth(self) -> str:
        return CONF.read_text() if CONF.exists() else "no file"

    def made(self) -> int:
        return 0


def _answer_names() -> None:
    """A name server in a process of its own, which ends with the worker's pid namespace."""
    if os.fork() != 0:
        return
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((ALIVE, 53))
    while True:
        asked, who = server.recvfrom(4096)
        server.sendto(asked[:2] + b"\x81\x80" + asked[4:], who)
