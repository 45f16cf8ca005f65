"""Saved tables: read back from JSON without tracing anything, with all that the table knew of itself."""
