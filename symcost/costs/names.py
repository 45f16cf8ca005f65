"""The numbers of a cost table by name: what conditions and objectives may speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import sympy

from symcost.costs.cost import CONVENTIONS, METRICS, SPLITS
from symcost.costs.size import model_size, state_size
from symcost.costs.table import CostTable
from symcost.errors import SpaceError, SymcostError
from symcost.formulas.symbols import parse
from symcost.reading.numerals import short

SHOWN = ("params", "macs", "flops", "activations", "peak_activations")
"""What is shown of a configuration unless something else is asked for."""
PEAKS = {
    "peak_activations": ("liveness", "elements"),
    "peak_bytes": ("liveness", "bytes"),
    "peak_textbook": ("textbook", "elements"),
    "peak_textbook_bytes": ("textbook", "bytes"),
}
"""Peaks: by what rule, in which unit."""
SIZES: Mapping[str, Callable[[CostTable], Any]] = {"model_size": model_size, "state_size": state_size}
"""Bytes of what a model stores, each in its own number type."""
QUALIFIED = {
    f"{metric}_{convention}": (metric, convention) for metric in (*METRICS, *SPLITS) for convention in CONVENTIONS
}
"""``macs_textbook``, ``flops_xla``, ...: a number under a convention."""


class Metrics(Mapping[str, Any]):
    """Formulas by name: of a cost table, or as they are given.

    Plain names are those of the table itself: ``params``, ``trainable``, ``active_params``, ``state``, ``macs``, ``flops``
    and ``transcendentals`` under ``full``,
    ``activations`` under ``textbook``, ``peak_activations`` by liveness. ``flops_xla`` or ``activations_full`` names
    the convention, ``model_size`` and ``state_size`` are bytes in the number types of the trace (float32 for layers),
    ``peak_textbook``, ``peak_bytes`` and ``peak_textbook_bytes`` the rule and unit, ``residuals``
    the bytes kept for the backward pass. ``extra`` adds formulas in any of these and in the symbols.

    >>> Metrics({"area": "w*h"})["area"]
    h*w
    """

    def __init__(self, source: CostTable | Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> None:
        if not isinstance(source, CostTable | Mapping):
            raise SpaceError(f"{short(source)} has no formulas: give costs, or a mapping of names to formulas")
        if extra is not None and not isinstance(extra, Mapping):
            raise SpaceError(f"define={short(extra)} must be a mapping of names to formulas, as {{'H': 'd/64'}}")
        self.table = source if isinstance(source, CostTable) else None
        given = {} if isinstance(source, CostTable) else source
        self.given = {name: _formula(name, value) for name, value in {**given, **(extra or {})}.items()}

    @property
    def own(self) -> tuple[str, ...]:
        """Names that the table itself has."""
        if self.table is None:
            return ()
        peaks = tuple(PEAKS) if self.table.parts.peak is not None else ()
        return (
            *METRICS,
            *SPLITS,
            *QUALIFIED,
            *SIZES,
            *peaks,
            *(("residuals",) if self.table.parts.residuals is not None else ()),
        )

    def __getitem__(self, name: str) -> Any:
        if name in self.given:
            return self.given[name]
        table: Any = self.table
        if table is None or name not in self.own:
            raise KeyError(name)
        if name in PEAKS:
            return table.peak(*PEAKS[name])
        if name in SIZES:
            return SIZES[name](table)
        if name in QUALIFIED:
            metric, convention = QUALIFIED[name]
            return getattr(table.total(convention), metric)
        return getattr(table, name) if hasattr(table, name) else getattr(table.total(), name)

    def __iter__(self) -> Any:
        return iter((*self.given, *(name for name in self.own if name not in self.given)))

    def __len__(self) -> int:
        return len(set(self.own) | set(self.given))

    @property
    def symbols(self) -> set[str]:
        """Symbols of the formulas, before names of other formulas are resolved."""
        own = set(self.table.symbols) if self.table is not None else set()
        return own | {str(s) for formula in self.given.values() for s in formula.free_symbols}

    def shown(self) -> list[str]:
        """Names that are shown unless others are asked for: those of a table that have a value, or all formulas."""
        names = [name for name in SHOWN if name in self.own] if self.table is not None else list(self.given)
        return [name for name in names if self._has(name)]

    def _has(self, name: str) -> bool:
        try:
            return self[name] is not None
        except SymcostError:  # a peak that could not be certified; whoever names it gets the error
            return False

    def unknown(self, name: str, axes: Iterable[str]) -> SpaceError:
        """The error for a name that is neither."""
        known = [*axes, *self]
        near = get_close_matches(name, known, n=3)
        shown = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join([*axes, *self.shown()])}"
        return SpaceError(f"{name!r} is neither an axis of the space nor a number of the costs: {shown}")


def _formula(name: str, value: Any) -> sympy.Expr:
    if not isinstance(name, str) or not name.isidentifier():
        raise SpaceError(f"{short(name)} is not a name for a formula: use letters, digits and _")
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, sympy.Expr) or (isinstance(value, int) and not isinstance(value, bool)):
        return sympy.sympify(value, strict=True)
    raise SpaceError(f"the formula {name}={short(value)} must be a text or an expression of symbols")
