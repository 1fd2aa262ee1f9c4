"""The loop: the cycle, the change envelope, recovery, the watch over the sensors."""
