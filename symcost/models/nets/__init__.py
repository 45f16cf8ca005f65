"""The networks themselves, one file for each family."""
