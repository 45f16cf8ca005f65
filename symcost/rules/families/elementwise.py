"""Elementwise primitives: a table for most, a short rule where a parameter decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from symcost.costs.dtypes import item_bytes
from symcost.rules.base import Op, Size, Work, add, rule, static
from symcost.rules.complex_numbers import PARTS_OF, element, is_complex, parts, real_type
from symcost.rules.per_element import (
    COMPLEX,
    FLOAT64,
    PART_BY_PART,
    PER_ELEMENT,
    READS_PARTS,
    SINCE_0_12,
    SINCE_0_12_COMPLEX,
    SINCE_0_12_FLOAT64,
    SINCE_0_12_READS_PARTS,
    UNSIGNED,
    WIDENED,
    Figure,
)

WORD = 4
"""Bytes of a word."""


@cache
def jax_version() -> tuple[int, int]:
    """Installed jax as ``(major, minor)``, read from its metadata; without jax, the newest known."""
    try:
        major, minor = version("jax").split(".")[:2]
    except PackageNotFoundError:
        return (0, 12)
    return int(major), int(minor)


def figure(name: str, dtype: str, arrays: int = 2) -> Figure:
    """``(flops, transcendentals)`` per element; narrow ``arrays`` (operands and results) may be widened."""
    if name in PARTS_OF:
        return (0, 0)
    if is_complex(dtype):
        return element(name, dtype)
    return _figure(name, dtype, arrays, {}, {}, {})


def xla_figure(name: str, dtype: str, arrays: int = 2) -> Figure:
    """Return the same as the installed XLA expands it."""
    if jax_version() < (0, 12):
        return _figure(name, dtype, arrays, {}, {}, {})
    return _figure(name, dtype, arrays, SINCE_0_12, SINCE_0_12_COMPLEX, SINCE_0_12_FLOAT64)


def _figure(
    name: str,
    dtype: str,
    arrays: int,
    newer: Mapping[str, Figure],
    newer_complex: Mapping[str, Figure],
    newer_float64: Mapping[str, Figure],
) -> Figure:
    general = newer.get(name, PER_ELEMENT[name])
    if is_complex(dtype):
        return newer_complex.get(name, COMPLEX.get(name, PER_ELEMENT[name]))
    if dtype == "float64":
        return newer_float64.get(name, FLOAT64.get(name, general))
    if dtype.startswith("uint"):
        return UNSIGNED.get(name, general)
    if "float" in dtype and dtype != "float32" and name in WIDENED:
        return general[0] + arrays, general[1]
    return general


def counted(op: Op, operations: Size, **more: Any) -> Work:
    """``operations`` as FLOPs when an operand or a result is a float, as integer operations otherwise."""
    if any(array.is_float for array in (*op.ins, *op.outs)):
        return Work(flops=operations, **more)
    return Work(int_ops=operations, **more)


def combined(name: str, op: Op, times: Size, xla_times: Size | None = None, materialises: bool = False) -> Work:
    """The primitive ``name`` on ``times`` elements like the first operand's, ``xla_times`` as XLA counts."""
    dtype, arrays = op.ins[0].dtype, len(op.ins) + len(op.outs)
    flops, calls = figure(name, dtype, arrays)
    xla_flops, xla_calls = xla_figure(name, dtype, arrays)
    if (flops, calls) == (xla_flops, xla_calls) and xla_times is None:
        return counted(op, flops * times, transcendentals=calls * times, materialises=materialises)
    seen = times if xla_times is None else xla_times
    return counted(
        op,
        flops * times,
        transcendentals=calls * times,
        materialises=materialises,
        xla_flops=xla_flops * seen,
        xla_transcendentals=xla_calls * seen,
    )


def elementwise(op: Op) -> Work:
    """``flops * #out`` and ``transcendentals * #out`` from the tables of real and of complex elements.

    Of a complex result of which parts are read, or an operand that is put together from parts, XLA counts less.
    """
    work = combined(op.name, op, op.out.size)
    if not op.facts.static:
        return work
    flops, calls = _part_by_part(op)
    return replace(work, xla_flops=flops * op.out.size, xla_transcendentals=calls * op.out.size)


