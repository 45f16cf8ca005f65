"""What closed forms are made of: symbols and functions of forms, and products of their powers.

An atom's arguments are forms (:class:`symcost.formulas.form.Form`), which are built on this: nothing here makes one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from symcost.formulas.binary.digits import clog2, flog2
from symcost.formulas.binary.halves import SUMS
from symcost.formulas.binary.powers import isqrt, pow2
from symcost.formulas.relations import RELATIONS
from symcost.formulas.symbols import symbol

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
