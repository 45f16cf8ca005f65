"""A program's own lines watched while it is traced: what they decide, read from its frames."""
