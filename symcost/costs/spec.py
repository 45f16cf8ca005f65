"""Input specs: ``float32[n,N,d]`` names a number type and dimensions, each an expression in symbols. Needs no jax."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from symcost.costs.dtypes import number_type
from symcost.errors import ExpressionError, SpecError
from symcost.formulas.symbols import evaluate, parse
from symcost.reading.nearest import offered
from symcost.reading.numerals import assigned, short

_FORM = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*\[(.*)\]\s*", re.DOTALL)
MAX_TEXT = 100_000


@dataclass(frozen=True)
class Spec:
    """A number type and symbolic dimensions; ``example``: those of an array that was given in the place of a text.

    ``axes``: of a mesh, along which each dimension is cut, as ``float32[B@data,d]`` says; none where it says nothing.

    >>> spec = parse_spec("float32[n, 32*k, 3]")
    >>> spec.dims[1], sorted(spec.symbols)
    (32*k, ['k', 'n'])
    """

    dtype: str
    dims: tuple[sympy.Expr, ...]
    example: bool = field(default=False, compare=False, repr=False)
    axes: tuple[tuple[str, ...], ...] = field(default=(), repr=False)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in the dimensions."""
        return frozenset(str(s) for dim in self.dims for s in dim.free_symbols)

    def shape(self, point: Mapping[str, int]) -> tuple[int, ...]:
        """The shape at integers.

        >>> parse_spec("float32[n,2*k]").shape({"n": 3, "k": 4})
        (3, 8)
        """
        shape = []
        for dim in self.dims:
            value = evaluate(dim, point)
            if not isinstance(value, int) or value < 0:
                raise SpecError(f"the dimension {dim} of {self} is {value} at {where(point)}: it must be a size")
            shape.append(value)
        return tuple(shape)

    def __str__(self) -> str:
        cut = (f"@{'+'.join(axes)}" if axes else "" for axes in self.axes or ((),) * len(self.dims))
        return f"{self.dtype}[{','.join(str(d).replace(' ', '') + at for d, at in zip(self.dims, cut, strict=True))}]"


def where(point: Mapping[str, int]) -> str:
    """A point in words: ``n=2, d=64``."""
    return assigned(point) or "the only point"


def parse_spec(text: str) -> Spec:
    """Read a spec; every dimension goes through the safe parser.

    >>> str(parse_spec("bf16[n, 2*d]"))
    'bfloat16[n,2*d]'
    >>> parse_spec("float32[B@data+fsdp, 2*d]").axes
    (('data', 'fsdp'), ())
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_TEXT else None
    if not match:
        raise SpecError(
            f"cannot read the input spec {short(text)}: write a number type and dimensions, as float32[n,224,224,3]"
        )
    dtype, alike = number_type(match[1])
    if dtype is None:
        hint = offered(alike, "use float32, bfloat16, int32, bool, ...")
        raise SpecError(f"unknown number type {short(match[1])} in {short(text)}: {hint}")
    try:
        parts = _split(match[2]) if match[2].strip() else []
        axes = tuple(_cut(part, text) for part in parts)
        dims = tuple(parse(part.partition("@")[0]) for part in parts)
    except ExpressionError as problem:
        raise SpecError(f"cannot read a dimension of {short(text)}: {problem}") from None
    for dim in dims:
        if getattr(dim, "is_number", True) and dim < 1:
            raise SpecError(f"a dimension of {short(text)} is {dim}: sizes are at least 1")
    return Spec(dtype, dims, axes=axes if any(axes) else ())


def _cut(part: str, text: str) -> tuple[str, ...]:
    """The axes of a mesh behind a dimension."""
    _, at, named = part.partition("@")
    names = tuple(name.strip() for name in named.split("+")) if at else ()
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise SpecError(
                f"cannot read the axes of {short(part.strip())} in {short(text)}: write B@data, or B@data+fsdp along two"
            )
    return names


def _split(text: str) -> list[str]:
    """Split at commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def check_texts(tree: Any, is_spec: Callable[[str], bool] = lambda text: True) -> None:
    """Read every text of lists and dicts that ``is_spec``, so that what is wrong in one is known before jax is there."""
    inside = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list | tuple) else ()
    for each in inside:
        check_texts(each, is_spec)
    if isinstance(tree, str) and is_spec(tree):
        parse_spec(tree)


def looks_like_spec(value: Any) -> bool:
    """Whether a keyword argument of the call is the text of an array: a word with brackets behind it.

    The form alone decides, so that a number type that is written wrong is an error and never a plain text.

    >>> looks_like_spec("bool[n,N]"), looks_like_spec("bol[n,N]"), looks_like_spec("relu"), looks_like_spec("(2, 3)")
    (True, True, False, False)
    """
    return isinstance(value, str) and len(value) <= MAX_TEXT and _FORM.fullmatch(value) is not None
