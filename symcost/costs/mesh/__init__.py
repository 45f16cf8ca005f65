"""A program cut over a mesh of devices: the plan, its collectives, and what a table tells of both."""
