"""Real changes killed at every system call: the tracer, the trials, and what is changed in them."""
