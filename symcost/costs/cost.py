"""What a layer costs: a handful of numbers that add, and the conventions under which they are counted.

Three conventions, one word each, printed beside every number:

- ``textbook``: MACs of linear layers, convolutions, matrix and attention products, padding counted; bias, norm and
  activation functions ignored, in the parameters too; ``FLOPs = 2 MACs``.
- ``full``: two FLOPs per MAC and every elementwise and reduction operation of the program; transcendentals and
  integer operations apart; loops times their trips.
- ``xla``: what XLA's HloCostAnalysis reports for the unoptimised program: products with padding trimmed from
  convolutions, integer operations among the FLOPs, loop bodies once, the larger branch of a conditional.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import partial
from typing import Any, Final, TypeAlias, cast

import sympy

from symcost.formulas.form import Form
from symcost.formulas.measures import BYTES, ELEMENTS, OPERATIONS, Unit
from symcost.reading.choices import CONVENTIONS, Convention
from symcost.reading.nearest import one_of

TEXTBOOK: Final = "textbook"
FULL: Final = "full"
XLA: Final = "xla"

Count: TypeAlias = int | sympy.Expr
"""An exact integer, or a sympy expression in the model's symbols: ``4*c*n``, or a quotient that is no integer at all sizes."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Additive cost of a layer or a model.

    ``params``: parameters (elements), of which ``frozen`` are not trained and ``inactive`` take no part in the cost of one
    token (experts that it is not sent to); ``state``: elements that a model keeps between calls beside them and may change
    (moving averages, caches); ``macs``: multiply-accumulates, padding included; ``flops``: floating-point
    operations in total, the two of every MAC included; ``transcendentals``: exp, log, tanh, ...; ``int_ops``: integer
    and boolean operations; ``activations``: elements of results; ``padding_macs``: the MACs that multiply padding;
    ``bytes_read`` and ``bytes_written``: operands and results without any fusion.

    >>> 2 * Cost(macs=3, flops=6) + Cost(params=1)
    Cost(params=1, macs=6, flops=12)
    """

    params: Count = 0
    frozen: Count = 0
    inactive: Count = 0
    state: Count = 0
    macs: Count = 0
    flops: Count = 0
    transcendentals: Count = 0
    int_ops: Count = 0
    activations: Count = 0
    padding_macs: Count = 0
    bytes_read: Count = 0
    bytes_written: Count = 0

    @classmethod
    def of_forms(cls, **numbers: int | Fraction | Form) -> Cost:
        """A cost while it is derived, whose numbers are forms: :meth:`map` makes sympy's expressions of them.

        >>> Cost.of_forms(macs=2 * Form.symbol("n")).map(lambda number: number.sympy())
        Cost(macs=2*n)
        """
        return cls(**cast(dict[str, Count], numbers))

    @property
    def trainable(self) -> Count:
        """Parameters that are trained: all but the frozen ones."""
        return self.params - self.frozen

    @property
    def active_params(self) -> Count:
        """Parameters that one token uses: all but the inactive ones."""
        return self.params - self.inactive

    @property
    def ops(self) -> Count:
        """Operations as the lectures count them: two for each MAC, nothing else."""
        return 2 * self.macs

    def __add__(self, other: Cost) -> Cost:
        return Cost(**{name: getattr(self, name) + getattr(other, name) for name in METRICS})

    def __mul__(self, times: Count) -> Cost:
        return self.map(lambda value: value * times)

    __rmul__ = __mul__

    def map(self, function: Callable[[Count], Count]) -> Cost:
        """The cost with ``function`` applied to every number that is not plainly 0."""
        return Cost(**{n: v if isinstance(v := getattr(self, n), int) and v == 0 else function(v) for n in METRICS})

    def items(self) -> Iterable[tuple[str, Any]]:
        """(metric, number) in the order of the fields."""
        return [(name, getattr(self, name)) for name in METRICS]

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={v}" for n, v in self.items() if not (isinstance(v, int) and v == 0))
        return f"Cost({shown})"


METRICS: tuple[str, ...] = tuple(field.name for field in fields(Cost))
SPLITS: dict[str, str] = {
    "trainable": "frozen",
    "active_params": "inactive",
}
"""Parts of the parameters, and the metric without which they are all of them."""
ZERO = Cost()
FIRST, COLUMN, TOTAL, DETAIL = range(4)
"""How far in front a number stands: always shown, a column, a total that is compared, or shown where it is not 0."""


@dataclass(frozen=True)
class Told:
    """How a number of a cost is told: its title and unit, the convention it is meant under, and how far in front."""

    title: str
    unit: Unit
    place: int = DETAIL
    convention: Convention = FULL


TOLD: dict[str, Told] = {
    "params": Told("params", ELEMENTS, FIRST),
    "frozen": Told("frozen params", ELEMENTS),
    "trainable": Told("trainable params", ELEMENTS, COLUMN),
    "inactive": Told("inactive params", ELEMENTS),
    "active_params": Told("active params", ELEMENTS, COLUMN),
    "state": Told("state", ELEMENTS, COLUMN),
    "macs": Told("MACs", OPERATIONS, FIRST),
    "flops": Told("FLOPs", OPERATIONS, FIRST),
    "transcendentals": Told("transcendentals", OPERATIONS, COLUMN),
    "int_ops": Told("integer ops", OPERATIONS, TOTAL),
    "activations": Told("activations", ELEMENTS, FIRST, TEXTBOOK),
    "padding_macs": Told("MACs on padding", OPERATIONS),
    "bytes_read": Told("bytes read", BYTES, TOTAL),
    "bytes_written": Told("bytes written", BYTES, TOTAL),
}
"""Every metric and every part of the parameters, in the order in which they are told."""
COLUMNS: tuple[tuple[str, Convention], ...] = tuple(
    (name, told.convention) for name, told in TOLD.items() if told.place <= COLUMN
)
"""(metric, convention) of what is told of every module: the metrics that a table's attributes of the same names give."""


check_convention = partial(one_of, known=CONVENTIONS, what="convention")
"""The convention itself, if it is one."""
