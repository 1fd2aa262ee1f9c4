"""Log lines, read as they are written: who failed to sign in, who did sign in."""
