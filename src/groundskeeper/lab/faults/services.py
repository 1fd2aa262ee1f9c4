"""Services that die, stop or hang."""

import signal
from collections.abc import Callable

from groundskeeper.lab.faults.fault import Fault, hurts
from groundskeeper.lab.felt import Service
from groundskeeper.lab.lab import Lab

WEB = hurts(Service.WEB, Service.UPLOAD)
DB = hurts(Service.DB)
SSH = hurts(Service.SSH)
NAME = hurts(Service.NAME)
POSTGRES = "postgresql@15-main.service"
BAD_CONFIG = "etc/nginx/conf.d/typing-error.conf"
IMPATIENT = "etc/systemd/system/nginx.service.d/again.conf"


def all_of(machine: str, process: str, number: signal.Signals) -> Callable[[Lab], None]:
    """Send a signal to every process of that name on the machine."""

    def inject(lab: Lab) -> None:
        there = lab.machine(machine)
        there.kill(there.pids(process), number)

    return inject


def main_of(machine: str, unit: str, number: signal.Signals) -> Callable[[Lab], None]:
    """Send a signal to a unit's main process, from outside: systemd was not asked."""

    def inject(lab: Lab) -> None:
        there = lab.machine(machine)
        there.kill([there.unit_pid(unit)], number)

    return inject


def running_again(machine: str, unit: str, process: str) -> Callable[[Lab], None]:
    """Let it go on if it was halted, start it if it is not running."""

    def heal(lab: Lab) -> None:
        there = lab.machine(machine)
        there.kill(there.pids(process), signal.SIGCONT)
        there.run("systemctl", "reset-failed", unit, check=False)
        there.run("systemctl", "start", unit)

    return heal


def _workers_halted(lab: Lab) -> None:
    web = lab.machine("web-1")
    master = web.unit_pid("nginx.service")
    web.kill([pid for pid in web.pids("nginx") if pid != master], signal.SIGSTOP)


def _crash_looping(lab: Lab) -> None:
    """Somebody saved half a line, and the unit was told to be started again for ever."""
    web = lab.machine("web-1")
    web.write(IMPATIENT, "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=200ms\n")
    web.run("systemctl", "daemon-reload")
    web.write(BAD_CONFIG, "upstream {\n")
    web.kill(web.pids("nginx"))


def _config_mended(lab: Lab) -> None:
    web = lab.machine("web-1")
    for path in (BAD_CONFIG, IMPATIENT):
        (web.root / path).unlink(missing_ok=True)
    web.run("systemctl", "daemon-reload")
    running_again("web-1", "nginx.service", "nginx")(lab)


_WEB_AGAIN = running_again("web-1", "nginx.service", "nginx")
_DB_AGAIN = running_again("db-1", POSTGRES, "postgres")
_SSH_AGAIN = running_again("web-1", "ssh.service", "sshd")
_NAME_AGAIN = running_again("gateway", "dnsmasq.service", "dnsmasq")

FAULTS = (
    Fault(
        name="web-killed", machine="web-1", hurts=WEB, heal=_WEB_AGAIN,
        what="every process of the web server is killed",
        inject=all_of("web-1", "nginx", signal.SIGKILL),
    ),
    Fault(
        name="web-ended", machine="web-1", hurts=WEB, heal=_WEB_AGAIN,
        what="the web server is told to end by something that is not systemd, and ends without an error",
        inject=main_of("web-1", "nginx.service", signal.SIGTERM),
    ),
    Fault(
        name="web-hung", machine="web-1", hurts=WEB, heal=_WEB_AGAIN,
        what="every process of the web server hangs; systemd still calls it active",
        inject=all_of("web-1", "nginx", signal.SIGSTOP),
    ),
    Fault(
        name="web-workers-hung", machine="web-1", hurts=WEB, heal=_WEB_AGAIN,
        what="the web server's workers hang while its main process is well",
        inject=_workers_halted,
    ),
    Fault(
        name="web-crash-looping", machine="web-1", hurts=WEB, heal=_config_mended, settles=False,
        what="the web server's configuration is broken, and it fails at every start",
        inject=_crash_looping,
    ),
    Fault(
        name="db-killed", machine="db-1", hurts=DB, heal=_DB_AGAIN,
        what="the database's main process is killed",
        inject=main_of("db-1", POSTGRES, signal.SIGKILL),
    ),
    Fault(
        name="db-ended", machine="db-1", hurts=DB, heal=_DB_AGAIN,
        what="the database is shut down in good order by something that is not systemd",
        inject=main_of("db-1", POSTGRES, signal.SIGINT),
    ),
    Fault(
        name="db-hung", machine="db-1", hurts=DB, heal=_DB_AGAIN,
        what="every process of the database hangs; systemd still calls it active",
        inject=all_of("db-1", "postgres", signal.SIGSTOP),
    ),
    Fault(
        name="ssh-ended", machine="web-1", hurts=SSH, heal=_SSH_AGAIN,
        what="the door for remote administration is closed: sshd was told to end",
        inject=main_of("web-1", "ssh.service", signal.SIGTERM),
    ),
    Fault(
        name="ssh-hung", machine="web-1", hurts=SSH, heal=_SSH_AGAIN,
        what="sshd accepts no one: it hangs",
        inject=main_of("web-1", "ssh.service", signal.SIGSTOP),
    ),
    Fault(
        name="resolver-killed", machine="gateway", hurts=NAME, heal=_NAME_AGAIN,
        what="the office's name server is killed",
        inject=all_of("gateway", "dnsmasq", signal.SIGKILL),
    ),
    Fault(
        name="resolver-hung", machine="gateway", hurts=NAME, heal=_NAME_AGAIN,
        what="the office's name server hangs; systemd still calls it active",
        inject=all_of("gateway", "dnsmasq", signal.SIGSTOP),
    ),
)  # fmt: skip
