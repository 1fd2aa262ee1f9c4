"""Groundskeeper: managed IT care as software."""
