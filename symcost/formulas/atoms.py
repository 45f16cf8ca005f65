"""What closed forms are made of: symbols and functions of forms, and products of their powers.

An atom's arguments are forms (:class:`symcost.formulas.form.Form`), which are built on this: nothing here makes one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from symcost.formulas.binary.digits import clog2, flog2, log2
from symcost.formulas.binary.halves import SUMS, odd_sum
from symcost.formulas.binary.powers import isqrt, pow2, root, two_to
from symcost.formulas.relations import RELATIONS
from symcost.formulas.symbols import Exact, symbol

Mono = tuple[tuple[int, int], ...]
"""A product of powers: numbers of atoms with exponents."""
Number = int | Fraction


@dataclass(frozen=True)
class Atom:
    """A symbol (kind "symbol") or a function of forms: a floor, a Max, of digits; "where" is 1 or 0 by a comparison."""

    kind: str
    name: str
    args: tuple[Any, ...] = ()


ATOMS: list[Atom] = []
"""All that there are, by number."""
_IDS: dict[Atom, int] = {}


def intern(atom: Atom) -> int:
    """The number of an atom: equal ones have one."""
    number = _IDS.get(atom)
    if number is None:
        number = _IDS[atom] = len(ATOMS)
        ATOMS.append(atom)
    return number


def exact(value: Number) -> Number:
    """A number, as an integer where it is one."""
    return value if type(value) is int or value.denominator != 1 else value.numerator


@cache
def multiplied(left: Mono, right: Mono) -> Mono:
    """The product of two."""
    exponents = dict(left)
    for atom, exponent in right:
        exponents[atom] = exponents.get(atom, 0) + exponent
    return tuple(sorted((a, e) for a, e in exponents.items() if e))


@cache
def names_of(atom: int) -> frozenset[str]:
    """Names of the symbols in an atom."""
    known = ATOMS[atom]
    if known.kind == "symbol":
        return frozenset({known.name})
    return frozenset(name for arg in known.args for name in arg.symbols)


def mono_value(mono: Mono, at: Mapping[str, int]) -> Number:
    """Its exact value at integers."""
    try:
        return _product(mono, at)
    except (ArithmeticError, ValueError):
        if any(ATOMS[atom].kind == "where" and _atom_value(atom, at) == 0 for atom, _ in mono):
            return 0  # of a piece for elsewhere: it need not have a value here
        raise


def _product(mono: Mono, at: Mapping[str, int]) -> Number:
    value: Number = 1
    for atom, exponent in mono:
        base = _atom_value(atom, at)
        value = value * base**exponent if exponent > 0 else value / Fraction(base) ** -exponent
    return value


def _atom_value(atom: int, at: Mapping[str, int]) -> Exact:
    known = ATOMS[atom]
    match known.kind:
        case "symbol":
            return at[known.name]
        case "floor":
            common, terms = _in_parts(atom)
            return sum(parts * mono_value(mono, at) for mono, parts in terms) // common
        case "Max":
            return max(a.value(at) for a in known.args)
        case "where":
            return int(RELATIONS[known.name][0](*(a.value(at) for a in known.args)))
        case "odd_halves" | "popcount":
            return odd_sum(*(argument.value(at) for argument in known.args))
        case "quotient":
            return known.args[0].value(at) // known.args[1].value(at)
        case "pow2" | "isqrt":
            return (two_to if known.kind == "pow2" else root)(known.args[0].value(at))
    return log2(known.args[0].value(at), up=known.kind == "clog2")


@cache
def _in_parts(atom: int) -> tuple[int, tuple[tuple[Mono, int], ...]]:
    """The argument of a floor in whole parts of a common denominator: integers are quicker than fractions."""
    terms = ATOMS[atom].args[0].terms
    common = math.lcm(*(c.denominator for c in terms.values()))
    return common, tuple((mono, int(c * common)) for mono, c in terms.items())


@cache
def atom_sympy(atom: int) -> sympy.Expr:
    """An atom as sympy has it."""
    known = ATOMS[atom]
    match known.kind:
        case "symbol":
            return symbol(known.name)
        case "Max":
            return sympy.Max(*(a.sympy() for a in known.args), evaluate=False)
        case "where":
            return sympy.Piecewise((1, comparison(atom)), (0, True))
        case "quotient":
            return sympy.floor(known.args[0].sympy() / known.args[1].sympy())
    if known.kind == "floor" and (above := _as_ceiling(known.args[0])) is not None:
        return sympy.ceiling(above.sympy())
    if known.kind == "floor" and all(c < 0 for c in known.args[0].terms.values()):
        return -sympy.ceiling((-known.args[0]).sympy())
    function: dict[str, Any] = {"floor": sympy.floor, "clog2": clog2, "flog2": flog2, "pow2": pow2, "isqrt": isqrt,
                                **SUMS}  # fmt: skip
    return function[known.kind](*(argument.sympy() for argument in known.args))


def comparison(atom: int) -> Any:
    """The comparison of an atom as sympy's."""
    known = ATOMS[atom]
    return RELATIONS[known.name][1](*(argument.sympy() for argument in known.args))


def _as_ceiling(argument: Any) -> Any:
    """``x/s`` if the argument is ``x/s + (s - 1)/s`` with an integer ``x``: its floor reads better as a ceiling."""
    constant = argument.terms.get((), 0)
    if not constant or any(e < 0 for mono in argument.terms for _, e in mono):
        return None
    common = math.lcm(*(c.denominator for c in argument.terms.values()))
    return argument - constant if constant == Fraction(common - 1, common) else None
