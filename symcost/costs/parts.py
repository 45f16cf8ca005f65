"""What a cost table is made of: its counts, and the parts that it may have besides: a domain, peaks, a certificate, ..."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from symcost.costs.conventions import published
from symcost.costs.cost import CONVENTIONS, FULL, TEXTBOOK, Cost, Count
from symcost.costs.evidence import Decision, Evidence
from symcost.costs.rows import Row, total
from symcost.errors import DomainError, SymcostError
from symcost.reading.choices import AnyConvention, Convention, Rule, Unit
from symcost.views import Viewed

T = TypeVar("T")


class Conditions(Viewed, ABC, kind="domain"):
    """Where a closed form holds."""

    symbols: tuple[str, ...]
    notes: list[str]
    """Remarks."""
    bounds_at_one: frozenset[str]
    """Metrics that are upper bounds, not exact, where a size is 1."""
    spans: dict[str, int]
    """Values at which a slice spans its whole table, so that the step is left out."""

    evidence: Mapping[str, Evidence] = MappingProxyType({})
    """What stands behind each symbol, where it was derived."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the program was seen to decide by its sizes, and the lines that do."""
        return ()

    @property
    def uncomputed(self) -> tuple[Decision, ...]:
        """Those decisions that :meth:`conditions` cannot say, such as roundings of floats: :meth:`problem` knows them."""
        return ()

    def decides_otherwise(self, point: Mapping[str, int]) -> bool:
        """Whether one of :attr:`uncomputed` falls otherwise at a point."""
        return False

    @abstractmethod
    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing."""

    @abstractmethod
    def conditions(self) -> list[str]:
        """Every condition beyond being positive integers, as the safe parser reads it."""

    def untried(self, point: Mapping[str, int]) -> str | None:
        """Why nothing is known of a point that meets every other condition: it lies beyond what was tried; or nothing."""
        return None

    def bounds_at(self, point: Mapping[str, int]) -> frozenset[str]:
        """What is an upper bound at a point, and may be more than a trace says: metrics, and ``peak``."""
        return self.bounds_at_one if 1 in point.values() else frozenset()

    def check(self, point: Mapping[str, int], tried: bool = True) -> None:
        """Raise :class:`DomainError` when a point is outside, or unless ``tried`` is false beyond what was tried."""
        problem = self.problem(point)
        if problem and (tried or problem != self.untried(point)):
            raise DomainError(problem)


class Counts(ABC):
    """Rows and their totals, made when they are first asked for."""

    def __init__(self, totals: Mapping[Convention, Cost] | None = None) -> None:
        self._totals: dict[AnyConvention, Cost] = {} if totals is None else {**totals}

    @property
    @abstractmethod
    def rows(self) -> tuple[Row, ...]:
        """The rows, in execution order."""

    def total(self, convention: AnyConvention) -> Cost:
        """The sum of all rows under a convention of counting, or as a published one has it; made once."""
        if convention not in self._totals:
            cost = self.counted(convention) if convention in CONVENTIONS else self.published(convention)
            self._totals[convention] = cost
        return self._totals[convention]

    @abstractmethod
    def counted(self, convention: Convention) -> Cost:
        """The sum under one of the three conventions of counting."""

    def published(self, convention: AnyConvention) -> Cost:
        """What a published convention makes of the sums and the rows."""
        return published(convention).total(self.total(TEXTBOOK), self.total(FULL), self.rows)


class Rows(Counts):
    """Rows as they are given; totals that are known already are not summed again."""

    def __init__(self, rows: Sequence[Row], totals: Mapping[Convention, Cost] | None = None) -> None:
        super().__init__(totals)
        self._rows = tuple(rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that were given."""
        return self._rows

    def counted(self, convention: Convention) -> Cost:
        """Their exact sum."""
        return total(self._rows, convention)


@dataclass(frozen=True)
class Network:
    """The layers that a table is of, the shape of their input and the input with its layout; ``grows``: see ``Parts.anew``."""

    net: Any
    input: tuple[Count, ...]
    entering: Any
    twin_input: tuple[Count, ...]
    grows: bool


Field = tuple[Count, ...] | None
"""Places of the input that one output sees, along each axis; None is all of them."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a table knows besides its counts. A part that it has not is None or empty; functions are asked when needed.

    ``symbols`` and ``withdrawn`` follow from the rows unless they are given. ``point``: values that were put in.
    ``peak(rule, unit)``, ``peak_path(rule, point)``: the peak, and what runs while it is reached. ``anew(point)``: counts and
    parts of the network made anew at a point where a block grows, whose formulas are means and bounds, or never runs.
    ``fresh(point)``: the table of a fresh trace of the model there. ``compared``: what was compared with one at the table's own
    point, in words. ``sharded``: the program cut over a mesh, a :class:`symcost.costs.mesh.sharded.Sharded`. ``name``: what the
    model is called, empty where nobody says. ``kinds``: the class of a module by its path.
    """

    name: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    symbols: tuple[str, ...] | None = None
    withdrawn: Mapping[str, str] | None = None
    point: Mapping[str, int] = field(default_factory=dict)
    domain: Conditions | None = None
    certificate: Any = None
    coverage: Mapping[str, int] | None = None
    unknown_trips: Mapping[str, str] = field(default_factory=dict)
    unknown_macs: Mapping[str, str] = field(default_factory=dict)
    peak: Callable[[Rule, Unit], Count] | None = None
    peak_path: Callable[[Rule, Mapping[str, int]], str] | None = None
    residuals: Callable[[], Count] | None = None
    receptive_field: Callable[[], Field] | None = None
    receptive_fields: Callable[[], Mapping[str, Field]] | None = None
    network: Network | None = None
    anew: Callable[[Mapping[str, int]], tuple[Counts, Parts] | None] | None = None
    fresh: Callable[[Mapping[str, int]], Any] | None = None
    compared: str = ""
    sharded: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """A copy for another process has formulas alone: the user's model may not travel."""
        return {**vars(self), "fresh": None}


def known(part: T | None, problem: str) -> T:
    """A part that a table has; ``problem`` is the error where it has it not."""
    if part is None:
        raise SymcostError(problem)
    return part
