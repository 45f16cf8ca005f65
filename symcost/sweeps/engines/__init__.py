"""How a space is searched: compiled loops, branch and bound, frontiers."""
