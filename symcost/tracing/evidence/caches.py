"""Functions of the user's that remember their results, as they are without: what they decide is seen every time."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from symcost.tracing.evidence.places import LIBRARY, helps
from symcost.tracing.program.repeated.tables import first_only, makers

CACHED = type(functools.lru_cache(lambda: None))
INSTALLED = frozenset(("site-packages", "dist-packages"))
"""Folders of packages that do not change while a program runs."""
_installed: WeakKeyDictionary[ModuleType, tuple[int, list[tuple[Any, str]]]] = WeakKeyDictionary()
"""Modules that are installed, or below the model, and were looked through: how many names each had, and what in it remembers."""


def remembered() -> Iterator[tuple[Any, str, Any]]:
    """Module or class, name, and the function itself of everything that ``functools.lru_cache`` wraps there."""
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType):
            for owner, name in _cached(module):
                if type(value := vars(owner).get(name)) is CACHED:
                    yield owner, name, value.__wrapped__


def _cached(module: ModuleType) -> list[tuple[Any, str]]:
    """Where a module of the user's remembers; what is installed is looked through again only where it has more names."""
    known = _installed.get(module)
    if known is not None and known[0] == len(vars(module)):
        return known[1]
    file = getattr(module, "__file__", None) or ""
    own = _of_user(module, file)
    found = _looked_through(module) if own else []
    if not own or not INSTALLED.isdisjoint(file.split(os.sep)):
        _installed[module] = len(vars(module)), found
    return found


def _looked_through(module: ModuleType) -> list[tuple[Any, str]]:
    """The module and its own classes, and the names under which they hold a function that remembers."""
    classes = [
        each for each in list(vars(module).values()) if isinstance(each, type) and each.__module__ == module.__name__
    ]
    return [
        (owner, name)
        for owner in (module, *classes)
        for name, each in list(vars(owner).items())
        if type(each) is CACHED
    ]


@contextlib.contextmanager
def forgetful(tables: bool = True) -> Iterator[None]:
    """Within it, nothing that the user's modules compute is remembered; their functions are back afterwards.

    Of ``tables`` that they make number by number the first of each kind is made, unless that is false.
    """
    replaced: list[tuple[Any, str, Any]] = []
    try:
        of_tables = [(module, name, first_only(function)) for module, name, function in makers()] if tables else []
        for owner, name, function in (*remembered(), *of_tables):
            replaced.append((owner, name, vars(owner)[name]))
            setattr(owner, name, function)
        yield
    finally:
        for owner, name, value in replaced:
            setattr(owner, name, value)


def _of_user(module: ModuleType, file: str) -> bool:
    name = module.__name__.split(".")[0]
    return (name == "__main__" or name not in sys.stdlib_module_names) and not (helps(file) or file.startswith(LIBRARY))
