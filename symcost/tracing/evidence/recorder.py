"""What is kept while a program runs with symbolic sizes: each decision at the base point, as a condition."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from types import FrameType
from typing import Any

import jax.export
from jax._src.export import shape_poly

from symcost.errors import TraceError
from symcost.formulas.form import Form, as_form
from symcost.formulas.functions import positive_part
from symcost.tracing.evidence.floats.formula import FEW, FUNCTIONS, Formula
from symcost.tracing.evidence.guard import OPERATORS, OPPOSITE, Guard, Pin, Place, Rounding, guard
from symcost.tracing.evidence.normal import TURNED
from symcost.tracing.evidence.places import asking, by_model, for_jax, initialises, place

DIMENSION = shape_poly._DimExpr
"""The class of a symbolic size; the numbers beside it are plain ones."""


FEW_REMAINDERS = 16
"""Of a remainder by a larger number each value is a domain too small to be of use."""
INFINITE = Formula("number", (float("inf"),))
"""What a search for the smallest begins with: every size is less."""


class GaveUp(TraceError):
    """The recording took longer than it may."""


class Recorder:
    """Sizes that are symbols, their values at the base point, and what was decided by them."""

    def __init__(self, base: Mapping[str, int], seconds: float) -> None:
        self.scope = jax.export.SymbolicScope()
        self.values = dict(base)  # of the symbols, and of the roundings that stand for new ones
        self.names = frozenset(base)
        self.guards: dict[Guard, Guard] = {}
        self.pins: dict[Pin, None] = {}
        self.texts: dict[tuple[Pin, Place, bool], Pin] = {}  # made text of, or looked up by: each place of it
        self.roundings: dict[Rounding, None] = {}
        self.unshadowed: set[str] = set()  # modules in which a float became a plain whole number
        self.thread = threading.get_ident()
        self.gave_up = False
        self.seconds, self.deadline = seconds, time.thread_time() + seconds
        self.floats: dict[
            tuple[Any, ...], tuple[Any, tuple[Any, ...]]
        ] = {}  # by operation and operands, which they keep
        self.counted = 0  # floats that were made
        self.tabled: set[tuple[Any, int, frozenset[str]]] = set()  # lines whose sizes are plain in so many floats
        self._forms: dict[Any, Form] = {}
        self._sizes: dict[Form, Any] = {}
        self._atoms: dict[tuple[str, Formula], Any] = {}

    def dimension(self, name: str) -> Any:
        """The size of that name."""
        return DIMENSION._from_var(name, self.scope)

    def owns(self, size: Any) -> bool:
        """Whether it is one of these sizes, asked in the thread that records."""
        return isinstance(size, DIMENSION) and size.scope is self.scope and threading.get_ident() == self.thread

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.thread_time() > self.deadline

    @property
    def too_long(self) -> str:
        """Why it was given up."""
        return f"recording what the program decides took more than {self.seconds:g} s"

    def go_on(self) -> None:
        """Give up where the time is over."""
        if self.late:
            self.gave_up = True
            raise GaveUp(self.too_long)

    # -- forms ---------------------------------------------------------------------------------------------------
    def form(self, size: Any) -> Form:
        """A size as a form."""
        if not isinstance(size, DIMENSION):
            return Form.constant(int(size))
        found = self._forms.get(size)
        if found is None:
            found = self._forms[size] = Form.total(self._term(term) * count for term, count in size._sorted_terms)
            self._sizes.setdefault(found, size)
        return found

    def size(self, form: Any) -> Any:
        """The size that a form was made of, whole numbers as they are; nothing for anything else."""
        return form if type(form) is int else self._sizes.get(form) if isinstance(form, Form) else None

    def _term(self, term: Any) -> Form:
        product = Form.constant(1)
        for factor, exponent in term._factors:
            product = product * self._factor(factor) ** exponent
        return product

    def _factor(self, factor: Any) -> Form:
        if factor.var is not None:
            return Form.symbol(factor.var)
        left, right = map(self.form, factor.operands)
        match factor.operation:
            case "floordiv":
                return self._quotient(left, right)
            case "mod":
                return left - right * self._quotient(left, right)
            case "max":
                return right + positive_part(left - right)
            case "min":
                return left - positive_part(left - right)
        raise TraceError(f"jax has an operation {factor.operation!r} on sizes that symcost does not know")

    def _quotient(self, left: Form, right: Form) -> Form:
        if left.terms and all(c < 0 for c in left.terms.values()):  # upwards, of what is positive
            return -((right - 1 - left) // right)
        return left // right

    def _few(self, size: Any) -> bool:
        """Whether a size is a remainder by a small number."""
        terms = size._sorted_terms
        factors = terms[0][0]._factors if len(terms) == 1 else ()
        if len(factors) != 1 or factors[0][1] != 1 or factors[0][0].operation != "mod":
            return False
        by = self.form(factors[0][0].operands[1]).number
        return isinstance(by, int) and 0 < by <= FEW_REMAINDERS

    def reduced(self, size: Any, modulus: Any) -> Any:
        """A smaller size of the same remainder by ``modulus``: ``64 - N % 64`` is ``-N`` beside multiples of 64."""
        divisor = self.form(modulus)
        for term, count in size._sorted_terms if positive(divisor) else ():
            factor, exponent = term._factors[0] if len(term._factors) == 1 else (None, 0)
            if (self._term(term) * count / divisor).is_integral:
                size = size - DIMENSION._from_term(term, count, self.scope)
            elif factor is not None and exponent == 1 and factor.var is None and factor.operation == "mod":
                inner, by = factor.operands
                if (self.form(by) / divisor).is_integral:
                    size = size + count * (inner - DIMENSION._from_term(term, 1, self.scope))
        return size

    def value(self, size: Any) -> Any:
        """The value at the base point of a size, a formula or a number."""
        if isinstance(size, DIMENSION):
            return self.form(size).value(self.values)
        return size.value(self.values) if hasattr(size, "value") else size

    def atom(self, function: str, formula: Formula, frame: FrameType | None = None) -> Any:
        """A size that stands for a whole number made of a formula."""
        known = self._atoms.get((function, formula))
        if known is None:
            number = len(self._atoms) + 1
            name = next(n for n in (f"whole_{number}" + "_" * k for k in range(99)) if n not in self.names)
            made = Rounding(function, formula, FUNCTIONS[function], name, place(frame or sys._getframe(1)))
            self.roundings[made] = None
            self.values[name] = made.value(self.values)
            known = self._atoms[function, formula] = self.dimension(name)
        return known

    def rounded(self, function: str, formula: Formula, frame: FrameType | None) -> int:
        """A plain whole number made of a formula: what is done with it is not seen, and may be anything in the model."""
        made = Rounding(function, formula, FUNCTIONS[function], "", place(frame))
        if not initialises(frame):
            self.roundings.setdefault(made)
            if (asker := asking(frame)) is not None:
                self.unshadowed.add(asker.f_globals.get("__name__", ""))
                self.pin(Formula(function, (formula,)), asker, text=True)
        return made.value(self.values)

    # -- decisions -----------------------------------------------------------------------------------------------
    def decide(self, left: Any, op: str, right: Any, frame: FrameType | None) -> bool:
        """Whether ``left op right`` at the base point, written down as the condition that was true."""
        self.go_on()
        sides = self.side(left), self.side(right)
        result = OPERATORS[op](*map(self.value, sides))
        self.note(sides[0], op if result else OPPOSITE[op], sides[1], frame)
        return result

    def side(self, value: Any) -> Form | Formula:
        """What is compared, as a form or a formula."""
        if isinstance(value, Form | Formula):
            return value
        if isinstance(value, DIMENSION):
            return self.form(value)
        carried = getattr(value, "formula", None)
        if isinstance(carried, Formula):
            whole = carried.args[0] if carried.operation == "number" else None
            return whole if isinstance(whole, Form) else carried  # a float of a size is that size
        whole = isinstance(value, int) or (value == value and abs(value) != float("inf") and value == int(value))
        return Form.constant(int(value)) if whole else Formula("number", (float(value),))

    def note(self, left: Form | Formula, op: str, right: Form | Formula, frame: FrameType | None) -> None:
        """Write a condition down that holds at the base point."""
        if not (left.symbols or right.symbols) or INFINITE in (left, right):
            return
        compared = _of_integers(left, op, right)
        if compared is None or not (left.symbols | right.symbols) <= self.names:  # a rounding may be 0, or less
            made = None if left == right else Guard(left, op, right)
        else:
            made = guard(*compared)
        if made is None or initialises(frame):
            return
        asked, of_sizes = by_model(frame), bool(left.symbols and right.symbols) and op not in ("==", "!=")
        known = self.guards.get(made)
        if known is None or (asked and not known.by_model) or (of_sizes and not known.of_sizes):
            told = known if known and known.by_model else replace(made, place=place(frame), by_model=asked)
            self.guards.pop(made, None)  # the model's own question says more than a library's
            kept = replace(told, of_sizes=of_sizes or bool(known and known.of_sizes))
            self.guards[kept] = kept

    def pin(
        self, value: Any, frame: FrameType | None, text: bool = False, key: bool = False, of_array: bool = False
    ) -> Any:
        """The value of a size or formula that the program goes on with as a plain number, or as a ``text`` or a ``key``.

        A remainder by a small number, ``kinds[d % 3]``, is decided instead: wherever it is the same one, all that is made of
        it is the same.
        """
        side = self.side(value)
        if text and isinstance(value, DIMENSION) and self._few(value):
            self.decide(value, "==", self.value(side), frame)
        elif side.symbols and not initialises(frame):
            made = Pin(side, place(frame), for_jax(frame), key, of_array)
            if not made.by_jax:
                self.pins.pop(made, None)  # what jax did with it too is less
            if not key:
                self.pins.setdefault(made)
            if text or key:
                self.texts.setdefault((made, made.place, key), made)
        return self.value(side)


def _of_integers(left: Form | Formula, op: str, right: Form | Formula) -> tuple[Form, str, Form] | None:
    """A comparison as one of integers, where it is one: a quotient of sizes compared with a whole number is.

    A float quotient of integers below 2**53 is correctly rounded, and is a whole number only where the quotient is.
    """
    if isinstance(left, Form) and isinstance(right, Form):
        return left, op, right
    if isinstance(left, Formula) and left.operation == "number" and isinstance(right, Form):
        left, op, right = right, TURNED[op], left
    number = right.number if isinstance(right, Form) else right.args[0] if right.operation == "number" else None
    if isinstance(left, Form) and left.is_integral and isinstance(number, float) and math.isfinite(number):
        if op in ("==", "!="):  # it is no whole number, or would be a form
            return Form.constant(1), "!=", Form.constant(0)
        return left, op, Form.constant(math.floor(number) if op in (">", "<=") else math.ceil(number))
    if isinstance(left, Formula) and left.operation == "/" and isinstance(number, int | float | Fraction):
        above, below = left.args
        exact = Fraction(number) if math.isfinite(number) else None
        if exact is not None and exact.denominator <= FEW and all(isinstance(arg, Form | int) for arg in left.args):
            return (as_form(above), op, as_form(below) * exact) if positive(below) else None
    return None


def positive(form: Form | int) -> bool:
    """Whether a divisor is a product of sizes."""
    if isinstance(form, int):
        return form > 0
    return form.is_polynomial and len(form.terms) == 1 and all(c > 0 for c in form.terms.values())
