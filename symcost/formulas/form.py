"""Closed forms while they are being built: exact polynomials over atoms, fast, turned into sympy at the end.

A form is a sum of ``coefficient * product(atom**exponent)`` kept as a dictionary of monomials, so that equal terms
merge at once (sympy's repeated ``+=`` is quadratic). Atoms (:mod:`symcost.formulas.atoms`) are symbols and functions
(floor, clog2, pow2, isqrt, ..., Max) of forms; exponents may be negative (``d/H``); coefficients are integers or
fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.atoms import (
    ATOMS,
    Atom,
    Mono,
    Number,
    atom_sympy,
    comparison,
    exact,
    intern,
    multiplied,
    names_of,
)
from symcost.formulas.symbols import Exact
from symcost.formulas.values import Evaluator, of_product, of_sum

MAX_SPLIT = 4
"""Comparisons in one form that split it: each doubles how many pieces it has."""


class Form:
    """An immutable polynomial over atoms with exact coefficients.

    >>> n, r = Form.symbol("n"), Form.symbol("r")
    >>> (n + 1) * r - r
    n*r
    """

    __slots__ = ("_hash", "_symbols", "_text", "_value", "terms")

    def __init__(self, terms: dict[Mono, Number]) -> None:
        self.terms = terms
        self._hash: int | None = None
        self._symbols: frozenset[str] | None = None
        self._text: str | None = None
        self._value: Evaluator | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process, where atoms have other numbers, a form is made again of what they are."""
        parts = [([(ATOMS[atom], power) for atom, power in mono], number) for mono, number in self.terms.items()]
        return _made_again, (parts,)

    @staticmethod
    @cache
    def symbol(name: str) -> Form:
        """The form of one symbol."""
        return Form({((intern(Atom("symbol", name)), 1),): 1})

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
        return Form({m: exact(c) for m, c in terms.items() if c})

    @property
    def number(self) -> Number | None:
        """The value of a constant form, nothing otherwise."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    @property
    def symbols(self) -> frozenset[str]:
        """Names of all symbols in it, inside functions too."""
        if self._symbols is None:
            self._symbols = frozenset(name for mono in self.terms for atom, _ in mono for name in names_of(atom))
        return self._symbols

    def floor_arguments(self) -> list[Form]:
        """What stands inside its floors, inner ones included."""
        arguments = []
        for atom in dict.fromkeys(atom for mono in self.terms for atom, _ in mono):
            for argument in ATOMS[atom].args:
                arguments += (
                    [argument, *argument.floor_arguments()]
                    if ATOMS[atom].kind == "floor"
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
            return Form({m: exact(c * other) for m, c in self.terms.items()}) if other else ZERO
        terms: dict[Mono, Number] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                mono = multiplied(left, right)
                terms[mono] = terms.get(mono, 0) + a * b
        return Form({m: exact(c) for m, c in terms.items() if c})

    __rmul__ = __mul__

    def __truediv__(self, other: FormLike) -> Form:
        divisor = as_form(other)
        if len(divisor.terms) != 1:
            raise ExpressionError(f"{self} cannot be divided by {divisor}: only one term may stand below")
        ((mono, coefficient),) = divisor.terms.items()
        return self * Form({tuple((a, -e) for a, e in mono): exact(Fraction(1) / coefficient)})

    def __floordiv__(self, other: FormLike) -> Form:
        return quotient(self, as_form(other))

    def __rfloordiv__(self, other: FormLike) -> Form:
        return quotient(as_form(other), self)

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
        if self._text is None:
            self._text = str(self.sympy())
        return self._text

    def value(self, at: Mapping[str, int]) -> Exact:
        """Exact value at integers."""
        if self._value is None:
            self._value = of_sum(self.terms)
        return self._value(at)

    @staticmethod
    def values(forms: Iterable[Form], at: Mapping[str, int]) -> list[Exact]:
        """Exact values of many forms at integers: each monomial once."""
        known: dict[Mono, Number] = {}
        numbers = []
        for form in forms:
            for mono in form.terms:
                if mono not in known:
                    known[mono] = of_product(mono)(at)
            numbers.append(exact(sum(c * known[m] for m, c in form.terms.items())))
        return numbers

    def sympy(self) -> sympy.Expr:
        """The same form as a sympy expression; a few comparisons become a Piecewise around it, many are factors."""
        decided = dict.fromkeys(a for mono in self.terms for a, _ in mono if ATOMS[a].kind == "where")
        if decided and len(decided) <= MAX_SPLIT:
            compared = next(iter(decided))
            there, elsewhere = (form.sympy() for form in self._where(compared))
            if _includes(compared, there, elsewhere):
                return there
            if _includes(compared, elsewhere, there, "=="):
                return elsewhere
            return sympy.Piecewise((there, comparison(compared)), (elsewhere, True))
        return sympy.Add(*(
            sympy.Mul(
                sympy.Rational(c.numerator, c.denominator) if isinstance(c, Fraction) else sympy.Integer(c),
                *(atom_sympy(a) if e == 1 else atom_sympy(a) ** e for a, e in mono),
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
        return Form({m: exact(c) for m, c in there.items() if c}), elsewhere

    def atoms(self) -> Iterator[tuple[Number, list[tuple[Atom, int]]]]:
        """Each term as its coefficient and its atoms with their exponents."""
        for mono, c in self.terms.items():
            yield c, [(ATOMS[a], e) for a, e in mono]

    @property
    def is_polynomial(self) -> bool:
        """Whether only symbols occur, no functions (exponents may be negative)."""
        return all(ATOMS[atom].kind == "symbol" for mono in self.terms for atom, _ in mono)

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


def _made_again(parts: list[tuple[list[tuple[Atom, int]], Number]]) -> Form:
    """A form from its atoms as they are, in the numbers that they have in this process."""
    return Form({tuple(sorted((intern(atom), power) for atom, power in mono)): number for mono, number in parts})


def as_form(value: FormLike) -> Form:
    """Numbers become constant forms; forms stay."""
    return value if isinstance(value, Form) else Form.constant(value)


BESIDE_ONE = {(">=", 2): ("!=", 1), (">", 1): ("!=", 1), ("<=", 1): ("==", 1), ("<", 2): ("==", 1)}
"""What comparisons of a symbol, a positive whole number, say of 1."""


def _includes(compared: int, usual: sympy.Expr, single: sympy.Expr, op: str = "!=") -> bool:
    """Whether what holds but at one value of a symbol, at 1 where it is at least 2, holds there too."""
    atom = ATOMS[compared]
    left, right = atom.args
    told, value = BESIDE_ONE.get((atom.name, right.number), (atom.name, right.number))
    alone = told == op and value is not None and {left} == {Form.symbol(name) for name in left.symbols}
    return alone and usual.subs(left.sympy(), value) == single


def of_atom(atom: Atom) -> Form:
    """A form of one atom."""
    return Form({((intern(atom), 1),): 1})


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


def quotient(above: Form, below: Form) -> Form:
    """``above//below``: what a sum divides without a rest comes out of the floor.

    >>> N, w = Form.symbol("N"), Form.symbol("w")
    >>> quotient(N + 2 * w, 2 * w + 1)
    floor((N - 1)/(2*w + 1)) + 1
    """
    if len(below.terms) < 2:
        return floor(above / below)
    lead = max(below.terms, key=lambda mono: (sum(e for _, e in mono), mono))
    if below.terms[lead] < 0:
        return quotient(-above, -below)
    whole, rest = ZERO, above
    for mono in list(above.terms):
        while mono in rest.terms and (part := _times(mono, rest.terms[mono], lead, below.terms[lead])) is not None:
            whole, rest = whole + part, rest - part * below
    if not rest.terms:
        return whole
    upwards = all(c < 0 for c in rest.terms.values()) and all(c > 0 for c in below.terms.values())
    if upwards and rest.is_integral and below.is_integral:
        return whole - quotient(below - 1 - rest, below)
    return whole + of_function("quotient", rest, below)


def _times(mono: Mono, count: Number, lead: Mono, by: Number) -> Form | None:
    """How often one term is in another, where that is a whole number whatever the sizes are."""
    times = Form({multiplied(mono, tuple((a, -e) for a, e in lead)): exact(Fraction(count) / by)})
    return times if times.is_integral else None


def _tightened(argument: Form) -> Form:
    """``x/2 + 5/6`` as ``x/2 + 1/2``: with integers ``x`` only the multiples of 1/2 below the constant matter."""
    constant = argument.terms.get((), 0)
    if not constant or any(e < 0 for mono in argument.terms for _, e in mono):
        return argument
    common = math.lcm(*(c.denominator for mono, c in argument.terms.items() if mono != ()))
    tight = exact(Fraction(math.floor(constant * common), common))
    return Form({**{m: c for m, c in argument.terms.items() if m != ()}, **({(): tight} if tight else {})})


def _merge_floors(argument: Form) -> Form | None:
    """``floor(u)/t + b/t`` with integers ``t`` and ``b``: the argument ``(u + b)/t`` of the equal single floor."""
    inner = [(m, c) for m, c in argument.terms.items() if len(m) == 1 and ATOMS[m[0][0]].kind == "floor"]
    if len(inner) != 1 or len(argument.terms) - 1 != (() in argument.terms):
        return None
    ((((atom, exponent),), c),) = inner
    shift = argument.terms.get((), 0) / Fraction(c)
    if exponent != 1 or Fraction(c).numerator != 1 or shift.denominator != 1:
        return None
    return (ATOMS[atom].args[0] + shift.numerator) * Fraction(c)
