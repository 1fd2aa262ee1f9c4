"""systemd's journal, read where journald does not pass its lines on (sd_journal(3), through the C library).

journald tells of news at most four times a second. So while somebody is trying names and passwords it is asked every
few milliseconds (a third of a microsecond each), and else waited for.
"""

import ctypes

from groundskeeper.model import Unavailable
from groundskeeper.subsystems.logs.forwarded import PEOPLE
from groundskeeper.subsystems.logs.origins import Heard

LIBRARY = "libsystemd.so.0"
FACILITIES = (2, 4, 10, 11)
"""Mail, auth, authpriv, ftp: where services tell of sign-ins."""
AT_ONCE = 256
_SYSTEM, _LOCAL = 1 << 2, 1 << 0


class Journal:
    """Raises Unavailable where there is no libsystemd, or no journal that may be read."""

    words = "failed sign-ins are seen in the journal, the first within half a second and the next within milliseconds"
    pace: float | None = 0.005

    def __init__(self) -> None:
        """From now on."""
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError as problem:
            raise Unavailable(f"the journal cannot be read without {LIBRARY}") from problem
        self._journal = ctypes.c_void_p()
        self._call("sd_journal_open", ctypes.byref(self._journal), _SYSTEM | _LOCAL)
        try:
            self._match()
            self._fd = self._ask("sd_journal_get_fd")
            self._to_the_end()
        except Unavailable:
            self.close()
            raise
        self.behind = True

    def _match(self) -> None:
        for facility in FACILITIES:
            match = f"SYSLOG_FACILITY={facility}".encode()
            self._ask("sd_journal_add_match", match, ctypes.c_size_t(len(match)))

    def _to_the_end(self) -> None:
        self._ask("sd_journal_seek_tail")
        if self._ask("sd_journal_previous") == 0 and not self._any():
            raise Unavailable("the journal holds nothing that this user may read")

    def _any(self) -> bool:
        """Whether there is any entry at all: one without any may not be read by this user."""
        self._ask("sd_journal_flush_matches")
        found = self._ask("sd_journal_seek_head") == 0 and self._ask("sd_journal_next") > 0
        self._match()
        self._ask("sd_journal_seek_tail")
        self._ask("sd_journal_previous")
        return found

    def fileno(self) -> int:
        return self._fd

    def read(self) -> list[Heard]:
        self._ask("sd_journal_process")  # clears the news, and follows new files
        heard: list[Heard] = []
        while len(heard) < AT_ONCE and self._ask("sd_journal_next") > 0:
            heard.append(self._entry())
        self.behind = len(heard) == AT_ONCE
        return heard

    def _entry(self) -> Heard:
        pid = self._field("SYSLOG_PID") or self._field("_PID")
        user = self._field("_UID")
        text = f"{self._field('SYSLOG_IDENTIFIER')}[{pid}]: {self._field('MESSAGE')}"
        return Heard(text, foreign=user.isdigit() and int(user) in PEOPLE)

    def _field(self, name: str) -> str:
        data, length = ctypes.c_void_p(), ctypes.c_size_t()
        done = self._library.sd_journal_get_data(self._journal, name.encode(), ctypes.byref(data), ctypes.byref(length))
        if done < 0:
            return ""
        return ctypes.string_at(data.value or 0, length.value)[len(name) + 1 :].decode("utf-8", "replace")

    def lost(self) -> str | None:
        return None

    def close(self) -> None:
        self._library.sd_journal_close(self._journal)

    def _ask(self, name: str, *more: object) -> int:
        return self._call(name, self._journal, *more)

    def _call(self, name: str, *arguments: object) -> int:
        done = int(getattr(self._library, name)(*arguments))
        if done < 0:
            raise Unavailable(f"the journal cannot be read ({name}: error {-done})")
        return done
