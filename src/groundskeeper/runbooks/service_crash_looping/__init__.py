"""A service fails again and again."""
