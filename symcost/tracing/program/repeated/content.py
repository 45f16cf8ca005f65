"""What values consist of, hashable: equal content gives equal programs."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax


def content(value: Any) -> Any:
    """What a value consists of, hashable: closures by their code and what they close over, modules by their fields.

    Blocks make a new closure for each call; equal ones then cost one trace. What has no such content raises TypeError.
    """
    if isinstance(value, WithKey):
        return WithKey, content(value.init_fn)
    if isinstance(value, types.FunctionType):
        cells = tuple(content(cell.cell_contents) for cell in value.__closure__ or ())
        defaults = tuple(content(d) for d in value.__defaults__ or ())
        return value.__code__, cells, defaults
    if isinstance(value, functools.partial):
        return (
            content(value.func),
            tuple(map(content, value.args)),
            tuple((k, content(v)) for k, v in value.keywords.items()),
        )
    if isinstance(value, nn.Module):
        fields = [f.name for f in dataclasses.fields(value) if f.init and f.name not in ("parent", "name")]
        return type(value), tuple((name, content(getattr(value, name))) for name in fields)
    if isinstance(value, jax.Array):
        return value.shape, value.dtype
    if isinstance(value, tuple | list):
        return type(value), tuple(map(content, value))
    if isinstance(value, dict):
        return dict, tuple((k, content(v)) for k, v in value.items())
    hash(value)
    return value


def plain_key() -> jax.Array:
    """The key of an initialiser whose numbers nobody sees."""
    return jax.random.PRNGKey(0)


@dataclass(frozen=True)
class WithKey:
    """An initialiser with its key supplied; equal when the initialisers are."""

    init_fn: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The numbers, of a key that is made inside: equal calls look equal."""
        return self.init_fn(plain_key(), *args, **kwargs)
