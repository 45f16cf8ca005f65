"""The version, which saved files and reports carry."""

__version__ = "0.1.0"
