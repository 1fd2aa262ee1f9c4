"""Figures as people read them."""

from datetime import timedelta

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def size(count: float) -> str:
    """Bytes in decimal units, as disks are sold: 999 bytes, 1.5 kB, 20 GB."""
    value, step = float(count), 0
    while abs(value) >= 999.5 and step < len(UNITS) - 1:
        value, step = value / 1000, step + 1
    return f"{value:.1f} {UNITS[step]}" if step and abs(value) < 9.95 else f"{value:.0f} {UNITS[step]}"


def span(length: timedelta) -> str:
    """A duration in its largest sensible unit: 4 seconds, 1 minute, 26 hours, 3 days."""
    seconds = length.total_seconds()
    for unit, width, upto in (("second", 1, 90), ("minute", 60, 90 * 60), ("hour", 3600, 48 * 3600)):
        if seconds < upto:
            return counted(round(seconds / width), unit)
    return counted(round(seconds / 86400), "day")


def counted(number: int, noun: str) -> str:
    """1 file, 12 files, 1,200 files."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
