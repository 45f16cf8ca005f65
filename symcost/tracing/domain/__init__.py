"""Where a closed form holds."""
