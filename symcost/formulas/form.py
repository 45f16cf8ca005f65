"""Closed forms while they are being built: exact polynomials over atoms, fast, turned into sympy at the end.

A form is a sum of ``coefficient * product(atom**exponent)`` kept as a dictionary of monomials, so that equal terms
merge at once (sympy's repeated ``+=`` is quadratic). Atoms are symbols and functions (floor, clog2, flog2,
popcount, ..., Max) of
forms; exponents may be negative (``d/H``); coefficients are integers or fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import clog2, flog2, log2
from symcost.formulas.binary.halves import SUMS, odd_sum
from symcost.formulas.relations import RELATIONS
from symcost.formulas.symbols import Exact, symbol

Mono = tuple[tuple[int, int], ...]
Number = int | Fraction
MAX_SPLIT = 4
"""Comparisons in one form that split it: each doubles how many pieces it has."""


@dataclass(frozen=True)
class Atom:
    """A symbol (kind "symbol") or a function of forms: floor, Max, of binary digits; "where" is 1 or 0 by a comparison."""

    kind: str
    name: str
    args: tuple[Form, ...] = ()


_ATOMS: list[Atom] = []
_IDS: dict[Atom, int] = {}


def _intern(atom: Atom) -> int:
    number = _IDS.get(atom)
    if number is None:
        number = _IDS[atom] = len(_ATOMS)
        _ATOMS.append(atom)
    return number


def _exact(value: Number) -> Number:
    return value if type(value) is int or value.denominator != 1 else value.numerator


class Form:
    """An immutable polynomial over atoms with exact coefficients.

    >>> n, r = Form.symbol("n"), Form.symbol("r")
    >>> (n + 1) * r - r
    n*r
    """

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: dict[Mono, Number]) -> None:
        self.terms = terms
        self._hash: int | None = None

    @staticmethod
    @cache
    def symbol(name: str) -> Form:
        """The form of one symbol."""
        return Form({((_intern(Atom("symbol", name)), 1),): 1})

    @staticmethod
    def constant(value: Number) -> Form:
        """The form of a number."""
        return Form({(): value} if value else {})

    @staticmethod
    def total(parts: Iterable[FormLike]) -> Form:
        """Sum of many forms, merged in one pass."""
        terms: dict[Mono, Number] = {}
        for part in parts:
            for mono, coefficient in as_form(part).terms.items():
                terms[mono] = terms.get(mono, 0) + coefficient
        return Form({m: _exact(c) for m, c in terms.items() if c})

    @property
    def number(self) -> Number | None:
        """The value of a constant form, nothing otherwise."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    @property
    def symbols(self) -> frozenset[str]:
        """Names of all symbols in it, inside functions too."""
        return frozenset(name for mono in self.terms for atom, _ in mono for name in _names(atom))

    def floor_arguments(self) -> list[Form]:
        """What stands inside its floors, inner ones included."""
        arguments = []
        for atom in dict.fromkeys(atom for mono in self.terms for atom, _ in mono):
            for argument in _ATOMS[atom].args:
                arguments += (
                    [argument, *argument.floor_arguments()]
                    if _ATOMS[atom].kind == "floor"
                    else argument.floor_arguments()
                )
        return arguments

    def __add__(self, other: FormLike) -> Form:
        return Form.total((self, other))

    __radd__ = __add__

    def __neg__(self) -> Form:
        return Form({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: FormLike) -> Form:
        return self + -as_form(other)

    def __rsub__(self, other: FormLike) -> Form:
        return as_form(other) + -self

    def __mul__(self, other: FormLike) -> Form:
        if not isinstance(other, Form):
            return Form({m: _exact(c * other) for m, c in self.terms.items()}) if other else ZERO
        terms: dict[Mono, Number] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                mono = _multiply(left, right)
                terms[mono] = terms.get(mono, 0) + a * b
        return Form({m: _exact(c) for m, c in terms.items() if c})

    __rmul__ = __mul__

    def __truediv__(self, other: FormLike) -> Form:
        divisor = as_form(other)
        if len(divisor.terms) != 1:
            raise ExpressionError(f"{self} cannot be divided by {divisor}: only one term may stand below")
        ((mono, coefficient),) = divisor.terms.items()
        return self * Form({tuple((a, -e) for a, e in mono): _exact(Fraction(1) / coefficient)})

    def __floordiv__(self, other: FormLike) -> Form:
        return floor(self / other)

    def __rfloordiv__(self, other: FormLike) -> Form:
        return floor(as_form(other) / self)

    def __pow__(self, exponent: int) -> Form:
        if exponent < 0:
            return ONE / self**-exponent
        result = ONE
        for _ in range(exponent):
            result = result * self
        return result

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Form):
            return self.terms == other.terms
        return isinstance(other, int | Fraction) and self.terms == Form.constant(other).terms

    def __hash__(self) -> int:
        if self._hash is None:
            number = self.number
            self._hash = hash(frozenset(self.terms.items())) if number is None else hash(number)
        return self._hash

    def __repr__(self) -> str:
        return str(self.sympy())

    def value(self, at: Mapping[str, int]) -> Exact:
        """Exact value at integers."""
        return _exact(sum(coefficient * _mono_value(mono, at) for mono, coefficient in self.terms.items()))

    @staticmethod
    def values(forms: Iterable[Form], at: Mapping[str, int]) -> list[Exact]:
        """Exact values of many forms at integers: each monomial once."""
        known: dict[Mono, Number] = {}
        numbers = []
        for form in forms:
            for mono in form.terms:
                if mono not in known:
                    known[mono] = _mono_value(mono, at)
            numbers.append(_exact(sum(c * known[m] for m, c in form.terms.items())))
        return numbers

    def sympy(self) -> sympy.Expr:
        """The same form as a sympy expression; a few comparisons become a Piecewise around it, many are factors."""
        decided = dict.fromkeys(a for mono in self.terms for a, _ in mono if _ATOMS[a].kind == "where")
        if decided and len(decided) <= MAX_SPLIT:
            compared = next(iter(decided))
            there, elsewhere = (form.sympy() for form in self._where(compared))
            if _includes(compared, there, elsewhere):
                return there
            if _includes(compared, elsewhere, there, "=="):
                return elsewhere
            return sympy.Piecewise((there, _condition(compared)), (elsewhere, True))
        return sympy.Add(*(
            sympy.Mul(
                sympy.Rational(c.numerator, c.denominator) if isinstance(c, Fraction) else sympy.Integer(c),
                *(_atom_sympy(a) if e == 1 else _atom_sympy(a) ** e for a, e in mono),
            )
            for mono, c in self.terms.items()
        ))  # fmt: skip

    def _where(self, compared: int) -> tuple[Form, Form]:
        """The form where a comparison holds, and elsewhere."""
        there: dict[Mono, Number] = {}
        for mono, c in self.terms.items():
            rest = tuple((a, e) for a, e in mono if a != compared)
            there[rest] = there.get(rest, 0) + c
        elsewhere = Form({m: c for m, c in self.terms.items() if all(a != compared for a, _ in m)})
        return Form({m: _exact(c) for m, c in there.items() if c}), elsewhere

    def atoms(self) -> Iterator[tuple[Number, list[tuple[Atom, int]]]]:
        """Each term as its coefficient and its atoms with their exponents."""
        for mono, c in self.terms.items():
            yield c, [(_ATOMS[a], e) for a, e in mono]

    @property
    def is_polynomial(self) -> bool:
        """Whether only symbols occur, no functions (exponents may be negative)."""
        return all(_ATOMS[atom].kind == "symbol" for mono in self.terms for atom, _ in mono)

    @property
    def is_integral(self) -> bool:
        """Whether the form is an integer wherever its symbols are: integer coefficients, nothing below."""
        return all(isinstance(c, int) and all(e > 0 for _, e in m) for m, c in self.terms.items())

    def split_integral(self) -> tuple[Form, Form]:
        """The part that is integral term by term, and the rest; a constant keeps its fraction in the rest."""
        whole: dict[Mono, Number] = {}
        rest: dict[Mono, Number] = {}
        for mono, c in self.terms.items():
            if any(e < 0 for _, e in mono):
                rest[mono] = c
                continue
            if c.denominator == 1:
                whole[mono] = c
            elif mono == ():
                down = math.floor(c)
                whole[mono], rest[mono] = down, c - down
            else:
                rest[mono] = c
        return Form({m: c for m, c in whole.items() if c}), Form(rest)


