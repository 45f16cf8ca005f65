"""What a row of the table of rules is: a function, its inputs, its cost in closed form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax

from symcost.formulas.symbols import evaluate, parse

Points = tuple[Mapping[str, int], ...]


def points(names: str, *rows: tuple[int, ...]) -> Points:
    """Values of the symbols ``names``, one dictionary per row."""
    return tuple(dict(zip(names.split(), row, strict=True)) for row in rows)


def spec(text: str, at: Mapping[str, int]) -> jax.ShapeDtypeStruct:
    """``float32[a,b + 1]`` at a point."""
    dtype, dimensions = re.fullmatch(r"(\w+)\[(.*)\]", text).groups()
    shape = tuple(int(evaluate(parse(d), at)) for d in dimensions.split(",") if d)
    return jax.ShapeDtypeStruct(shape, dtype)


AB = points("a b", (4, 3), (7, 10), (1, 1))


@dataclass(frozen=True)
class Case:
    """``function`` of arrays like ``specs`` costs what the closed forms say, at each of the ``points``.

    ``macs``, ``flops``, ``transcendentals`` and ``int_ops`` state the ``full`` convention: ``flops`` is the
    total, 2 per MAC included. What XLA reports is not written down: the test asks XLA. ``x64`` asks for
    64-bit types, which jax has switched off by default.
    """

    primitive: str
    function: Callable[..., Any]
    specs: tuple[str, ...]
    macs: str = "0"
    flops: str = "0"
    transcendentals: str = "0"
    int_ops: str = "0"
    points: Points = AB
    variant: str = ""
    x64: bool = False

    @property
    def label(self) -> str:
        """Name in test reports."""
        return f"{self.primitive}-{self.variant}" if self.variant else self.primitive
