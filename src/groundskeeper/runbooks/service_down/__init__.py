"""A service that should run does not."""
