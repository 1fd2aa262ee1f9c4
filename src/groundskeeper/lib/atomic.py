"""Files that are either the old or the new, whatever happens in between."""

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, data: bytes, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Replace the file's contents at once, durably. `owner` is (uid, gid). Raises OSError; the old file then stands.

    A leftover of an earlier attempt that was cut short is overwritten: its name is fixed, so that none pile up.
    """
    beside = draft(path)
    with suppress(FileNotFoundError):
        beside.unlink()
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def draft(path: Path) -> Path:
    """Where the new contents stand until they take the place of the old; left over only where a write was cut short."""
    return path.with_name(f".{path.name}.groundskeeper")


def _sync(folder: Path) -> None:
    """Make the new name survive a power cut. A file system that cannot sync a folder keeps names by itself."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)


def link(path: Path, target: str) -> None:
    """Make the name a symbolic link, in one step. Raises OSError; the old file then stands."""
    beside = draft(path)
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(path)
    _sync(path.parent)
