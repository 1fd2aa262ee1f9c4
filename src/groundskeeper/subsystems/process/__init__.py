"""Processes: which ones take more than their share, which ones the kernel killed, how one is capped or ended."""
