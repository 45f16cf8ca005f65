"""Input specs: ``float32[n,N,d]`` names a number type and dimensions, each an expression in symbols."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import sympy

from symcost.errors import ExpressionError, SpecError
from symcost.formulas.symbols import evaluate, parse
from symcost.reading.numerals import short

_FORM = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*\[(.*)\]\s*", re.DOTALL)
MAX_TEXT = 100_000
_SHORT = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "i8": "int8", "i16": "int16",
          "i32": "int32", "i64": "int64", "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64"}  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A number type and symbolic dimensions.

    >>> spec = parse_spec("float32[n, 32*k, 3]")
    >>> spec.dims[1], sorted(spec.symbols)
    (32*k, ['k', 'n'])
    """

    dtype: str
    dims: tuple[sympy.Expr, ...]

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in the dimensions."""
        return frozenset(str(s) for dim in self.dims for s in dim.free_symbols)

    def at(self, point: Mapping[str, int]) -> jax.ShapeDtypeStruct:
        """The abstract array of this spec at integers."""
        shape = []
        for dim in self.dims:
            value = evaluate(dim, point)
            if not isinstance(value, int) or value < 0:
                raise SpecError(f"the dimension {dim} of {self} is {value} at {where(point)}: it must be a size")
            shape.append(value)
        return jax.ShapeDtypeStruct(tuple(shape), jnp.dtype(self.dtype))

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(str(d).replace(' ', '') for d in self.dims)}]"


def where(point: Mapping[str, int]) -> str:
    """A point in words: ``n=2, d=64``."""
    return ", ".join(f"{name}={value}" for name, value in point.items()) or "the only point"


def parse_spec(text: str) -> Spec:
    """Read a spec; every dimension goes through the safe parser."""
    found = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_TEXT else None
    if not found:
        raise SpecError(
            f"cannot read the input spec {short(text)}: write a number type and dimensions, as float32[n,224,224,3]"
        )
    name = _SHORT.get(found[1], found[1])
    try:
        dtype = jnp.dtype(name)
    except TypeError:
        raise SpecError(
            f"unknown number type {short(found[1])} in {short(text)}: use float32, bfloat16, int32, bool, ..."
        ) from None
    try:
        parts = _split(found[2]) if found[2].strip() else []
        dims = tuple(parse(part) for part in parts)
    except ExpressionError as problem:
        raise SpecError(f"cannot read a dimension of {short(text)}: {problem}") from None
    for dim in dims:
        if getattr(dim, "is_number", True) and dim < 1:
            raise SpecError(f"a dimension of {short(text)} is {dim}: sizes are at least 1")
    return Spec(dtype.name, dims)


def _split(text: str) -> list[str]:
    """Split at commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def looks_like_spec(value: Any) -> bool:
    """Whether a keyword argument of the call is an array spec rather than a plain string."""
    found = _FORM.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return False
    try:
        jnp.dtype(_SHORT.get(found[1], found[1]))
    except TypeError:
        return False
    return True


def parse_tree(tree: Any) -> Any:
    """Specs in nested lists and dictionaries; what is no string stays as it is."""
    return jax.tree.map(lambda leaf: parse_spec(leaf) if isinstance(leaf, str) else leaf, tree)


def tree_at(tree: Any, point: Mapping[str, int]) -> Any:
    """Abstract arrays for a tree of specs at integers."""
    return jax.tree.map(
        lambda leaf: leaf.at(point) if isinstance(leaf, Spec) else leaf, tree, is_leaf=lambda x: isinstance(x, Spec)
    )


def tree_symbols(tree: Any) -> list[str]:
    """Names of the symbols in a tree of specs, in order of appearance."""
    leaves = jax.tree.leaves(tree, is_leaf=lambda x: isinstance(x, Spec))
    names = [str(s) for leaf in leaves if isinstance(leaf, Spec) for dim in leaf.dims
             for s in sorted(dim.free_symbols, key=str)]  # fmt: skip
    return list(dict.fromkeys(names))
