"""Number types: their width in bits in storage, in bytes to a compiler, and the name by which devices publish them.

The one table of widths. Types of less than a byte are packed in storage, as XLA packs two ``int4`` into a byte; XLA's
cost analysis counts a byte for each, and ``bytes_read`` and ``bytes_written`` follow it.
"""

from __future__ import annotations

import re

import numpy as np

from symcost.errors import DeviceError
from symcost.reading.nearest import near, offered
from symcost.reading.numerals import short

ASSUMED = "float32"
"""The type of what says none, such as layers."""
BYTE = 8
BITS = {
    "float64": 64, "float32": 32, "tensorfloat32": 32, "bfloat16": 16, "float16": 16, "float8": 8, "float6": 6, "float4": 4,
    "int64": 64, "int32": 32, "int16": 16, "int8": 8, "int4": 4, "int2": 2, "int1": 1,
    "uint64": 64, "uint32": 32, "uint16": 16, "uint8": 8, "uint4": 4, "uint2": 2, "uint1": 1,
    "bool": 8, "complex64": 64, "complex128": 128,
}  # fmt: skip
"""Bits that one number takes in memory; TensorFloat-32 is stored as float32, a truth value as a byte."""
_FORMAT = re.compile(r"(float[468])_e\d+m\d+[a-z0-9]*")
"""Small floats by their exponent and mantissa, as JAX names them: ``float8_e4m3fn``."""
FORMATS = (
    "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
    "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn",
)  # fmt: skip
"""Small floats of which JAX makes arrays."""
SHORT = {"fp64": "float64", "fp32": "float32", "tf32": "tensorfloat32", "fp16": "float16", "bf16": "bfloat16",
         "half": "float16", "f64": "float64", "f32": "float32", "f16": "float16",
         **{f"{letter}{bits}": f"{word}{bits}" for letter, word in (("i", "int"), ("u", "uint"), ("s", "int"))
            for bits in (2, 4, 8, 16, 32, 64)}}  # fmt: skip
"""Names of types as papers, XLA and other libraries write them."""
_NO_ARRAYS = ("tensorfloat32", "float8", "float6", "float4", "int1", "uint1")
"""Types in which devices compute, or families of types: no array is of one."""
ARRAYS = (*(name for name in BITS if name not in _NO_ARRAYS), *FORMATS)
"""Types of arrays."""
_KEY_BITS = {"key<fry>": 64, "key<rbg>": 128, "key<urbg>": 128}
"""Random keys: two words of Threefry, four of the hardware's generator."""
_ANY_KEY = 64
_NOTHING = {"token": 0, "float0": 8, "semaphore": 0, "barrier_semaphore": 0, "dma_sem": 0, "barrier": 0}
"""Bits of what carries no numbers: the order of effects, and what the parts of a kernel wait for."""


def number_type(name: str) -> tuple[str | None, list[str]]:
    """The number type of arrays that a name stands for; where there is none, the names that were perhaps meant.

    >>> number_type("fp16"), number_type("bool"), number_type("bol")
    (('float16', []), ('bool', []), (None, ['bool']))
    """
    whole = whole_name(name)
    if whole in ARRAYS:
        return whole, []
    try:
        dtype = np.dtype(whole)
    except TypeError:
        dtype = None
    if dtype is not None and dtype.kind in "biufc" and dtype.name in ARRAYS:
        return dtype.name, []
    return None, near(name, ARRAYS)


def whole_name(dtype: str) -> str:
    """The name of a type that is written short.

    >>> whole_name("fp16"), whole_name("float8_e5m2")
    ('float16', 'float8_e5m2')
    """
    return SHORT.get(dtype, dtype)


def family(dtype: str) -> str:
    """A type without the format of its exponent and mantissa, by its whole name.

    >>> family("float8_e4m3fn"), family("bfloat16"), family("fp16")
    ('float8', 'bfloat16', 'float16')
    """
    dtype = whole_name(dtype)
    formatted = _FORMAT.fullmatch(dtype)
    return formatted.group(1) if formatted else dtype


def arithmetic(dtype: str) -> str:
    """The name under which devices publish the arithmetic of a type: signs, formats and pairs of floats left out.

    >>> arithmetic("uint8"), arithmetic("float8_e5m2"), arithmetic("complex64")
    ('int8', 'float8', 'float32')
    """
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, family(dtype))
    return real.removeprefix("u")


def bits_of(dtype: str) -> int:
    """Bits of one number in storage; the nearest names are offered for an unknown type.

    >>> bits_of("bfloat16"), bits_of("float8_e4m3fn"), bits_of("uint4")
    (16, 8, 4)
    """
    if not isinstance(dtype, str):
        raise DeviceError(f"number type {short(dtype)} is not a name: use {', '.join(BITS)}")
    named = family(dtype)
    if named not in BITS:
        width = "".join(letter for letter in dtype if letter.isdigit())
        known = [name for name in BITS if name.startswith("u") == dtype.startswith("u")]
        alike = near(dtype, known, 2) or [name for name in known if width and name.endswith(width)]
        raise DeviceError(f"unknown number type {short(dtype)}: {offered(alike, 'use ' + ', '.join(BITS))}")
    return BITS[named]


def item_bytes(dtype: str) -> int:
    """Bytes of one element as XLA's cost analysis counts them: at least one, two words for a random key, none for a token.

    >>> item_bytes("int4"), item_bytes("key<fry>"), item_bytes("float32")
    (1, 8, 4)
    """
    bits = _KEY_BITS.get(dtype, _ANY_KEY) if dtype.startswith("key<") else _NOTHING.get(dtype)
    return max(1, bits_of(dtype) // BYTE) if bits is None else bits // BYTE


def wider(first: str, second: str) -> str:
    """The type that a computation with both is in: floats before integers, then the wider; the first of equals.

    >>> wider("int32", "bfloat16"), wider("bfloat16", "float32"), wider("", "int8")
    ('bfloat16', 'float32', 'int8')
    """
    return max(first, second, key=_rank)


def _rank(dtype: str) -> tuple[bool, bool, int]:
    if not dtype or dtype.startswith("key<") or dtype in _NOTHING:
        return False, False, 0
    named = family(dtype)
    return "float" in named or named.startswith("complex"), named != "bool", bits_of(named)
