"""Bytes of training: parameters, gradients, optimizer state, and what the forward pass keeps for the backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from symcost.devices.dtypes import bits_of
from symcost.errors import SymcostError
from symcost.estimate.exact import rational
from symcost.given import checked
from symcost.size import BYTE
from symcost.table import CostTable


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes, exact in the table's symbols."""

    params: Any
    gradients: Any
    optimizer: Any
    residuals: Any

    @property
    def total(self) -> Any:
        """All of it."""
        return sympy.expand(self.params + self.gradients + self.optimizer + self.residuals)


@checked
def training_memory(
    costs: CostTable, optimizer: Any = None, *, dtype: str = "float32", gradients: str | None = None, least: int = 1
) -> TrainingMemory:
    """Bytes of parameters, gradients, optimizer state and residuals of a model traced with ``mode="train"``.

    ``optimizer``: an optax transformation, whose state is asked of ``optimizer.init`` without making it; none is plain
    gradient descent; one whose state changes its form with the sizes, as Adafactor's at 128, needs numbers, or
    ``least``, the least value of every symbol. ``dtype`` of the parameters, ``gradients`` where theirs is another.
    Residuals follow the model's own types and its remat policy: a rematerialised block keeps less.

    >>> import flax.linen as nn, optax
    >>> import symcost as sc
    >>> costs = sc.trace(lambda d: nn.Dense(d), "float32[n,c]", mode="train")
    >>> found = training_memory(costs, optax.adam(1e-3))
    >>> found.params, found.optimizer
    (4*c*d + 4*d, 8*c*d + 8*d + 4)
    """
    params = sympy.sympify(costs.params, strict=True)
    saved = getattr(costs, "residuals", None)
    if saved is None:
        raise SymcostError('what the backward pass needs is known of traced models: trace with mode="train"')
    state: Any = 0
    if optimizer is not None:
        from symcost.estimate.optimizer import optimizer_state

        state = optimizer_state(costs, optimizer, dtype, least=least)
    return TrainingMemory(
        params=_bytes(params, dtype), gradients=_bytes(params, gradients or dtype), optimizer=state, residuals=saved
    )


def _bytes(elements: Any, dtype: str) -> Any:
    made = sympy.expand(elements * rational(Fraction(bits_of(dtype), BYTE)))
    return int(made) if made.is_Integer else made
