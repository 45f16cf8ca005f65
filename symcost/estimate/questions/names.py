"""The formulas that conditions and objectives may speak of, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sympy

from symcost.costs.cost import FIRST
from symcost.costs.table import CostTable
from symcost.errors import SpaceError, SymcostError
from symcost.estimate.questions.quantities import Quantity, vocabulary
from symcost.estimate.questions.setting import QuantityOptions, setting
from symcost.formulas.measures import Dimension
from symcost.formulas.symbols import parse
from symcost.reading.nearest import near, offered
from symcost.reading.numerals import short


class Metrics(Mapping[str, Any]):
    """Formulas by name: of a cost table, or as they are given.

    Names of a table are those of :data:`~.quantities.QUANTITIES`, taken with ``options`` (a device, number types, ...).
    ``extra`` adds formulas in any of these and in the symbols.

    >>> Metrics({"area": "w*h"})["area"]
    h*w
    """

    def __init__(
        self,
        source: CostTable | Mapping[str, Any],
        extra: Mapping[str, Any] | None = None,
        options: QuantityOptions | Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        if not isinstance(source, CostTable | Mapping):
            raise SpaceError(f"{short(source)} has no formulas: give costs, or a mapping of names to formulas")
        if extra is not None and not isinstance(extra, Mapping):
            raise SpaceError(f"define={short(extra)} must be a mapping of names to formulas, as {{'H': 'd/64'}}")
        self.table = source if isinstance(source, CostTable) else None
        self.setting = setting(source, options)
        given = {} if isinstance(source, CostTable) else source
        self.given = {name: _formula(name, value) for name, value in {**given, **(extra or {})}.items()}

    @property
    def own(self) -> Mapping[str, Quantity]:
        """What the table itself has, by name."""
        return {} if self.table is None else vocabulary(self.table)

    def __getitem__(self, name: str) -> Any:
        if name in self.given:
            return self.given[name]
        return self.own[name](self.setting)

    def dimension(self, name: str) -> Dimension | None:
        """What a name is measured in, a size in a number; a formula that was given, and what nobody knows, say nothing of it."""
        if name in self.given:
            return None
        return self.own[name].unit.dimension if name in self.own else {} if name in self.symbols else None

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
        own = [name for name, quantity in self.own.items() if quantity.place == FIRST]
        names = list(self.given) if self.table is None else own
        return [name for name in names if self._has(name)]

    def _has(self, name: str) -> bool:
        try:
            return self[name] is not None
        except SymcostError:  # a peak that could not be certified; whoever names it gets the error
            return False

    def unknown(self, name: str, axes: Iterable[str]) -> SpaceError:
        """The error for a name that is neither."""
        shown = offered(near(name, [*axes, *self]), f"known are {', '.join([*axes, *self.shown()])}")
        return SpaceError(f"{name!r} is neither an axis of the space nor a number of the costs: {shown}")


def _formula(name: str, value: Any) -> sympy.Expr:
    if not isinstance(name, str) or not name.isidentifier():
        raise SpaceError(f"{short(name)} is not a name for a formula: use letters, digits and _")
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, sympy.Expr) or (isinstance(value, int) and not isinstance(value, bool)):
        return sympy.sympify(value, strict=True)
    raise SpaceError(f"the formula {name}={short(value)} must be a text or an expression of symbols")
