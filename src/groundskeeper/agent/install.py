"""Makes the agent a service of this machine, and takes it away again, leaving nothing.

Everything that is put anywhere is in `placed`, so that removing is the same list read backwards. The files are a copy:
the folder that Groundskeeper was installed from may be moved or deleted afterwards.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from groundskeeper.agent.control import Control
from groundskeeper.agent.home import Home
from groundskeeper.model import Refused, Unavailable
from groundskeeper.subsystems.firewall.table import Table

PROGRAM = Path("/usr/local/lib/groundskeeper")
COMMAND = Path("/usr/local/bin/groundskeeper")
UNIT = Path("/etc/systemd/system/groundskeeper.service")
SLICE = Path("/etc/systemd/system/groundskeeper.slice")
JOURNAL = Path("/etc/systemd/journald.conf.d/60-groundskeeper.conf")

UNIT_TEXT = """\
# Made by `groundskeeper agent install`; `groundskeeper agent remove` takes it away.
[Unit]
Description=Groundskeeper: looks after this machine
Documentation=man:systemd.service(5)
After=dbus.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
Environment=PYTHONPATH={program}
ExecStart={python} -m groundskeeper.agent run
Restart=always
RestartSec=200ms
WatchdogSec=30s
Slice=groundskeeper.slice
OOMScoreAdjust=-900
Nice=-5
RuntimeDirectory=groundskeeper
StateDirectory=groundskeeper
ConfigurationDirectory=groundskeeper
RuntimeDirectoryMode=0700
StateDirectoryMode=0700
ConfigurationDirectoryMode=0700
LockPersonality=yes
RestrictSUIDSGID=yes
ProtectHostname=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""

SLICE_TEXT = """\
# Made by `groundskeeper agent install`: the most that looking after the machine may cost it.
[Slice]
CPUWeight=50
CPUQuota=100%
MemoryHigh=96M
MemoryMax=160M
TasksMax=64
"""

JOURNAL_TEXT = """\
# Made by `groundskeeper agent install`: failed sign-ins are seen within a millisecond instead of half a second.
[Journal]
ForwardToSyslog=yes
"""

COMMAND_TEXT = """\
#!{python}
import sys
sys.path.insert(0, "{program}")
from groundskeeper.cli import main
main()
"""


def install(home: Home) -> Iterator[str]:
    """Install and start the service; yields what was done, a sentence each. Raises Refused where it cannot be."""
    _may_install()
    _nobody_else(home)
    python = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    yield f"the program is copied to {PROGRAM}"
    _copy_program()
    _place(COMMAND, COMMAND_TEXT.format(python=python, program=PROGRAM), 0o755)
    yield f"the command is {COMMAND}"
    _place(SLICE, SLICE_TEXT)
    _place(UNIT, UNIT_TEXT.format(python=python, program=PROGRAM))
    yield f"the service is {UNIT.name}, held to {SLICE.name}'s limits"
    if not forwards_already():
        _place(JOURNAL, JOURNAL_TEXT)
        _systemctl("restart", "systemd-journald.service")
        yield f"log lines are passed on at once ({JOURNAL})"
    _systemctl("daemon-reload")
    _systemctl("enable", "--quiet", UNIT.name)
    _systemctl("restart", UNIT.name)
    yield "it runs, and starts again with the machine: `groundskeeper watch` shows it"


