"""How a command ends: one sentence on standard error that names the next move, and a number that a script can read."""

from groundskeeper.model import Corrupt, GroundskeeperError, Invalid, Refused, Stale, Unavailable

DONE = 0
TROUBLE = 1
"""The command worked, and what it found is not in order (`doctor`, `policy`)."""
USAGE = 2
REFUSED = 3
UNAVAILABLE = 4
CORRUPT = 5
INTERRUPTED = 130

CODES: tuple[tuple[type[GroundskeeperError], int], ...] = (
    (Invalid, USAGE),
    (Refused, REFUSED),
    (Unavailable, UNAVAILABLE),
    (Stale, UNAVAILABLE),
    (Corrupt, CORRUPT),
    (GroundskeeperError, TROUBLE),
)

IN_WORDS = """\
Exit codes: 0 done · 1 done, and something is not in order · 2 wrong usage or input · 3 refused, or not possible here ·
4 not available now, try again · 5 what was stored is damaged
"""


def code_for(problem: GroundskeeperError) -> int:
    """The number for an error of ours."""
    return next(code for kind, code in CODES if isinstance(problem, kind))
