"""A row of the layers' tests, and the two referees: the trace of the Flax twin, and XLA's count of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import sympy

import symcost as sc
from symcost.formulas.compared.equality import difference
from symcost.hlo import HloCost, analyse
from symcost.layers.base import Layer, symbols_of
from symcost.referee.verdicts.layered import METRICS

PRIMES = (2, 3, 5, 7, 4, 6, 11, 13)


@dataclass(frozen=True)
class Case:
    """A layer in its symbols and its input's shape; ``least`` are the smallest values of symbols that may not be 1."""

    layer: Layer
    x: tuple[Any, ...]
    dtype: str = "float32"
    spec: str = ""
    least: Mapping[str, int] = field(default_factory=dict)
    lifted: bool = True
    peaks: bool = False

    @property
    def label(self) -> str:
        """The test's name."""
        return f"{type(self.layer).__name__}-{','.join(map(str, self.x))}".replace(" ", "")

    @property
    def symbols(self) -> list[str]:
        """All symbols, in a fixed order."""
        return sorted(symbols_of(self.layer) | {str(s) for size in self.x for s in getattr(size, "free_symbols", ())})

    def at(self, point: Mapping[str, int]) -> tuple[Layer, tuple[int, ...]]:
        """The layer and its input's shape at numbers."""
        own = symbols_of(self.layer)
        layer = self.layer.subs(**{name: value for name, value in point.items() if name in own})
        return layer, tuple(int(sc.evaluate(size, point)) for size in self.x)

    @property
    def input_spec(self) -> str:
        """The twin's input: channels last where there are places and more."""
        x = (self.x[0], *self.x[2:], self.x[1]) if len(self.x) > 3 else self.x
        return self.spec or f"{self.dtype}[{','.join(map(str, x))}]"

    @property
    def points(self) -> list[dict[str, int]]:
        """Three points: the smallest, and two of small primes."""
        low = {name: self.least.get(name, 1) for name in self.symbols}
        return [
            low,
            {name: low[name] - 1 + PRIMES[i % len(PRIMES)] for i, name in enumerate(self.symbols)},
            {name: low[name] - 1 + PRIMES[(i + 3) % len(PRIMES)] for i, name in enumerate(self.symbols)},
        ]


def factory(net: Layer) -> Callable[..., Any]:
    """A function of the network's symbols that builds its Flax twin."""

    def make(**values: int) -> Any:
        try:
            return sc.build(net, **values)
        except sc.ShapeError as problem:  # a size of a sample point that the network does not have
            raise ValueError(str(problem)) from None

    kind = inspect.Parameter.KEYWORD_ONLY
    make.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in sorted(symbols_of(net))])  # type: ignore[attr-defined]
    return make


def compiled(module: Any, spec: jax.ShapeDtypeStruct) -> tuple[int, HloCost]:
    """Parameters of a module by Flax, and the exact count of its unoptimised program by XLA's rules."""
    variables = jax.eval_shape(module.init, jax.random.key(0), spec)
    params = sum(leaf.size for leaf in jax.tree.leaves(variables.get("params", {})))
    lowered = jax.jit(module.apply).trace(variables, spec).lower(lowering_platforms=("cpu",))
    cost = analyse(lowered.compiler_ir("hlo").as_hlo_text())
    assert cost.float32.flops == (lowered.cost_analysis().get("flops") or 0)  # bit for bit what XLA prints
    return params, cost


def inside(expression: Any, bounds: Mapping[str, int]) -> Any:
    """A trace's expression where the layers' formulas hold: ``Max(0, w - 2)`` is ``w - 2`` once ``w >= 2``, ``2 - w`` nothing."""
    if isinstance(expression, int):
        return expression

    def opened(*parts: Any) -> Any:
        (form,) = [part for part in parts if part != 0]
        smallest = {symbol: bounds.get(symbol.name, 1) for symbol in form.free_symbols}
        further = [form.subs({**smallest, s: v + 1}) - form.subs(smallest) for s, v in smallest.items()]
        if further and all(step < 0 for step in further) and form.subs(smallest) <= 0:
            return sympy.Integer(0)
        assert all(step >= 0 for step in further), "it grows"
        return form if form.subs(smallest) >= 0 else sympy.Max(0, form)

    return expression.replace(sympy.Max, opened)


def unequal(ours: Any, theirs: Any, conventions: tuple[str, ...] = sc.CONVENTIONS) -> list[str]:
    """Differences between two tables that are not identically zero."""
    found = []
    for convention in conventions:
        metrics = (*METRICS, "activations") if convention == "textbook" else METRICS
        for metric in metrics:
            left, right = (getattr(table.total(convention), metric) for table in (ours, theirs))
            if difference(left, inside(right, getattr(ours.domain, "bounds", {}))) != 0:
                found.append(f"{metric} ({convention}): {left} is not {right}")
    return found
