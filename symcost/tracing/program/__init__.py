"""One trace: a model at a point as flat records."""
