"""The numbers of a file that do not follow from its rows: peaks, residuals and the receptive field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symcost.costs.parts import Field
from symcost.errors import LiftError
from symcost.reading.choices import Rule, Unit

ALL = "all"
"""The receptive field of an output that sees all places."""


@dataclass(frozen=True)
class KeptNumbers:
    """Peaks by rule and unit (or the ``problem`` why there is none), residuals and the receptive field; None: not saved."""

    peaks: Mapping[str, Mapping[str, Any]]
    residuals: Any
    field: Any

    def peak(self, rule: Rule, unit: Unit) -> Any:
        """The peak by a rule, in a unit."""
        by_unit = self.peaks.get(rule, {})
        if by_unit.get(unit) is None:
            raise LiftError(by_unit.get("problem") or f"the table was saved without a peak by {rule}")
        return by_unit[unit]

    def saved_residuals(self) -> Any:
        """Bytes saved by the forward pass for the backward pass."""
        return self.residuals

    def receptive_field(self) -> Field:
        """Places of the input that one output sees; None where it sees all of them."""
        return None if self.field == ALL else self.field
