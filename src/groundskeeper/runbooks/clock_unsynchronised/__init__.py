"""Nothing keeps the clock right."""
