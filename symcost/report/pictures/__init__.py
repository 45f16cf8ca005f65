"""Pictures of a cost table."""
