"""Bytes on a device: weights by bit width, activations at their peak."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from symcost.devices.dtypes import bits_of
from symcost.errors import SymcostError
from symcost.estimate.exact import rational
from symcost.given import checked
from symcost.size import BYTE, Bits, model_size
from symcost.table import CostTable

RULES = ("liveness", "textbook")


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of weights and of activations at their peak, under a rule, exact."""

    weights: Any
    activations: Any
    rule: str

    @property
    def total(self) -> Any:
        """Both together."""
        return self.weights + self.activations


@checked
def memory(
    costs: CostTable, dtype: str = "float32", *, weights: str | Bits | None = None, rule: str = "liveness"
) -> MemoryUse:
    """Bytes of weights and activations.

    ``dtype``: number type of the activations. ``weights``: a number type, bits, or a mapping from paths to bits (mixed
    precision, ``""`` for every other layer); that of the activations unless given. ``rule``: ``liveness``, all tensors
    alive at once, or ``textbook``, the largest input plus output.

    >>> from symcost.models import alexnet
    >>> memory(alexnet(), "int8", rule="textbook")
    MemoryUse(weights=60965224, activations=440928, rule='textbook')
    """
    if rule not in RULES:
        raise SymcostError(f"unknown rule of activations {rule!r}: use {' or '.join(RULES)}")
    return MemoryUse(model_size(costs, width(dtype, weights)), _bytes(peak_of(costs, rule), bits_of(dtype)), rule)


def width(dtype: str, weights: str | Bits | None) -> Bits:
    """Bits of the weights: of their own number type, as given, or of the activations' number type."""
    return bits_of(dtype) if weights is None else bits_of(weights) if isinstance(weights, str) else weights


def peak_of(costs: Any, rule: str) -> Any:
    """Peak activations in elements; a plain table has no lifetimes."""
    if not hasattr(costs, "peak"):
        raise SymcostError("this table knows no peak of activations: make it with sc.table or sc.trace")
    return costs.peak(rule)


def _bytes(elements: Any, bits: int) -> Any:
    per = rational(Fraction(bits, BYTE))
    if isinstance(elements, sympy.Max):  # kept as a maximum of few: sympy would compare each with each
        return sympy.Max(*(sympy.expand(per * size) for size in elements.args), evaluate=False)
    made = sympy.expand(per * elements)
    return int(made) if made.is_Integer else made
