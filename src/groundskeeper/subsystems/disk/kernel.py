"""What the kernel recorded about a filesystem that stopped writing."""

import os
import re
from contextlib import suppress
from pathlib import Path

COMPLAINT = re.compile(r"error|remount|read-only|abort|shut(ting)? ?down|corrupt", re.I)
NEWEST = 400
"""Records of the kernel's log that are looked through, from the end."""


def why_read_only(device: str) -> str:
    """One line about the block device ("major:minor"), from the filesystem's own count or the kernel's log; or ""."""
    try:
        name = Path(f"/sys/dev/block/{device}").resolve(strict=True).name
    except OSError:
        return ""
    return _logged(name) or _counted(name)


def _counted(name: str) -> str:
    """ext4 counts its errors in its superblock and shows them to everybody."""
    with suppress(OSError, ValueError):
        folder = Path(f"/sys/fs/ext4/{name}")
        if errors := int((folder / "errors_count").read_text()):
            where = (folder / "last_error_func").read_text().strip()
            return f"{name} has recorded {errors} filesystem error(s), the last in {where}"
    return ""


def _logged(name: str) -> str:
    lines = [line for line in _kernel_log() if re.search(rf"\b{re.escape(name)}\b", line) and COMPLAINT.search(line)]
    errors = [line for line in lines if re.search(r"error|corrupt", line, re.I)]
    return (errors or lines or [""])[-1][:200]


def _kernel_log() -> list[str]:
    """The newest records (kernel: Documentation/ABI/testing/dev-kmsg); none where we may not read them."""
    found: list[str] = []
    with suppress(OSError):
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while record := os.read(log, 8192):
                found.append(record.decode(errors="replace").partition(";")[2].partition("\n")[0])
        except BlockingIOError:
            pass
        finally:
            os.close(log)
    return found[-NEWEST:]
