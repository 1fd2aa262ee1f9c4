"""Services under systemd: what state they are in, whether they answer, how they are started and stopped."""
