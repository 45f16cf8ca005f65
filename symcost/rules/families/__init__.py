"""One family of primitives a file."""
