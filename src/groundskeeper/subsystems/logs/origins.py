"""Where lines of the log can be had from, and what a line brings along."""

from datetime import datetime
from typing import NamedTuple, Protocol


class Heard(NamedTuple):
    """One line as it was written. `service` says whose file it is from, "" for the system's log.

    `at` is when it was written, where that is long ago; None for now. `foreign` is True where an ordinary person's
    program wrote it: anybody may write anything into the system's log.
    """

    text: str
    service: str = ""
    at: datetime | None = None
    foreign: bool = False


class Origin(Protocol):
    """Gives lines as they are written. Whoever opened it closes it."""

    @property
    def words(self) -> str:
        """Where the lines come from and how soon, for people."""
        ...

    @property
    def pace(self) -> float | None:
        """Seconds between looks while something is going on, where the origin tells of news too late; else None."""
        ...

    def fileno(self) -> int:
        """Readable when there is news."""
        ...

    def read(self) -> list[Heard]:
        """What was written since, without waiting; not more than a few hundred lines at a time."""
        ...

    @property
    def behind(self) -> bool:
        """Whether `read` has more to give at once, though nothing need tell of it."""
        ...

    def lost(self) -> str | None:
        """Why nothing more will come from here, or None."""
        ...

    def close(self) -> None: ...
