"""Where and who we are: this user's home of Groundskeeper, this moment, this person."""

import getpass
import os
from datetime import datetime

from groundskeeper.agent.home import home
from groundskeeper.lib.clock import SystemClock

__all__ = ["home", "now", "who"]


def now() -> datetime:
    return SystemClock().now()


def who() -> str:
    """Who gives the command, behind sudo too. It goes into the ledger beside what they did."""
    behind = os.environ.get("SUDO_USER")
    if behind:
        return behind
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
