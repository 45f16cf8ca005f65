"""A model of which some symbols have a value: what it is at exactly 224 pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.tracing.program.model import Abstract, Model

Point = Mapping[str, int]


class Pinned(Model):
    """The model with values for some symbols; the others are its own."""

    def __init__(self, model: Model, fixed: Point) -> None:
        self.__dict__.update(vars(model))
        self.fixed = {**getattr(model, "fixed", {}), **fixed}

    @property
    def input_symbols(self) -> list[str]:
        """Symbols of the input specs that have no value."""
        return [name for name in super().input_symbols if name not in self.fixed]

    @property
    def symbols(self) -> list[str]:
        """All symbols that have no value."""
        return [name for name in super().symbols if name not in self.fixed]

    def at(self, point: Point) -> Abstract:
        """The program at a point of the others."""
        return super().at({**point, **self.fixed})

    def module_at(self, point: Point) -> Any:
        """The module at a point of the others."""
        return super().module_at({**point, **self.fixed})

    def forget(self, own: Point) -> None:
        """Initialise again at the next trace."""
        super().forget({**own, **self.fixed})

    def mend(self, point: Point, problem: Any) -> bool:
        """Take over one variable as the module declared it."""
        return super().mend({**point, **self.fixed}, problem)

    def stale(self, point: Point) -> bool:
        """Whether the last trace used variables from another point."""
        return super().stale({**point, **self.fixed})
