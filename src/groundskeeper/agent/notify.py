"""Tells systemd how the agent is (sd_notify(3)): ready, alive, stopping. Says nothing where nobody listens."""

import os
import socket


def notify(state: str) -> None:
    """Send one state line, such as READY=1; lost silently where there is no systemd, or it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        try:
            link.sendto(state.encode(), address)
        except OSError:
            return


def watchdog_pause() -> float | None:
    """Seconds between two signs of life, half of what systemd waits for; None where it waits for none."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return int(usec) / 2_000_000 if usec.isdigit() else None
