"""What a client allows: one signed, versioned document. The owner's floor can only tighten it.

A field that this version does not know is refused, not passed over: it might be the one that forbids something.
"""

from datetime import time, timedelta
from typing import Any

from msgspec import field

from groundskeeper.model.action import Risk
from groundskeeper.model.value import Ranked, Value


class Autonomy(Ranked):
    """How much the loop may do by itself, least first."""

    OBSERVE = "observe"
    """See and tell."""
    SUGGEST = "suggest"
    """Show the plan; a person does it."""
    APPROVE = "approve"
    """Carry the plan out when a person says so."""
    AUTO = "auto"


class Budgets(Value, forbid_unknown_fields=True):
    """How often, how many, how soon again."""

    attempts: int = 2
    """Plans carried out for one incident before a person is asked."""
    cooldown: timedelta = timedelta(seconds=2)
    """Wait before the second repair of the same trouble within an hour; doubles each time."""
    repeats: int = 5
    """Repairs of the same trouble within an hour; one more is a problem for a person (flapping)."""
    at_once: int = 3
    """Lasting changes under way on the device at the same time."""
    per_day: dict[Risk, int] = field(
        default_factory=lambda: {Risk.REVERSIBLE: 200, Risk.DISRUPTIVE: 50, Risk.IRREVERSIBLE: 20}
    )
    """Changes on the device in 24 hours, by risk; those that end by themselves are not among them."""
    contained: int = 5000
    """Containments (changes that end by themselves) on the device in 24 hours."""
    watch: timedelta = timedelta(seconds=30)
    """How long a remedied incident is watched before it is called resolved."""


class Window(Value, forbid_unknown_fields=True):
    """A recurring span of local time. `days` are ISO weekdays 1 (Monday) to 7; a window may pass midnight."""

    name: str
    start: time
    end: time
    days: frozenset[int] = frozenset({1, 2, 3, 4, 5, 6, 7})
    timezone: str = "UTC"
    up_to: Autonomy = Autonomy.OBSERVE
    """The most that the loop may do inside the window."""


class Policy(Value, forbid_unknown_fields=True):
    """Every list of what may be done is a list of permissions; every list of what is protected holds glob patterns."""

    version: int
    name: str = "default"
    autonomy: dict[Risk, Autonomy] = field(
        default_factory=lambda: {
            Risk.READ: Autonomy.AUTO,
            Risk.REVERSIBLE: Autonomy.AUTO,
            Risk.DISRUPTIVE: Autonomy.AUTO,
            Risk.IRREVERSIBLE: Autonomy.APPROVE,
        }
    )
    limits: dict[Risk, Autonomy] = {}
    """The most, whatever is allowed elsewhere, standard changes too; this is where the owner's floor comes in."""
    runbooks: dict[str, Autonomy] = {}
    """The most that one runbook may do by itself; one that is not named has no limit of its own."""
    standard_changes: frozenset[str] = frozenset()
    """Kinds of action allowed in advance whatever their risk, within `limits` (ITIL: standard change)."""
    protected: tuple[str, ...] = ()
    """Globs over what an action touches, as `Radius.touches` names it: never changed by the loop."""
    never_ban: tuple[str, ...] = ()
    """Addresses and networks (CIDR) that are never cut off."""
    windows: tuple[Window, ...] = ()
    budgets: Budgets = Budgets()
    rules: dict[str, dict[str, Any]] = {}
    """Settings of a rule, by its name; the rule's own fields say which there are."""


class Floor(Value, tag=False, forbid_unknown_fields=True):
    """The file of the machine's owner. It can only take away."""

    autonomy: Autonomy = Autonomy.AUTO
    """The most that the loop may do by itself, whatever policy says."""
    risks: dict[Risk, Autonomy] = {}
    runbooks: dict[str, Autonomy] = {}
    not_standard: frozenset[str] = frozenset()
    """Kinds of action that are not pre-approved here."""
    protected: tuple[str, ...] = ()
    never_ban: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    budgets: Budgets | None = None
