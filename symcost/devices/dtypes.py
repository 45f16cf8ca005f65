"""Number types and their width in bits."""

from __future__ import annotations

from difflib import get_close_matches

from symcost.errors import DeviceError

BITS = {
    "float64": 64, "float32": 32, "tensorfloat32": 32, "bfloat16": 16, "float16": 16, "float8": 8, "float4": 4,
    "int32": 32, "int16": 16, "int8": 8, "int4": 4,
}  # fmt: skip
"""Bits that one number takes in memory; TensorFloat-32 is stored as float32."""


def bits_of(dtype: str) -> int:
    """Width of a number type; the nearest names are offered for an unknown one.

    >>> bits_of("bfloat16")
    16
    """
    if not isinstance(dtype, str):
        raise DeviceError(f"number type {dtype!r} is not a name: use {', '.join(BITS)}")
    if dtype not in BITS:
        width = "".join(letter for letter in dtype if letter.isdigit())
        near = get_close_matches(dtype, BITS, n=2) or [name for name in BITS if width and name.endswith(width)]
        hint = f"did you mean {' or '.join(near)}?" if near else f"use {', '.join(BITS)}"
        raise DeviceError(f"unknown number type {dtype!r}: {hint}")
    return BITS[dtype]
