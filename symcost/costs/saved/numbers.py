"""The numbers of a file that do not follow from its rows: peaks, residuals and the receptive field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.errors import LiftError
from symcost.reading.choices import Rule, Unit

ALL = "all"
"""The receptive field of an output that sees all places."""


def peak(peaks: Mapping[str, Mapping[str, Any]], rule: Rule, unit: Unit) -> Any:
    """The peak by a rule, in a unit, of peaks by both, or of the ``problem`` why there is none."""
    by_unit = peaks.get(rule, {})
    if by_unit.get(unit) is None:
        raise LiftError(by_unit.get("problem") or f"the table was saved without a peak by {rule}")
    return by_unit[unit]


def kept(number: Any) -> Any:
    """A number as it stands in the file."""
    return number
