"""A filesystem is short of space or of inodes, or is about to be."""
