"""Files that are whole or not there, packages that may be absent, and interruptions."""
