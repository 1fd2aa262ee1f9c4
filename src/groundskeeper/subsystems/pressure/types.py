"""How much work waits for a resource."""

from datetime import datetime

from groundskeeper.model import Fact, Value


class Pressure(Fact, Value):
    """Told when pressure on a resource ("cpu", "memory", "io") rises past its threshold or is over, not in between.

    `some` and `full` are the shares of the last moments, in percent, in which some work, or all work at once, stood
    still for want of the resource (kernel: Documentation/accounting/psi.rst).
    """

    resource: str
    high: bool
    some: float
    full: float
    since: datetime

    @property
    def subject(self) -> str:
        return self.resource
