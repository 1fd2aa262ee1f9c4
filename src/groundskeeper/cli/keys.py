"""Keys as they are pressed, without waiting for Enter; the terminal is left as it was found."""

import select
import sys
import termios
import time
import tty
from types import TracebackType


class Keys:
    """Where standard input is no terminal, no key is ever pressed. Ctrl-C stays what it is."""

    def __enter__(self) -> "Keys":
        self._before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
        if self._before:
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def pressed(self, within: float) -> str:
        """The key that is pressed within so many seconds; nothing where none is."""
        if not self._before:
            time.sleep(within)
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], within)
        return sys.stdin.read(1) if ready else ""
