"""A filesystem that was writable has become read-only. Nothing is done to it; a person is told why."""
