"""What closed forms come to at integers. What computes a product or a sum is made once: the points are many."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from operator import itemgetter
from typing import Any

from symcost.formulas.atoms import ATOMS, Mono, Number, exact, multiplied
from symcost.formulas.binary.digits import log2
from symcost.formulas.binary.halves import odd_sum
from symcost.formulas.binary.powers import root, two_to
from symcost.formulas.relations import RELATIONS

Evaluator = Callable[[Mapping[str, int]], Any]
"""The exact value at integers, by the names of symbols."""


def of_sum(terms: Mapping[Mono, Number]) -> Evaluator:
    """Of a sum of products, each with its coefficient."""
    if not any(terms):
        number = exact(sum(terms.values()))
        return lambda at: number
    summed, below = _in_parts(terms)
    if below is None:
        return lambda at: exact(summed(at))

    def value(at: Mapping[str, int]) -> Number:
        above, divisor = summed(at), below(at)
        whole, rest = divmod(above, divisor)
        return exact(Fraction(above, divisor)) if rest else whole

    return value


@cache
def of_product(mono: Mono) -> Evaluator:
    """Of a product of powers of atoms."""
    factors = [_power(atom, exponent) for atom, exponent in mono]
    decided = [of_atom(atom) for atom, _ in mono if ATOMS[atom].kind == "where"]
    if decided:
        return _piece(factors, decided)
    if len(factors) == 1:
        return factors[0]
    return lambda at: math.prod([factor(at) for factor in factors])


def _piece(factors: list[Evaluator], decided: list[Evaluator]) -> Evaluator:
    """Of a piece for where comparisons hold: elsewhere it is 0, and need not have a value."""

    def value(at: Mapping[str, int]) -> Number:
        try:
            return math.prod([factor(at) for factor in factors])
        except (ArithmeticError, ValueError):
            if any(each(at) == 0 for each in decided):
                return 0
            raise

    return value


def _power(atom: int, exponent: int) -> Evaluator:
    base = of_atom(atom)
    if exponent == 1:
        return base
    return lambda at: (base(at) if exponent > 0 else Fraction(base(at))) ** exponent


def _in_parts(terms: Mapping[Mono, Number]) -> tuple[Evaluator, Evaluator | None]:
    """A sum in whole parts, and what they are to be divided by, if anything: integers are quicker than fractions."""
    common = math.lcm(*(c.denominator for c in terms.values()))
    divisor = _divisor(terms)
    parts = [(int(c * common), of_product(multiplied(mono, divisor))) for mono, c in terms.items()]

    def summed(at: Mapping[str, int]) -> Any:
        return sum([coefficient * product(at) for coefficient, product in parts])

    if not divisor:
        return summed, None if common == 1 else lambda at: common
    product = of_product(divisor)
    return summed, lambda at: common * product(at)


def _divisor(terms: Iterable[Mono]) -> Mono:
    """The product that no term has below the line any more when it is multiplied by it.

    There is none where a term is a piece: elsewhere it need not have a value.
    """
    if any(ATOMS[atom].kind == "where" for mono in terms for atom, _ in mono):
        return ()
    least: dict[int, int] = {}
    for mono in terms:
        for atom, exponent in mono:
            least[atom] = min(least.get(atom, 0), exponent)
    return tuple(sorted((atom, -exponent) for atom, exponent in least.items() if exponent < 0))


@cache
def of_atom(atom: int) -> Evaluator:
    """Of a symbol, or of a function of forms."""
    known = ATOMS[atom]
    if known.kind == "symbol":
        return itemgetter(known.name)
    values = [argument.value for argument in known.args]
    match known.kind:
        case "floor":
            summed, below = _in_parts(known.args[0].terms)
            return (lambda at: summed(at) // 1) if below is None else (lambda at: summed(at) // below(at))
        case "Max":
            return lambda at: max([value(at) for value in values])
        case "where":
            holds = RELATIONS[known.name][0]
            return lambda at: int(holds(values[0](at), values[1](at)))
        case "odd_halves" | "popcount":
            return lambda at: odd_sum(*(value(at) for value in values))
        case "quotient":
            return lambda at: values[0](at) // values[1](at)
        case "pow2":
            return lambda at: two_to(values[0](at))
        case "isqrt":
            return lambda at: root(values[0](at))
    up = known.kind == "clog2"
    return lambda at: log2(values[0](at), up=up)
