"""Fields of modules that hold no modules: flax looks through every field of every module for some, twice a call."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from typing import Any

import flax.linen as nn

PLAIN = frozenset((int, float, bool, str, types.NoneType, types.FunctionType, types.BuiltinFunctionType))


@contextlib.contextmanager
def plain_fields() -> Iterator[None]:
    """Within it, numbers, texts, functions and types are not looked through; flax's own method is back afterwards."""
    look = getattr(nn.Module, "_register_submodules", None)
    if look is None:  # not of flax's public face
        yield
        return

    def register(self: nn.Module, name: str, value: Any) -> None:
        if type(value) in PLAIN or isinstance(value, type):
            object.__setattr__(self, name, value)
        else:
            look(self, name, value)

    nn.Module._register_submodules = register  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module._register_submodules = look  # type: ignore[method-assign]
