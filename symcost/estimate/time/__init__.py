"""Time and energy: a table on a device."""
