"""Blocks whose width grows as they repeat: sums over the number of the block, in closed form.

What is a polynomial in the number ``i`` of a block sums to one in how many there are, by the Bernoulli polynomials
``B``: ``sum_{i < L} i^e = (B_{e+1}(L) - B_{e+1}(0))/(e + 1)``.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from symcost.costs.rows import Row
from symcost.formulas.form import Form, as_form
from symcost.layers.sizes.algebra import Size, exact
from symcost.layers.sizes.noted import Need, NotedValue
from symcost.layers.sizes.tensor import Tensor

NUMBER = Form.symbol("block_number")
"""The number of a block, from 0."""
(((_ATOM, _),),) = NUMBER.terms


class NoSumError(Exception):
    """What should be summed is no polynomial in the block's number."""


def added(before: Tensor, after: Tensor) -> Size | None:
    """How many channels a block adds; None where it adds none, where anything else changes, or they may become fewer."""
    if len(before.shape) != len(after.shape):
        return None
    more = [exact(b - a) for a, b in zip(before.shape, after.shape, strict=True)]
    channels = more.pop(after.axis)
    terms = as_form(channels).terms
    grows = bool(terms) and all(c > 0 for c in terms.values())
    return channels if grows and all(size == 0 for size in more) else None


def mean(value: Size, times: Size) -> Size:
    """The mean over blocks 0 to ``times - 1``: ``times`` of it are their sum.

    >>> mean(8 * NUMBER + 3, Form.symbol("L"))
    4*L - 1
    """
    powers = (Form.total(c * as_form(times) ** e for e, c in enumerate(_mean_power(k))) * part
              for k, part in powers_of(value).items())  # fmt: skip
    return exact(Form.total(powers))


def at(value: Size, number: Size) -> Size:
    """The value for one block.

    >>> at(8 * NUMBER + 3, 2)
    19
    """
    return exact(Form.total(part * as_form(number) ** e for e, part in powers_of(value).items()))


def powers_of(value: Size) -> dict[int, Form]:
    """The factors of the powers of the block's number."""
    factors: dict[int, Form] = {}
    for mono, coefficient in as_form(value).terms.items():
        exponents = dict(mono)
        e = exponents.pop(_ATOM, 0)
        rest = Form({tuple(exponents.items()): coefficient})
        if e < 0 or NUMBER.symbols & rest.symbols:
            raise NoSumError
        factors[e] = factors.get(e, Form({})) + rest
    return factors


@cache
def _mean_power(e: int) -> tuple[Fraction, ...]:
    """Coefficients of ``(1/L) sum_{i < L} i^e`` in the powers of ``L``."""
    L = sympy.Symbol("L")
    total = sympy.Poly((sympy.bernoulli(e + 1, L) - sympy.bernoulli(e + 1, 0)) / (e + 1), L)
    return tuple(Fraction(int(c.p), int(c.q)) for c in reversed(total.all_coeffs()[:-1]))


def mean_row(row: Row, times: Size) -> Row:
    """The rows of all blocks as one that stands for their mean."""
    forms: Any = row  # all numbers of a row are forms until the table is made
    if NUMBER.symbols & as_form(forms.times).symbols:
        raise NoSumError
    costs = (each.map(lambda value: mean(value, times)) for each in (forms.cost, forms.textbook, forms.xla))
    cost, textbook, xla = costs
    ins, out = tuple(_mean_shape(shape, times) for shape in forms.ins), _mean_shape(forms.out, times)
    return replace(row, cost=cost, textbook=textbook, xla=xla, ins=ins, out=out)


def _mean_shape(shape: tuple[Size, ...], times: Size) -> tuple[Size, ...]:
    if sum(bool(NUMBER.symbols & as_form(size).symbols) for size in shape) > 1:
        raise NoSumError  # the mean of a product is no product of means
    return tuple(mean(size, times) for size in shape)


def last_event(event: NotedValue, last: Size) -> NotedValue:
    """The event of the last block, the largest."""
    for size in (event.size, event.scratch, event.textbook):
        if any(c < 0 for e, part in powers_of(size).items() if e for c in part.terms.values()):
            raise NoSumError
    size, scratch, textbook = (at(each, last) for each in (event.size, event.scratch, event.textbook))
    return replace(event, size=size, scratch=scratch, textbook=textbook)


def needs_of_all(need: Need, last: Size) -> list[Need]:
    """Conditions that hold for all blocks where they hold for one: at both ends, as they are linear between."""
    powers = powers_of(need.form)
    if not set(powers) <= {0, 1}:
        raise NoSumError
    ends = [0] if set(powers) == {0} else [0, 1] if need.least is None else [0, last]
    return [replace(need, form=as_form(at(need.form, end))) for end in ends]
