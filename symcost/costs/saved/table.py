"""A table that was read from a file: the same face as a traced model or a network of layers, without either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symcost.costs.conventions import published
from symcost.costs.cost import CONVENTIONS, FULL, TEXTBOOK, Cost
from symcost.costs.saved.facts import SavedCertificate, SavedDomain
from symcost.costs.table import CostTable, Row, Substituted
from symcost.errors import LiftError, SymcostError
from symcost.reading.given import checked

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a file says of a table besides its rows."""

    symbols: tuple[str, ...]
    totals: Mapping[str, Cost]
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    at: Mapping[str, int] = field(default_factory=dict)
    peaks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    residuals: Any = None
    domain: SavedDomain | None = None
    certificate: SavedCertificate | None = None
    coverage: Mapping[str, int] | None = None
    loops: Mapping[str, str] = field(default_factory=dict)
    kernels: Mapping[str, str] = field(default_factory=dict)
    receptive_field: Any = None


class Saved(CostTable):
    """A table of rows with the totals that were saved."""

    def __init__(self, rows: Sequence[Row], known: Known) -> None:
        super().__init__(rows)
        self._known = known
        self._totals.update(known.totals)
        self.point = dict(known.at)
        self.domain, self.certificate, self.coverage = known.domain, known.certificate, known.coverage
        self.unknown_trips, self.unknown_macs = dict(known.loops), dict(known.kernels)

    @property
    def symbols(self) -> tuple[str, ...]:  # type: ignore[override]
        """The symbols of its forms, in the order they were saved."""
        return self._known.symbols

    @property
    def withdrawn(self) -> Mapping[str, str]:
        """Conventions whose figures were withdrawn, and why."""
        return self._known.withdrawn

    @checked
    def total(self, convention: str = FULL) -> Cost:
        """The total as saved; published conventions follow from it and the rows."""
        if convention in self.withdrawn:
            raise LiftError(self.withdrawn[convention])
        if convention not in self._totals and convention not in CONVENTIONS:
            made = published(convention).total(self.total(TEXTBOOK), self.total(FULL), self.rows)
            self._totals[convention] = made
        return self._totals[convention]

    @property
    def receptive_field(self) -> tuple[Any, ...] | None:
        """Places of the input that one output sees; None where it sees all of them."""
        found = self._known.receptive_field
        if found is None:
            raise SymcostError("the receptive field is known of networks written as layers: this table is of another")
        return None if found == ALL else found

    @property
    def residuals(self) -> Any:
        """Bytes saved by the forward pass for the backward pass."""
        if self._known.residuals is None:
            raise SymcostError('residuals exist only for training: trace with mode="train"')
        return self._known.residuals

    def subs(self, **point: int) -> CostTable:
        """The table at a point inside the domain."""
        point = self.check_point(point)
        if self.domain is not None:
            self.domain.check(point)
        return self._at(point)

    def _at(self, point: Mapping[str, int]) -> CostTable:
        return SavedAt(self, point)


class SavedModel(Saved):
    """A saved table that knows its peaks."""

    @checked
    def peak(self, rule: str = "liveness", unit: str = "elements") -> Any:
        """Peak activations by a rule, in a unit."""
        peaks = self._known.peaks
        if rule not in peaks or unit not in ("elements", "bytes"):
            raise SymcostError(f"unknown peak {rule!r} in {unit!r}: use {' or '.join(peaks)}, in elements or bytes")
        found = peaks[rule].get(unit)
        if found is None:
            raise LiftError(peaks[rule].get("problem") or f"the table was saved without a peak by {rule}")
        return found

    @property
    def peak_activations(self) -> Any:
        """Peak activations in elements, by liveness."""
        return self.peak()

    def _at(self, point: Mapping[str, int]) -> CostTable:
        return SavedModelAt(self, point)


class SavedAt(Substituted):
    """A saved table at a point."""

    table: Saved

    def __init__(self, table: Saved, point: Mapping[str, int]) -> None:
        super().__init__(table, {**table.point, **point})
        self.domain, self.certificate, self.coverage = table.domain, table.certificate, table.coverage
        self.unknown_trips, self.unknown_macs = table.unknown_trips, table.unknown_macs

    @property
    def residuals(self) -> Any:
        """The residuals at the point."""
        return self.value(self.table.residuals)

    @property
    def receptive_field(self) -> tuple[Any, ...] | None:
        """The receptive field at the point."""
        found = self.table.receptive_field
        return None if found is None else tuple(map(self.value, found))


class SavedModelAt(SavedAt):
    """A saved table with peaks, at a point."""

    table: SavedModel

    @checked
    def peak(self, rule: str = "liveness", unit: str = "elements") -> Any:
        """The peak at the point."""
        return self.value(self.table.peak(rule, unit))

    @property
    def peak_activations(self) -> Any:
        """The peak in elements at the point."""
        return self.peak()
