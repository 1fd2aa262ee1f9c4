"""Groundskeeper: managed IT care as software."""

__version__ = "0.1.0"
