"""Model size: bits of all parameters, of their own number types, of one width or one per layer, pruned or not.

Numbers of less than a byte are packed: two ``int4`` take one byte. An odd number of them is half a byte more, and no leaf
is rounded up to whole bytes, as with ``bits=4``: sums stay polynomials, and a size can be a fraction of a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.cost import FULL, Count
from symcost.costs.dtypes import ASSUMED, BYTE, bits_of
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.reading.choices import Convention
from symcost.reading.given import checked_but
from symcost.reading.nearest import choose
from symcost.reading.numerals import fraction, short

Bits = int | Mapping[str, int]
Density = int | float | str | Fraction | Mapping[str, Any]


@checked_but("bits", "density")
def model_size(
    costs: CostTable, bits: Bits | None = None, density: Density = 1, convention: Convention = FULL
) -> Count:
    """Bytes of the parameters: the sum over layers of ``params * density * bits / 8``, exact.

    ``bits``: one width for all, or one per layer by its path (mixed precision; ``""`` is every other layer). Unless given,
    every parameter has the width of its own number type as traced; layers have no types and are taken as float32.
    ``density``: the share of weights that are not pruned, as a number (0.25 is exactly 1/4), or one per layer.
    ``convention``: ``full`` counts bias and norm, ``textbook`` weights alone.

    >>> from symcost.models import alexnet
    >>> model_size(alexnet(), convention="textbook"), model_size(alexnet(), bits=8, convention="textbook")
    (243818624, 60954656)
    >>> model_size(alexnet(), bits={"": 8, "fc6": 4}, density={"fc6": 0.25, "": 1}, convention="textbook")
    27924512
    >>> import flax.linen as nn, jax.numpy as jnp
    >>> import symcost as sc
    >>> model_size(sc.trace(nn.Dense(8, param_dtype=jnp.bfloat16), "bfloat16[n,16]"))
    272
    """
    shares = _Rates(density, "density", costs)
    sizes = ((rate * shares.of(path), params) for path, rate, params in param_bits(costs, bits, convention))
    return bytes_of(sizes)


@checked_but("bits")
def state_size(costs: CostTable, bits: Bits | None = None) -> Count:
    """Bytes of the state, what a model keeps between calls beside its parameters: moving averages, caches.

    ``bits`` as in :func:`model_size`.

    >>> from symcost.models import resnet50
    >>> state_size(resnet50()) == 4 * resnet50().state
    True
    """
    return bytes_of((rate, state) for _, rate, state in state_bits(costs, bits))


def trained_size(costs: CostTable, bits: Bits | None = None) -> Count:
    """Bytes of the parameters that are trained, as those of their gradients: all of them unless a model was traced with ``wrt``.

    ``bits`` as in :func:`model_size`.

    >>> import symcost as sc
    >>> trained_size(sc.table(sc.Linear(c_o=10), (1, 4)), bits=16)
    100
    """
    return bytes_of((rate, number) for _, rate, number in _sized(costs, bits, lambda row: row.under(FULL).trainable))


def param_bits(
    costs: CostTable, bits: Bits | None = None, convention: Convention = FULL
) -> Iterator[tuple[str, Fraction, Count]]:
    """(path, bits of one, number) of the parameters of every row that has some."""
    return _sized(costs, bits, lambda row: row.under(convention).params)


def state_bits(
    costs: CostTable, bits: Bits | None = None, written: bool | None = None
) -> Iterator[tuple[str, Fraction, Count]]:
    """(path, bits of one, number) of the state of every row that has some: what the program changes, or does not, or all."""
    return _sized(costs, bits, lambda row: row.under(FULL).state if written in (None, row.written) else 0)


def _sized(costs: CostTable, bits: Bits | None, count: Callable[[Row], Count]) -> Iterator[tuple[str, Fraction, Count]]:
    of = width_of(costs, bits)
    for row in costs.rows:
        number = count(row)
        if not (isinstance(number, int) and number == 0):
            yield row.path, of(row.path, row.dtype), number


def bytes_of(sizes: Iterable[tuple[Fraction, Count]]) -> Count:
    """The sum of numbers times bits in bytes; numbers of the same width are added first."""
    parts: dict[Fraction, list[Count]] = {}
    for rate, number in sizes:
        parts.setdefault(rate, []).append(number)
    total = sympy.Add(
        *(
            sympy.Rational(rate.numerator, rate.denominator * BYTE) * sympy.expand(sympy.Add(*numbers))
            for rate, numbers in parts.items()
        )
    )
    return int(total) if total.is_Integer else total


Width = Callable[[str, str], Fraction]
"""Bits of one number by the path of its layer and its number type."""


def width_of(costs: CostTable, bits: Bits | None) -> Width:
    """The width of numbers: as given by their paths, or of their own types, float32 where a table has none."""
    if bits is None:
        return lambda path, dtype: Fraction(bits_of(dtype or ASSUMED))
    rates = _Rates(bits, "bits", costs)
    return lambda path, dtype: rates.of(path)


class _Rates:
    """One exact number per path: the longest prefix that is given, or the one for all."""

    def __init__(self, given: Any, what: str, costs: CostTable) -> None:
        by_path = given if isinstance(given, Mapping) else {"": given}
        for path in by_path:
            if not isinstance(path, str):
                raise SymcostError(
                    f"{what} names the layer {short(path)}, which is no path: give a text such as 'head'"
                )
        self.what = what
        self.rates = {path: _exact(value, what, path) for path, value in by_path.items()}
        known = {row.path for row in costs.rows}
        for path in self.rates:
            if path and not any(other == path or other.startswith(path + "/") for other in known):
                hint = choose(path, sorted(known), start="the paths are")
                raise SymcostError(f"{what} names the layer {short(path)}, which is not there: {hint}")

    def of(self, path: str) -> Fraction:
        """The number of a layer."""
        around = [name for name in self.rates if not name or path == name or path.startswith(f"{name}/")]
        if around:
            return self.rates[max(around, key=len)]
        raise SymcostError(f'{self.what} says nothing of the layer {path!r}: add it, or "" for every other layer')


def _exact(value: Any, what: str, path: str) -> Fraction:
    where = f" of {path!r}" if path else ""
    try:
        rate = fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise SymcostError(f"{what}={short(value)}{where} is not a number: give one such as 8 or 0.25") from None
    if rate < 0 or (what == "density" and rate > 1) or (what == "bits" and (rate < 1 or rate.denominator != 1)):
        allowed = "an integer of at least 1" if what == "bits" else "between 0 and 1"
        raise SymcostError(f"{what}={short(value)}{where} must be {allowed}: give another")
    return rate
