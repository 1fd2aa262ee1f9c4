"""A service runs, but does not answer."""
