"""A build of an image that is killed leaves no half image, no process and no mount."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from groundskeeper.lab.image import image_key

PACKAGES = ["dbus"]
BUILD = f"from groundskeeper.lab.image import ensure_image; ensure_image({PACKAGES!r}, print)"


def building(cache):
    """The command lines of whatever still works on an image in that cache."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(cache) in command:
            found.append(command)
    return found


def test_a_killed_build_leaves_nothing_that_works_or_passes_for_an_image(tmp_path):
    build = subprocess.Popen(
        [sys.executable, "-c", BUILD],
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    image = tmp_path / "groundskeeper" / "lab" / image_key(PACKAGES)
    until = time.monotonic() + 20
    while not (image.with_suffix(".draft") / "root" / "debootstrap").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert building(tmp_path)
    build.send_signal(signal.SIGKILL)
    build.wait()
    until = time.monotonic() + 5
    while building(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert building(tmp_path) == []
    assert not image.exists()
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
