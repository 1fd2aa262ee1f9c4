"""Whether the clock is kept right."""

from datetime import datetime, timedelta

from groundskeeper.model import Fact, Value


class ClockSync(Fact, Value):
    """What the kernel knows of the clock's discipline (adjtimex(2)), and who should be disciplining it.

    `offset` is what the time service still has to correct, `error_estimate` the kernel's bound on the error (None
    while unsynchronised: the kernel then only counts upwards). `service` is the unit of the installed time service,
    None where none is installed. `belongs_to` names whose clock it is where it is not this machine's own: "the host
    of this systemd-nspawn container".
    """

    synchronised: bool
    since: datetime
    offset: timedelta = timedelta()
    error_estimate: timedelta | None = None
    service: str | None = None
    belongs_to: str | None = None
    last_jump: timedelta | None = None
    """How far the clock was last set at one stroke since the agent started, positive when it was set forward."""
    jumped_at: datetime | None = None

    @property
    def subject(self) -> str:
        return "clock"
