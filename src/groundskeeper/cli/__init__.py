"""The command line: for people, and with --json for programs. One small file a command."""

from groundskeeper.cli.app import main

__all__ = ["main"]
