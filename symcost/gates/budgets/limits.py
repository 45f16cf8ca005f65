"""What a budget may limit, in which units, and how a limit is written: ``"125 M"``, ``"320 KiB"``, ``"10 ms"``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.nearest import choose
from symcost.reading.numerals import fraction, short
from symcost.reading.prefixes import BINARY, DECIMAL, PARTS

COUNT, BYTES, SECONDS, JOULES = "count", "bytes", "seconds", "joules"
_TEN = {prefix: Fraction(scale) for prefix, scale in {**DECIMAL, "K": DECIMAL["k"]}.items()}
_SMALL = {**PARTS, "µ": PARTS["u"]}
UNITS: Mapping[str, Mapping[str, Fraction]] = {
    COUNT: _TEN,
    BYTES: {f"{prefix}B": Fraction(scale) for prefix, scale in {**_TEN, **BINARY}.items()},
    SECONDS: {f"{prefix}s": scale for prefix, scale in _SMALL.items()},
    JOULES: {f"{prefix}J": scale for prefix, scale in _SMALL.items()},
}
"""Units of each kind of quantity, and what one of them is."""
KINDS: Mapping[str, str] = {
    "params": COUNT,
    "trainable": COUNT,
    "active_params": COUNT,
    "state": COUNT,
    "macs": COUNT,
    "flops": COUNT,
    "transcendentals": COUNT,
    "activations": COUNT,
    "peak_activations": COUNT,
    "model_size": BYTES,
    "state_bytes": BYTES,
    "activation_bytes": BYTES,
    "total_bytes": BYTES,
    "training_bytes": BYTES,
    "latency": SECONDS,
    "energy": JOULES,
}
"""The metrics that have a limit, and what they are measured in."""
FIT = "fit"
VERDICT = "verdict"
_NUMBER = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)\s*([A-Za-zµ]*)")


@dataclass(frozen=True)
class Limit:
    """A metric may be at most ``value``; ``text`` is how it was written."""

    metric: str
    value: Fraction
    text: str

    @property
    def kind(self) -> str:
        """What it is measured in."""
        return KINDS[self.metric]


def limit(metric: str, given: Any, where: str) -> Limit:
    """A limit as it stands in a file.

    >>> limit("params", "25.6 M", "").value, limit("model_size", "1 MiB", "").value
    (Fraction(25600000, 1), Fraction(1048576, 1))
    """
    kind = KINDS[metric]
    units = UNITS[kind]
    text = shown(given) if isinstance(given, int) else str(given)
    read = _NUMBER.fullmatch(text.strip()) if not isinstance(given, bool) else None
    if read is None:
        raise SymcostError(f"{where}: {metric} = {shown(given)} is no limit: write {_example(kind)}")
    try:
        number, unit = fraction(read.group(1).replace("_", "")), read.group(2)
    except ValueError as problem:
        raise SymcostError(f"{where}: {metric} is no limit: {problem}") from None
    if not unit and "" not in units:
        raise SymcostError(f"{where}: {metric} = {text} has no unit: it is in {kind}, write {_example(kind)}")
    if unit not in units:
        hint = choose(unit, filter(None, units), 2)
        raise SymcostError(f"{where}: {metric} = {text!r} has an unknown unit {unit!r}: {hint}")
    return Limit(metric, number * units[unit], text)


def shown(given: Any) -> str:
    """A value of a file as it was written, shortened where it is long."""
    return str(given) if isinstance(given, Decimal) else short(given)


def _example(kind: str) -> str:
    return {
        COUNT: "25_000_000 or '25 M'", BYTES: "'320 KiB' or '1 MB'", SECONDS: "'10 ms'", JOULES: "'5 mJ'",
    }[kind]  # fmt: skip
