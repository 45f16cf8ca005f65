"""Functions of the user's that remember their results, as they are without: what they decide is seen every time."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from symcost.tracing.evidence.places import LIBRARY, helps

CACHED = type(functools.lru_cache(lambda: None))


def remembered() -> Iterator[tuple[Any, str, Any]]:
    """Module or class, name, and the function itself of everything that ``functools.lru_cache`` wraps there."""
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType) or not _of_user(module):
            continue
        classes = [
            each
            for each in list(vars(module).values())
            if isinstance(each, type) and each.__module__ == module.__name__
        ]
        for owner in (module, *classes):
            yield from (
                (owner, name, each.__wrapped__) for name, each in list(vars(owner).items()) if type(each) is CACHED
            )


@contextlib.contextmanager
def forgetful() -> Iterator[None]:
    """Within it, nothing that the user's modules compute is remembered; their functions are back afterwards."""
    replaced: list[tuple[Any, str, Any]] = []
    try:
        for owner, name, function in remembered():
            replaced.append((owner, name, vars(owner)[name]))
            setattr(owner, name, function)
        yield
    finally:
        for owner, name, value in replaced:
            setattr(owner, name, value)


def _of_user(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None) or ""
    inside = module.__name__.split(".")[0] in sys.stdlib_module_names - {"__main__"}
    return not inside and not (helps(file) or file.startswith(LIBRARY))
