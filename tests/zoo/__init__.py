"""Compact models written the way their public authors write them: the users whose real code we do not have."""
