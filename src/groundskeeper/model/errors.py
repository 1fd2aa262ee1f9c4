"""Errors, named for what the caller does next.

GroundskeeperError
├── Unavailable   try again later (after `retry_after`, where it is known)
├── Refused       do not try again: it is not allowed, or cannot be here
├── Stale         look again and plan again: the world moved
├── Invalid       the input is wrong; the message says where and what it should be
└── Corrupt       stop: what was stored is not what was written
"""

from datetime import timedelta


class GroundskeeperError(Exception):
    """The message is a sentence that says what, where and what to do next."""


class Unavailable(GroundskeeperError):
    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(GroundskeeperError):
    pass


class Stale(GroundskeeperError):
    pass


class Invalid(GroundskeeperError):
    pass


class Corrupt(GroundskeeperError):
    pass
