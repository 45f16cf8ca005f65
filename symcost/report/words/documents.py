"""JSON as every report writes it: numbers that are no integers, and formulas, are exact texts."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from typing import Any

from symcost.estimate.bytes.fit import Fit


def written(document: Any) -> str:
    """A document as text."""
    return dumps(document, indent=2, ensure_ascii=False)


def text(value: Any) -> str | None:
    """An exact value; nothing where there is none."""
    return None if value is None else str(value)


def row(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name, what is neither an integer nor a text as one.

    >>> from fractions import Fraction
    >>> row({"d": 64, "latency": Fraction(1, 80)})
    {'d': 64, 'latency': '1/80'}
    """
    return {name: value if isinstance(value, int | str) else str(value) for name, value in values.items()}


def limits(fit: Fit) -> list[dict[str, Any]]:
    """Every memory of a device against what it has to hold."""
    return [
        {"memory": limit.memory, "holds": list(limit.holds), "needed": str(limit.needed),
         "available": str(limit.available), "margin": str(limit.margin), "fits": bool(limit), "layer": limit.layer,
         "why": limit.why}
        for limit in fit.limits
    ]  # fmt: skip