WHOLE, BOTH, REAL, IMAGINARY = "whole", "both", "real", "imag"
"""What is read of a complex result: the number, both parts apart, or one."""


def parts_taken(name: str, which: str) -> int:
    """How often a function of complex numbers takes a part of its operand, to make ``which`` of its result."""
    if name in PART_BY_PART:
        return PART_BY_PART[name][2][{REAL: 1, IMAGINARY: 2}.get(which, 0)]
    newer = SINCE_0_12_READS_PARTS if jax_version() >= (0, 12) else {}
    return newer.get(name, READS_PARTS.get(name, 0))


def _part_by_part(op: Op) -> Figure:
    """Return what XLA counts per element where the facts say which parts are read and what is saved on the operands."""
    which, saved = op.facts.static
    flops, calls = xla_figure(op.name, op.ins[0].dtype)
    if op.name in PART_BY_PART and which != WHOLE:
        real, imaginary, _ = PART_BY_PART[op.name]
        flops, calls = {BOTH: (flops - 1, calls), REAL: real, IMAGINARY: imaginary}[which]
    return flops - saved, calls


add((name for name in PER_ELEMENT if name != "pow"), elementwise)


@rule("pow")
def power(op: Op) -> Work:
    """``#out`` powers; XLA also counts the conversion of an exponent of another number type."""
    base, exponent = op.ins
    work = elementwise(op)
    return work if base.dtype == exponent.dtype else replace(work, xla_flops=work.flops_under_xla + exponent.size)


@rule("integer_pow", extract=static("y"))
def integer_pow(op: Op) -> Work:
    """Square and multiply: ``floor(log2 |y|) + popcount |y| - 1`` products, a division if ``y < 0``."""
    (exponent,) = op.facts.static
    power = abs(int(exponent))
    products = power.bit_length() - 1 + power.bit_count() - 1 if power else 0
    mul, div = (figure(name, op.out.dtype)[0] for name in ("mul", "div"))
    return counted(op, (products * mul + (exponent < 0) * div) * op.out.size,
                   xla_flops=(products + (exponent < 0)) * op.out.size)  # fmt: skip


@rule("convert_element_type")
def convert_element_type(op: Op) -> Work:
    """``1`` per element where the number type changes, ``0`` where it does not; of complex numbers each part.

    What stays as it is, is no operation: the real part of a number, or a part that is 0 from now on. XLA counts one
    operation for each conversion, and one more to take the real part where that is converted further.
    """
    source, target = op.ins[0].dtype, op.out.dtype
    both = parts(source) if is_complex(target) else 1
    changes = source != target if both > 1 else real_type(source) != real_type(target)
    steps = int(source != target)
    if is_complex(source) and not is_complex(target) and target != real_type(source):
        steps = 2
    return counted(op, both * changes * op.out.size, xla_flops=steps * op.out.size)


@rule("bitcast_convert_type")
def bitcast_convert_type(op: Op) -> Work:
    """``#out`` integer operations: bits are read as another type, nothing is rounded."""
    return Work(int_ops=op.out.size)


@rule("select_n")
def select_n(op: Op) -> Work:
    """``(k - 1) #out`` choices of ``k`` cases, of both parts where they are complex; integer predicates are compared.

    Random keys are chosen word by word. The comparisons are ``(k - 1) #predicate`` integer operations.
    """
    which, *cases = op.ins
    choices = len(cases) - 1
    comparisons: Size = 0 if which.dtype == "bool" else choices * which.size
    if cases[0].is_float:
        chosen = choices * op.out.size
        return Work(flops=parts(op.out.dtype) * chosen, int_ops=comparisons, xla_flops=chosen + comparisons)
    return Work(int_ops=choices * words(op.out.dtype) * op.out.size + comparisons)


def words(dtype: str) -> int:
    """Words of 32 bits in a random key; other elements are one.

    >>> words("key<fry>"), words("key<rbg>"), words("uint32")
    (2, 4, 1)
    """
    return item_bytes(dtype) // WORD if dtype.startswith("key<") else 1
