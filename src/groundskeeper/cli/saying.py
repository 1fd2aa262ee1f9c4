"""Lines to whoever runs the command. Light: every command loads this, `--help` too."""

import sys


def say(text: str = "") -> None:
    """One line on standard output, as it is."""
    print(text)


def complain(text: str) -> None:
    """One line on standard error, apart from what the command gives."""
    print(text, file=sys.stderr)
