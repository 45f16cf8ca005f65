"""A cost table in one format a file."""
