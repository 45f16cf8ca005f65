"""Bytes on a device: weights by bit width, activations at their peak, and state."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import sympy

from symcost.costs.cost import Count
from symcost.costs.dtypes import ASSUMED, BYTE, bits_of
from symcost.costs.exact import rational
from symcost.costs.size import Bits, bytes_of, model_size, state_bits
from symcost.costs.table import CostTable
from symcost.estimate.bytes.types import Types, types_of
from symcost.reading.choices import PEAKS, Rule
from symcost.reading.given import checked
from symcost.reading.nearest import one_of
from symcost.views import view

check_rule = partial(one_of, known=PEAKS, what="rule of activations")
"""Raise for a rule of the peak that is none."""


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of weights, of activations at their peak under a rule, and of state, exact.

    ``state`` is all of it, ``constant`` the part that a pass reads and does not write (moving averages at inference): it
    lies with the weights, the rest (caches) with the activations. ``types`` says which number types these are.
    """

    weights: Count
    activations: Count
    rule: Rule
    state: Count = 0
    constant: Count = 0
    types: str = ""

    @property
    def total(self) -> Count:
        """All together."""
        return self.weights + self.activations + self.state

    def held(self, what: str) -> Count:
        """What lies in the memory of the ``weights``, or of the ``activations``: state with the one or the other."""
        return self.weights + self.constant if what == "weights" else self.activations + self.state - self.constant

    def _repr_html_(self) -> str:
        return view("memory as html")(self)


@checked
def memory(
    costs: CostTable, dtype: str | None = None, *, weights: str | Bits | None = None, rule: Rule = "liveness",
    assumed: str = ASSUMED,
) -> MemoryUse:  # fmt: skip
    """Bytes of weights, activations and state.

    Everything has its own number type, as traced; ``dtype`` gives one to all, ``weights`` to the weights: a number type,
    bits, or a mapping from paths to bits (mixed precision, ``""`` for every other layer). Layers have no types: they are
    taken as ``assumed``. ``rule``: ``liveness``, all tensors alive at once, or ``textbook``, the largest input plus output.

    Raises:
        SymcostError: where ``rule`` is another word, or a width is given for a layer that is not there.

    >>> from symcost.models import alexnet
    >>> memory(alexnet(), "int8", rule="textbook")
    MemoryUse(weights=60965224, activations=440928, rule='textbook', state=0, constant=0, types='int8: as given')
    """
    check_rule(rule)
    types = types_of(costs, dtype, weights, assumed)
    constant, written = state_bytes(costs, types)
    return MemoryUse(
        weights=model_size(costs, types.weights), activations=peak_bytes(costs, types, rule), rule=rule,
        state=constant + written, constant=constant, types=types.text,
    )  # fmt: skip


def state_bytes(costs: CostTable, types: Types) -> tuple[Count, Count]:
    """Bytes of the state that a pass only reads, in the type of the weights, and of what it writes, in the activations'."""
    own = None if types.activations is None else bits_of(types.activations)
    parts = ((types.weights, False), (own, True))
    constant, written = (
        bytes_of((rate, number) for _, rate, number in state_bits(costs, bits, written=changed))
        for bits, changed in parts
    )
    return constant, written


def peak_bytes(costs: Any, types: Types, rule: Rule) -> Count:
    """Bytes of activations at their peak, in one type or in their own; a plain table has no lifetimes.

    In their own types those of less than a byte take a whole one, as compilers keep them while they compute.
    """
    if types.activations is None:
        return costs.peak(rule, "bytes")
    return _scaled(costs.peak(rule), bits_of(types.activations))


def _scaled(elements: Count, bits: int) -> Count:
    per = rational(Fraction(bits, BYTE))
    if isinstance(elements, sympy.Max):  # kept as a maximum of few: sympy would compare each with each
        return sympy.Max(*(sympy.expand(per * size) for size in elements.args), evaluate=False)
    scaled = sympy.expand(per * elements)
    return int(scaled) if scaled.is_Integer else scaled
