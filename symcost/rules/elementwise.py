"""Elementwise primitives: a table for most, a short rule where a parameter decides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from symcost.rules.base import Array, Facts, Op, Size, Work, add, rule
from symcost.rules.per_element import (
    COMPLEX,
    FLOAT64,
    PER_ELEMENT,
    SINCE_0_12,
    SINCE_0_12_COMPLEX,
    SINCE_0_12_FLOAT64,
    UNSIGNED,
    WIDENED,
    Figure,
)


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
    return _figure(name, dtype, arrays, {}, {}, {})


def xla_figure(name: str, dtype: str, arrays: int = 2) -> Figure:
    """Return the same as the installed XLA expands it."""
    if jax_version() < (0, 12):
        return figure(name, dtype, arrays)
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
    if dtype.startswith("complex"):
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


def elementwise(op: Op) -> Work:
    """``flops * #out`` and ``transcendentals * #out`` from :data:`PER_ELEMENT`."""
    arrays = len(op.ins) + len(op.outs)
    flops, calls = figure(op.name, op.ins[0].dtype, arrays)
    xla_flops, xla_calls = xla_figure(op.name, op.ins[0].dtype, arrays)
    if (flops, calls) == (xla_flops, xla_calls):
        return counted(op, flops * op.out.size, transcendentals=calls * op.out.size)
    return counted(
        op,
        flops * op.out.size,
        transcendentals=calls * op.out.size,
        xla_flops=xla_flops * op.out.size,
        xla_transcendentals=xla_calls * op.out.size,
    )


add((name for name in PER_ELEMENT if name != "pow"), elementwise)


@rule("pow")
def power(op: Op) -> Work:
    """``#out`` transcendentals; XLA also counts the conversion of an exponent of another number type."""
    base, exponent = op.ins
    if base.dtype == exponent.dtype:
        return elementwise(op)
    return Work(transcendentals=op.out.size, xla_flops=exponent.size)


def _exponent(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    return Facts(static=(int(params["y"]),))


@rule("integer_pow", extract=_exponent)
def integer_pow(op: Op) -> Work:
    """Square and multiply: ``floor(log2 |y|) + popcount |y| - 1`` products, a division if ``y < 0``."""
    (exponent,) = op.facts.static
    power = abs(exponent)
    products = power.bit_length() - 1 + power.bit_count() - 1 if power else 0
    return counted(op, (products + (exponent < 0)) * op.out.size)


@rule("convert_element_type")
def convert_element_type(op: Op) -> Work:
    """``1`` per element where the number type changes, ``0`` where it does not.

    From complex to anything but its own real type, ``2``: the real part is taken first.
    """
    source, target = op.ins[0].dtype, op.out.dtype
    steps = int(source != target)
    own_real = {"complex64": "float32", "complex128": "float64"}.get(source)
    if own_real is not None and not target.startswith("complex") and target != own_real:
        steps = 2
    return counted(op, steps * op.out.size)


@rule("bitcast_convert_type")
def bitcast_convert_type(op: Op) -> Work:
    """``#out`` integer operations: bits are read as another type, nothing is rounded."""
    return Work(int_ops=op.out.size)


@rule("select_n")
def select_n(op: Op) -> Work:
    """``(k - 1) #out`` choices of ``k`` cases; ``(k - 1) #predicate`` comparisons of integer predicates."""
    which, *cases = op.ins
    choices = len(cases) - 1
    comparisons: Size = 0 if which.dtype == "bool" else choices * which.size
    if cases[0].is_float:
        return Work(flops=choices * op.out.size, int_ops=comparisons)
    return Work(int_ops=choices * op.out.size + comparisons)