FormLike = Form | int | Fraction
ZERO = Form({})
ONE = Form({(): 1})


def as_form(value: FormLike) -> Form:
    """Numbers become constant forms; forms stay."""
    return value if isinstance(value, Form) else Form.constant(value)


@cache
def _multiply(left: Mono, right: Mono) -> Mono:
    exponents = dict(left)
    for atom, exponent in right:
        exponents[atom] = exponents.get(atom, 0) + exponent
    return tuple(sorted((a, e) for a, e in exponents.items() if e))


@cache
def _names(atom: int) -> frozenset[str]:
    known = _ATOMS[atom]
    if known.kind == "symbol":
        return frozenset({known.name})
    return frozenset(name for arg in known.args for name in arg.symbols)


@cache
def _atom_sympy(atom: int) -> sympy.Expr:
    known = _ATOMS[atom]
    match known.kind:
        case "symbol":
            return symbol(known.name)
        case "Max":
            return sympy.Max(*(a.sympy() for a in known.args), evaluate=False)
        case "where":
            return sympy.Piecewise((1, _condition(atom)), (0, True))
    if known.kind == "floor" and (above := _as_ceiling(known.args[0])) is not None:
        return sympy.ceiling(above.sympy())
    if known.kind == "floor" and all(c < 0 for c in known.args[0].terms.values()):
        return -sympy.ceiling((-known.args[0]).sympy())
    function: dict[str, Any] = {"floor": sympy.floor, "clog2": clog2, "flog2": flog2, **SUMS}
    return function[known.kind](*(argument.sympy() for argument in known.args))


