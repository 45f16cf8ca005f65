"""Columns that follow the binary digits of a size: loops and recursions that halve it."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

import sympy

from symcost.formulas.binary.digits import log2
from symcost.formulas.form import Form, floor
from symcost.formulas.functions import has_logarithm, logarithm, odd_halves, power_of_two
from symcost.tracing.fitting.solve import Column, affine, combine

LOGARITHMS = (("clog2", 1), ("clog2", 0), ("flog2", 1))
"""A logarithm, and what is added to a size in it: how often it is halved, rounded down or up."""
MOST_DOUBLED = 40
"""A depth to which nothing is doubled stage by stage."""
ENOUGH_DOUBLED = 7
"""Distinct depths that it takes to tell what is doubled with each of them."""
ENOUGH = 24
"""Distinct sizes that it takes to tell sums over halves apart."""
FIRST_DIGITS = (Fraction(4, 3), Fraction(8, 5), Fraction(8, 7))
"""Shares whose logarithm is one more where the first digits are large: the last halves are made of those."""


def logarithms(column: Column, known: Sequence[tuple[Column, Form]]) -> Iterator[Form]:
    """``q clog2(f + a) + c`` of a known column that is no logarithm itself: how often it is halved."""
    for values, form in known:
        for kind, more in LOGARITHMS if min(values) > 0 and not has_logarithm(form) else ():
            levels = tuple(log2(value + more, up=kind == "clog2") for value in values)
            fit = affine(column, [levels], surplus=0) if len(set(levels)) > 2 else None  # two are any jump
            if fit and all(c.denominator == 1 for c in fit):
                yield combine(fit, [logarithm(kind, form + more)])


def halvings(column: Column, known: Sequence[tuple[Column, Form]]) -> Iterator[Form]:
    """What is linear, or square, in a size and its halves, in another way for the odd ones, added up over all of them.

    Rounded down, ``n`` itself has halves; rounded up, those of ``n - 1`` with one added.
    """
    for values, form in known:
        (name,) = form.symbols
        if form != Form.symbol(name) or min(values) < 2 or len(set(values)) < ENOUGH:
            continue
        for square, up in itertools.product((False, True), repeat=2):
            forms, features, relations = _basis(values, form, up, square)
            if any(sum(map(operator.mul, relation, column)) for relation in relations):
                continue
            if fit := affine(column, features, sparse=True, surplus=len(column) // 4):
                yield combine(fit, forms)


def doublings(column: Column, known: Sequence[tuple[Column, Form]]) -> Iterator[Form]:
    """``a 4**n + b 2**n + c n + d`` of a symbol: what stages add up of which each is twice as wide as the one before.

    ``n`` may be a symbol's binary logarithm: there are as many stages as a resolution has octaves.
    """
    for values, form in known:
        for levels, depth in _stages(values, form) if form in map(Form.symbol, form.symbols) else ():
            features = [tuple(2 ** (k * level) for level in levels) for k in (1, 2)]
            if fit := affine(column, [*features, levels], sparse=True, surplus=3):
                yield combine(fit, [power_of_two(depth), power_of_two(2 * depth), depth])


def _stages(values: Column, symbol: Form) -> Iterator[tuple[Column, Form]]:
    """A symbol that may be a number of stages, and its logarithms, where there are enough of them to tell."""
    if max(values) <= MOST_DOUBLED and len(set(values)) >= ENOUGH_DOUBLED:
        yield values, symbol
    for kind, more in LOGARITHMS if min(values) > 0 else ():
        levels = tuple(log2(value + more, up=kind == "clog2") for value in values)
        if len(set(levels)) >= ENOUGH_DOUBLED:
            yield levels, logarithm(kind, symbol + more)


@lru_cache(maxsize=64)
def _basis(values: Column, size: Form, up: bool, square: bool) -> tuple[list[Form], list[Column], list[Column]]:
    """What the sums are made of, its columns, and what relates the rows of every column that is made of them."""
    forms = _features(size, up, square)
    (name,) = size.symbols
    features = [tuple(int(form.value({name: value})) for value in values) for form in forms]
    rows = sympy.Matrix([list(column) for column in (*features, (1,) * len(values))])
    found = [[Fraction(str(part)) for part in vector] for vector in rows.nullspace()]
    scales = [math.lcm(*(part.denominator for part in vector)) for vector in found]
    return forms, features, [tuple(int(x * k) for x in vector) for vector, k in zip(found, scales, strict=True)]


def _features(size: Form, up: bool, square: bool) -> list[Form]:
    """What the sums are made of; the first step of a recursion, and its last ones, may be others than those between."""
    inside = size - 1 if up else size
    odd = inside - 2 * floor(inside / 2)
    found = [
        size,
        odd,
        inside * odd,
        logarithm("clog2" if up else "flog2", size),
        odd_halves(inside),
        odd_halves(inside, 1),
        *(logarithm("flog2", inside * share) for share in FIRST_DIGITS),
    ]
    return [*found, size**2, odd_halves(inside, 2)] if square else found
