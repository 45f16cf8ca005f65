"""Units in keys: ``size_kib = 320`` is 327,680 bytes, exactly. A key says what is measured and in which unit.

A unit is a word behind an underscore; prefixes of ten (``k M G T P``) and of two (``ki Mi Gi Ti``) are exact.
"""

from __future__ import annotations

from fractions import Fraction

from symcost.reading.prefixes import BINARY, DECIMAL, PARTS

TEN = {prefix.lower(): scale for prefix, scale in DECIMAL.items()}  # keys of TOML are in small letters
TWO = {prefix.lower(): scale for prefix, scale in BINARY.items()}


def _sizes(suffix: str) -> dict[str, Fraction]:
    return {f"{prefix}b{suffix}": Fraction(scale) for prefix, scale in {**TEN, **TWO}.items()}


UNITS: dict[str, dict[str, Fraction]] = {
    "bytes": _sizes(""),
    "bytes per second": _sizes("_per_s"),
    "bits per cycle": {"bits_per_cycle": Fraction(1, 8)},
    "operations per second": {
        f"{prefix}{word}": Fraction(scale) for prefix, scale in TEN.items() for word in ("flops", "ops")
    },
    "operations per cycle": {"ops_per_cycle": Fraction(1)},
    "cycles per second": {f"{prefix}hz": Fraction(scale) for prefix, scale in TEN.items()},
    "watts": {f"{prefix}w": PARTS[prefix] for prefix in ("", "m")},
    "seconds": {f"{prefix}s": scale for prefix, scale in PARTS.items()},
    "joules": {f"{prefix}j": scale for prefix, scale in PARTS.items()},
}
"""For every kind of quantity its units and their exact size in bytes, operations, watts, seconds or joules."""


def split(key: str, kinds: tuple[str, ...]) -> tuple[str, str, Fraction] | None:
    """``(what, kind, scale)`` of a key such as ``size_kib``; None where it ends in none of the units of ``kinds``.

    >>> split("bandwidth_gb_per_s", ("bytes", "bytes per second"))
    ('bandwidth', 'bytes per second', Fraction(1000000000, 1))
    """
    parts = key.split("_")
    for start in range(1, len(parts)):
        unit = "_".join(parts[start:])
        for kind in kinds:
            if unit in UNITS[kind]:
                return "_".join(parts[:start]), kind, UNITS[kind][unit]
    return None


def examples(kinds: tuple[str, ...]) -> str:
    """Units of some kinds, for an error."""
    shown = {"bytes": "kib, mb, gb", "bytes per second": "gb_per_s", "operations per second": "gflops, tflops, tops",
             "watts": "w, mw", "seconds": "us, ms", "joules": "pj, nj", "bits per cycle": "bits_per_cycle",
             "operations per cycle": "ops_per_cycle", "cycles per second": "mhz"}  # fmt: skip
    return ", ".join(shown[kind] for kind in kinds)
