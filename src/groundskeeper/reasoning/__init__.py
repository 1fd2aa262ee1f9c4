"""Decides: judge, relate, plan, guard. Pure; time and identity are arguments."""
