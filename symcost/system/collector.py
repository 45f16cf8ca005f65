"""Python's collector of garbage, kept waiting while very many objects are made that live on: imports, traces."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from symcost.system.interrupt import is_program


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """No collection inside; what the imports made stays, and is not looked through afterwards where the program collects."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
            if is_program():
                gc.freeze()


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Python's collector runs rarely inside: traces make millions of objects that live on, and each full run counts them."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
