"""A folder of modules that register themselves: whoever needs one imports them all, and no list has to name them."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def import_all(package: str) -> None:
    """Import every module of a package, in the order of their names."""
    for each in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{each.name}")
