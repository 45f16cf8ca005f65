"""The version, which saved files and reports carry."""

__version__ = "0.2.0"
