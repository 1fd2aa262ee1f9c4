"""The machines' disk image: made once per package list, by debootstrap and apt, and cached outside the repository.

A build happens in a folder of its own beside the cache entry and is renamed into place when it is whole: a killed build
leaves no half image, only a folder that the next build of the same image removes. All of it runs in a pid namespace and
a mount namespace whose first process dies with us, so a killed build leaves no process and no mount either.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from groundskeeper.lab.errors import LabError

RELEASE = "bookworm"
RECIPE = 4  # raise when the steps below change what is in an image
BASE = ("ca-certificates", "dbus", "python3", "systemd", "systemd-sysv")
VAR_LABEL = "gklab-var"

Say = Callable[[str], None]


class Image:
    """A finished image:

    `root`, a folder tree that nobody may write to, and `var`, a folder with what /var starts as.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "root"


def cache_home() -> Path:
    """$XDG_CACHE_HOME/groundskeeper/lab; without it /var/cache for root and ~/.cache for others."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "groundskeeper" / "lab"
    return (
        Path("/var/cache/groundskeeper/lab") if os.geteuid() == 0 else Path.home() / ".cache" / "groundskeeper" / "lab"
    )


def image_key(packages: Sequence[str]) -> str:
    """The name of the image with these packages: the same packages in another order are the same image."""
    text = "\n".join([RELEASE, str(RECIPE), *sorted(set(packages))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def ensure_image(packages: Sequence[str], say: Say) -> Image:
    """The image with these packages, from the cache or built now (a minute or two). Safe to call twice at once."""
    final = cache_home() / image_key(packages)
    if not final.is_dir():
        with _only_builder(final):
            if not final.is_dir():
                _build(packages, final, say)
    return Image(final)


@contextmanager
def _only_builder(final: Path) -> Iterator[None]:
    final.parent.mkdir(parents=True, exist_ok=True)
    with final.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(packages: Sequence[str], final: Path, say: Say) -> None:
    draft = final.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o755)
    root = draft / "root"
    say(f"making a Debian {RELEASE} image with {len(set(packages))} packages (once; then it is cached in {final})")
    _run(
        _alone(("debootstrap", "--variant=minbase", f"--include={','.join(BASE)}", RELEASE, str(root), *_mirror())), say
    )
    _write_apt_settings(root)
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    _run(_inside(root, "apt-get", "-q", "update"), say)
    _run(_inside(root, "apt-get", "-q", "-y", "--no-install-recommends", "install", *sorted(set(packages))), say)
    _make_lean(root)
    say("image made")
    draft.rename(final)


def _alone(argv: Sequence[str]) -> tuple[str, ...]:
    """argv in its own pid and mount namespaces: when we die it dies, and what it mounted is gone."""
    return ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *argv)


def _inside(root: Path, *argv: str) -> tuple[str, ...]:
    nspawn = (
        "systemd-nspawn",
        "-q",
        "--register=no",
        "--keep-unit",
        "--pipe",
        "--resolv-conf=copy-host",
        "-D",
        str(root),
    )
    environment = ("--setenv=DEBIAN_FRONTEND=noninteractive", "--setenv=LC_ALL=C.UTF-8")
    proxies = tuple(f"--setenv={name}={value}" for name, value in os.environ.items() if name.lower().endswith("_proxy"))
    return (*_alone(nspawn), *environment, *proxies, "--", *argv)


def _mirror() -> tuple[str, ...]:
    """The mirror this host gets Debian from; nothing (debootstrap's own default) where its sources name none."""
    listing = subprocess.run(
        ("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"),
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    for line in listing.splitlines():
        uri, *names = line.split()
        if RELEASE in names:
            return (uri,)
    return ()


def _write_apt_settings(root: Path) -> None:
    """How this host's apt reaches the mirror (proxies, certificates, what it checks) is how the image's apt must."""
    dump = subprocess.run(("apt-config", "dump", "Acquire"), capture_output=True, text=True, check=True).stdout
    (root / "etc/apt/apt.conf.d/99lab").write_text(
        "".join(f"{line}\n" for line in dump.splitlines() if "IndexTargets" not in line and not line.startswith("Dir"))
        + 'APT::Sandbox::User "root";\n'
    )
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        shutil.copy(bundle, root / "etc/ssl/certs/ca-certificates.crt")


def _make_lean(root: Path) -> None:
    """Take out what only the build needed, and what would make two machines of one image the same machine."""
    (root / "usr/sbin/policy-rc.d").unlink()
    (root / "etc/machine-id").write_text("")
    for folder in (
        "var/cache/apt",
        "var/lib/apt/lists",
        "var/log",
        "usr/share/doc",
        "usr/share/man",
        "usr/share/locale",
    ):
        _empty_of_files(root / folder)


def _empty_of_files(folder: Path) -> None:
    """Folders stay: nginx and PostgreSQL do not start without theirs in /var/log."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            path.unlink()


def _run(argv: Sequence[str], say: Say) -> None:
    """Run to the end, passing on lines as they come; LabError with the last of them when it fails."""
    lines: list[str] = []
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(line.rstrip())
            say(line.rstrip())
    if child.returncode != 0:
        raise LabError(f"{argv[0]} failed with {child.returncode} while making the image:\n" + "\n".join(lines[-20:]))
