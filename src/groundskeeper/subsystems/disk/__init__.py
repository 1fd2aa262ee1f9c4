"""Filesystems: how full, how fast, still writable; and the freeing of space from places where nothing is missed."""
