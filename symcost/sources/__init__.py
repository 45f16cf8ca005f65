"""A model from its name, and the options of tracing it."""
