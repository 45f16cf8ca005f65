"""From records to costs, peaks and lines of a table."""
