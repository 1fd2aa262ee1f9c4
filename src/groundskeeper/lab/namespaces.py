"""Linux namespaces held by a file descriptor: nothing on disk, gone when the last holder closes it."""

import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

CLONE_FS = 0x00000200
CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
T = TypeVar("T")
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def unshare(flags: int) -> None:
    """Move this thread (the whole process, while it has one thread) into new namespaces."""
    _checked(_libc.unshare(flags), "unshare")


def enter(fd: int, kind: int = CLONE_NEWNET) -> None:
    """Move this thread into the namespace that fd names."""
    _checked(_libc.setns(fd, kind), "setns")


def call_among_files_of(pid: int, call: Callable[[], T]) -> T:
    """Call it with the mounts of another process, so that every path means what it means there. From any thread.

    Entering /proc/PID/root would not do: who resolves links himself, as SQLite does, is back on this host at once.
    """

    def go() -> T:
        unshare(CLONE_FS)  # a thread that shares its root with others may not go elsewhere
        with Path(f"/proc/{pid}/ns/mnt").open("rb") as mounts:
            enter(mounts.fileno(), CLONE_NEWNS)
        return call()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(go).result()


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (prctl PR_SET_CHILD_SUBREAPER)."""
    _checked(_libc.prctl(36, 1, 0, 0, 0), "prctl")


def new_network_namespace(*, forward: bool = False) -> int:
    """An open descriptor of a fresh network namespace, which passes packets on or does not.

    The caller closes it; with it and its last process it ends.
    """
    made: list[int] = []

    def in_thread() -> None:  # a thread of its own, because unshare moves the thread that calls it
        unshare(CLONE_NEWNET)
        Path("/proc/sys/net/ipv4/ip_forward").write_text(str(int(forward)))
        made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    if not made:
        raise OSError("no network namespace could be made: run the lab as root")
    return made[0]


def has_same_network(pid: int, inode: int) -> bool:
    """Whether the process lives in the network namespace with that inode; False when it is gone."""
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino == inode
    except OSError:
        return False
