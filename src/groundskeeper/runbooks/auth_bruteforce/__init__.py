"""Somebody tries names and passwords."""
