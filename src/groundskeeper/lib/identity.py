"""Short random ids that a person can read out on the telephone."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""No 0/o, 1/l/i: they are misheard and mistyped."""


def random_id(length: int = 8) -> str:
    """About 40 bits at the usual length: a clash among a million ids has odds of one in two."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
