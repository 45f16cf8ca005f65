"""Where a network's closed forms hold: each condition that a layer needed and that its symbols leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from symcost.costs.parts import Conditions
from symcost.formulas.prove.halving import last_good
from symcost.layers.sizes.noted import Need
from symcost.reading.numerals import assigned

FAR = 1 << 20
"""Bounds of a single symbol are looked for up to here."""


@dataclass(frozen=True, repr=False)
class LayerDomain(Conditions):
    """Conditions on positive integers; each knows the layer that needs it and what breaks otherwise."""

    symbols: tuple[str, ...]
    needs: tuple[Need, ...] = ()
    notes: list[str] = field(default_factory=list)
    """Remarks: layers have none."""
    bounds_at_one: frozenset[str] = frozenset()
    """Metrics that are upper bounds where a size is 1: none, layers count every size alike."""
    spans: dict[str, int] = field(default_factory=dict)
    """Values at which a slice spans its whole table: layers have none."""

    @cached_property
    def _forms(self) -> list[tuple[Need, sympy.Expr]]:
        return [(need, expression) for need in self.needs if not _plain(expression := need.form.sympy(), need.least)]

    @cached_property
    def bounds(self) -> dict[str, int]:
        """The smallest value of each symbol that conditions of it alone leave."""
        smallest_values: dict[str, int] = {}
        for need, expression in self._forms:
            smallest = _smallest(need, expression)
            if smallest is not None and smallest > 1:
                (name,) = need.form.symbols
                smallest_values[name] = max(smallest_values.get(name, 1), smallest)
        return smallest_values

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; conditions on symbols without a value are not checked."""
        at = assigned(point)
        for need, _ in self._forms:
            if need.form.symbols <= set(point) and need.broken(need.form.value(point)):
                return f"{at} is outside the domain: {_condition(need)} must hold ({need.why})"
        return None

    def conditions(self) -> list[str]:
        """Every condition beyond being positive integers, those of one symbol alone as its smallest value."""
        texts = [f"{name} >= {least}" for name, least in sorted(self.bounds.items())]
        texts += [_condition(need) for need, expression in self._forms if _smallest(need, expression) is None]
        return list(dict.fromkeys(texts))

    def __str__(self) -> str:
        names = ", ".join(self.symbols)
        return "; ".join([f"{names} positive integers" if names else "one network", *self.conditions()])


def _condition(need: Need) -> str:
    if need.least is not None:
        return f"{need.form} >= {need.least}"
    above, below = need.form.sympy().as_numer_denom()
    shown = (f"({part})" if part.is_Add or (part is below and part.is_Mul) else str(part) for part in (above, below))
    return " % ".join(shown) + " == 0"


def _plain(expression: Any, least: int | None) -> bool:
    """Whether all positive integers satisfy it: a growing expression does where all ones do."""
    if least is None or not _grows(expression):
        return False
    return bool(expression.subs(dict.fromkeys(expression.free_symbols, 1)) >= least)


def _grows(expression: Any) -> bool:
    """Whether the expression cannot fall when a symbol grows: sums, products and floors of what grows."""
    if expression.is_number or expression.is_Symbol:
        return True
    if expression.is_Add:
        return all(_grows(part) for part in expression.args)
    if expression.is_Mul:
        return all(part.is_positive or part.is_nonnegative or isinstance(part, sympy.floor) for part in expression.args) and all(
            _grows(part) for part in expression.args
        )  # fmt: skip
    if isinstance(expression, sympy.floor | sympy.ceiling | sympy.Max):
        return all(_grows(part) for part in expression.args)
    return bool(
        expression.is_Pow and expression.args[1].is_Integer and expression.args[1] > 0 and _grows(expression.base)
    )


def _smallest(need: Need, expression: sympy.Expr) -> int | None:
    """The smallest value at which a growing condition of one symbol holds; None for any other condition."""
    if need.least is None or len(expression.free_symbols) != 1 or not _grows(expression):
        return None
    (name,) = need.form.symbols
    if need.broken(need.form.value({name: FAR})):
        return None
    return last_good(FAR, 0, lambda value: not need.broken(need.form.value({name: value})))
