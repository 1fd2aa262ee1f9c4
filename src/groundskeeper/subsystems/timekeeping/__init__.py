"""Whether the clock is kept right, and by which service."""