def remove(home: Home, *, keep_ledger: bool = False) -> Iterator[str]:
    """Stop the service and remove every trace but, if asked, the ledger; yields what was done, a sentence each."""
    _may_install()
    yield from _let_go(home)
    if UNIT.exists():
        _systemctl("disable", "--quiet", "--now", UNIT.name)
        yield "the service is stopped"
    Table().remove_all()
    yield "the firewall holds nothing of Groundskeeper"
    journal = JOURNAL.exists()
    for placed in (UNIT, SLICE, JOURNAL, COMMAND):
        if placed.exists():
            placed.unlink()
            yield f"removed {placed}"
    _systemctl("daemon-reload")
    _systemctl("stop", SLICE.name)
    if journal:
        _drop_empty(JOURNAL.parent)
        _systemctl("restart", "systemd-journald.service")
    kept = [home.run, home.config, PROGRAM] + ([] if keep_ledger else [home.state])
    for folder in kept:
        if folder.exists():
            shutil.rmtree(folder)
            yield f"removed {folder}"
    yield f"the ledger is kept in {home.state}" if keep_ledger else "nothing of Groundskeeper is left on this machine"


def _let_go(home: Home) -> Iterator[str]:
    """Ask the running agent to end every containment (bans, caps) before it goes: nobody would end them afterwards."""
    try:
        released = Control(home.socket).ask("release")
    except (Unavailable, Refused):
        return
    yield f"{released} containments were ended"


def _may_install() -> None:
    if not Path("/run/systemd/system").is_dir():
        raise Refused("this machine does not run systemd: `groundskeeper up` runs the agent without installing it")
    if not _is_root():
        raise Refused("only root can install a service: try again with sudo")


def _nobody_else(home: Home) -> None:
    """A machine has one agent: before anything is placed, one that is no service of ours must have ended."""
    try:
        status = Control(home.socket).ask("status")
    except Unavailable:
        return
    if UNIT.name not in Path(f"/proc/{status['pid']}/cgroup").read_text():
        raise Refused("an agent runs here already, from `groundskeeper up`: end it there (q), then install it")


def _is_root() -> bool:
    return Path("/proc/self").stat().st_uid == 0


def _copy_program() -> None:
    """The package and everything it needs at run time, side by side; replaced whole, never half."""
    fresh, old = PROGRAM.with_suffix(".new"), PROGRAM.with_suffix(".old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    shutil.copytree(Path(__file__).parent.parent, fresh / "groundskeeper", ignore=shutil.ignore_patterns("__pycache__"))
    for needed in _needed("groundskeeper"):
        _copy_distribution(needed, fresh)
    if PROGRAM.exists():
        PROGRAM.rename(old)
    fresh.rename(PROGRAM)
    shutil.rmtree(old, ignore_errors=True)


def _needed(name: str) -> dict[str, Distribution]:
    """Every distribution that this one needs at run time, by its name."""
    found: dict[str, Distribution] = {}
    waiting = _requirements(name)
    while waiting:
        wanted = waiting.pop()
        if wanted in found:
            continue
        try:
            found[wanted] = distribution(wanted)
        except PackageNotFoundError:
            continue  # needed on another platform only
        waiting += _requirements(wanted)
    return found


def _requirements(name: str) -> list[str]:
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        lines = []
    plain = (line.split(";")[0] for line in lines if "extra ==" not in line)
    return ["".join(c if c.isalnum() or c in "-_." else " " for c in line).split()[0] for line in plain]


def _copy_distribution(name: str, target: Path) -> None:
    for file in distribution(name).files or []:
        source = Path(str(file.locate()))
        inside = not any(part == ".." for part in file.parts)
        if inside and source.is_file() and "__pycache__" not in file.parts:
            place = target / Path(*file.parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)


def _place(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _drop_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def forwards_already() -> bool:
    files = [Path("/etc/systemd/journald.conf"), *Path("/etc/systemd/journald.conf.d").glob("*.conf")]
    lines = (line.strip().lower() for file in files if file.exists() for line in file.read_text().splitlines())
    return any(line in ("forwardtosyslog=yes", "forwardtosyslog=true", "forwardtosyslog=1") for line in lines)


def _systemctl(*words: str) -> None:
    done = subprocess.run(["/usr/bin/systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode and words[0] not in ("stop", "daemon-reload"):
        raise Refused(f"systemctl {' '.join(words)} failed: {done.stderr.strip()}")