def _includes(compared: int, usual: sympy.Expr, single: sympy.Expr, op: str = "!=") -> bool:
    """Whether what holds but at one value of a symbol holds there too."""
    atom = _ATOMS[compared]
    left, right = atom.args
    alone = atom.name == op and right.number is not None and {left} == {Form.symbol(name) for name in left.symbols}
    return alone and usual.subs(left.sympy(), right.sympy()) == single


def _condition(atom: int) -> Any:
    """The comparison of an atom as sympy's."""
    known = _ATOMS[atom]
    return RELATIONS[known.name][1](*(argument.sympy() for argument in known.args))


def _as_ceiling(argument: Form) -> Form | None:
    """``x/s`` if the argument is ``x/s + (s - 1)/s`` with an integer ``x``: its floor reads better as a ceiling."""
    constant = argument.terms.get((), 0)
    if not constant or any(e < 0 for mono in argument.terms for _, e in mono):
        return None
    common = math.lcm(*(c.denominator for c in argument.terms.values()))
    return argument - constant if constant == Fraction(common - 1, common) else None


def _mono_value(mono: Mono, at: Mapping[str, int]) -> Number:
    try:
        return _product(mono, at)
    except (ArithmeticError, ValueError):
        if any(_ATOMS[atom].kind == "where" and _atom_value(atom, at) == 0 for atom, _ in mono):
            return 0  # of a piece for elsewhere: it need not have a value here
        raise


def _product(mono: Mono, at: Mapping[str, int]) -> Number:
    value: Number = 1
    for atom, exponent in mono:
        base = _atom_value(atom, at)
        value = value * base**exponent if exponent > 0 else value / Fraction(base) ** -exponent
    return value


def _atom_value(atom: int, at: Mapping[str, int]) -> Exact:
    known = _ATOMS[atom]
    match known.kind:
        case "symbol":
            return at[known.name]
        case "floor":
            return math.floor(known.args[0].value(at))
        case "Max":
            return max(a.value(at) for a in known.args)
        case "where":
            return int(RELATIONS[known.name][0](*(a.value(at) for a in known.args)))
        case "odd_halves" | "popcount":
            return odd_sum(*(argument.value(at) for argument in known.args))
    return log2(known.args[0].value(at), up=known.kind == "clog2")


def of_atom(atom: Atom) -> Form:
    """A form of one atom."""
    return Form({((_intern(atom), 1),): 1})


def of_function(kind: str, *args: Form) -> Form:
    """A function of forms as one atom."""
    return of_atom(Atom(kind, kind, args))


def floor(argument: FormLike) -> Form:
    """``floor`` of a form: integral terms come out, and a floor of a floor over an integer becomes one floor.

    >>> r = Form.symbol("r")
    >>> floor(floor((r + 1) / 2) / 2 + Fraction(1, 2))
    ceiling(r/4)
    """
    whole, rest = as_form(argument).split_integral()
    if not rest.terms:
        return whole
    number = rest.number
    if number is not None:
        return whole + math.floor(number)
    rest = _tightened(rest)
    merged = _merge_floors(rest)
    return whole + (floor(merged) if merged is not None else of_function("floor", rest))


def _tightened(argument: Form) -> Form:
    """``x/2 + 5/6`` as ``x/2 + 1/2``: with integers ``x`` only the multiples of 1/2 below the constant matter."""
    constant = argument.terms.get((), 0)
    if not constant or any(e < 0 for mono in argument.terms for _, e in mono):
        return argument
    common = math.lcm(*(c.denominator for mono, c in argument.terms.items() if mono != ()))
    tight = _exact(Fraction(math.floor(constant * common), common))
    return Form({**{m: c for m, c in argument.terms.items() if m != ()}, **({(): tight} if tight else {})})


def _merge_floors(argument: Form) -> Form | None:
    """``floor(u)/t + b/t`` with integers ``t`` and ``b``: the argument ``(u + b)/t`` of the equal single floor."""
    inner = [(m, c) for m, c in argument.terms.items() if len(m) == 1 and _ATOMS[m[0][0]].kind == "floor"]
    if len(inner) != 1 or len(argument.terms) - 1 != (() in argument.terms):
        return None
    ((((atom, exponent),), c),) = inner
    shift = argument.terms.get((), 0) / Fraction(c)
    if exponent != 1 or Fraction(c).numerator != 1 or shift.denominator != 1:
        return None
    return (_ATOMS[atom].args[0] + shift.numerator) * Fraction(c)
