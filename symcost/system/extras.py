"""Packages that the extras bring: looked for before the work that needs them, and asked for in one sentence."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from symcost.errors import SymcostError

BROUGHT = {
    "report": ("jinja2", "matplotlib"),
    "sweep": ("distributed", "duckdb", "filelock", "llvmlite", "pandas", "polars", "pyarrow"),
}
"""What each extra of ``pyproject.toml`` brings that symcost itself imports or its pages do."""


def installed(package: str) -> bool:
    """Whether a package can be imported; it is not.

    >>> installed("sympy"), installed("no_such_package")
    (True, False)
    """
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a finder that forbids it, a module without a spec
        return False


def absent(package: str, what: str) -> str:
    """That a package is not installed, what it is for, and how to get it, from an index and in a clone.

    >>> absent("matplotlib", "a picture")
    "a picture needs matplotlib, which is not installed: pip install matplotlib (in a clone pip install '.[report]')"
    """
    extra = next((f" (in a clone pip install '.[{name}]')" for name, held in BROUGHT.items() if package in held), "")
    return f"{what} needs {package}, which is not installed: pip install {package}{extra}"


def look(what: str, *packages: str, error: type[SymcostError] = SymcostError) -> None:
    """Raise ``error`` if one of the packages is not installed: to be called before long work, not after it."""
    for package in packages:
        if not installed(package):
            raise error(absent(package, what))


def needed(name: str, what: str, error: type[SymcostError] = SymcostError) -> Any:
    """A module of a package that an extra brings, or ``error``."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise error(absent(name.partition(".")[0], what)) from None
