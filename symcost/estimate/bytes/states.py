"""What well-known optimizers keep, by name: data, so that budgets need neither optax nor jax."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symcost.costs.cost import Count
from symcost.errors import SymcostError
from symcost.reading.nearest import choose


@dataclass(frozen=True)
class States:
    """What an optimizer keeps: copies of the parameters, and bytes of counters beside them."""

    copies: int
    counters: int

    def bytes(self, params: Count) -> Count:
        """Bytes of the state beside parameters of so many bytes."""
        return self.copies * params + self.counters


BY_NAME: Mapping[str, States] = {
    "sgd": States(0, 0), "momentum": States(1, 0), "adam": States(2, 4), "adamw": States(2, 4), "nadam": States(2, 4),
    "lion": States(1, 4), "adagrad": States(1, 0), "rmsprop": States(1, 0), "lamb": States(2, 4), "lars": States(1, 0),
    "adabelief": States(2, 4), "adadelta": States(2, 0), "adamax": States(2, 4), "amsgrad": States(3, 4), "radam": States(2, 4),
    "yogi": States(2, 4),
}  # fmt: skip
"""Optimizers whose state follows from the number of parameters alone, as optax 0.2 keeps it with a constant rate."""


def states_of(name: str) -> States:
    """What an optimizer of that name keeps.

    >>> states_of("adam")
    States(copies=2, counters=4)
    """
    if name not in BY_NAME:
        raise SymcostError(f"unknown optimizer {name!r}: {choose(name, BY_NAME, 2)}")
    return BY_NAME[name]
