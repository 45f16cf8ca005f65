"""How fast a device computes the operations of a step: the peak of each of their number types, or what stands for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.exact import rational
from symcost.costs.table import CostTable
from symcost.devices import Device
from symcost.estimate.pod.work import DeviceWork, typed_flops

PLAIN = "bfloat16"
"""The type of work that says none."""


@dataclass(frozen=True)
class Peaks:
    """Operations a second by number type, the seconds of all FLOPs at them, and a sentence that says where they come from."""

    rates: Mapping[str, Fraction]
    seconds: Any
    said: str


def peaks_of(work: DeviceWork, where: Device, dtype: str | None = None) -> Peaks:
    """The peaks of a work's operations: in the type that is given, or in their own.

    >>> from symcost.devices import device
    >>> peaks_of(DeviceWork(flops=6, types={"float32": 6}), device("tpu-v5p")).said
    'float32 as traced, at the peak of bfloat16: none of float32 is published'
    """
    if dtype is not None:
        also = "" if work.table is None or not work.collectives else " (what devices exchange: as traced)"
        rate = where.operations(dtype) if work.flops != 0 else Fraction(1)
        return Peaks({dtype: rate}, work.flops / rational(rate), f"{dtype} as given{also}")
    if not work.types:
        rate = where.operations(PLAIN) if work.flops != 0 else Fraction(1)
        return Peaks({PLAIN: rate}, work.flops / rational(rate), f"{PLAIN} assumed: the work says no number types")
    taken = {name: where.computes_in(name) for name in work.types}
    rates = {name: where.operations(each) for name, each in taken.items()}
    seconds = sympy.Add(*(flops / rational(rates[name]) for name, flops in work.types.items()))
    return Peaks(rates, seconds, ", ".join([f"{' and '.join(taken)} as traced", *where.stand_ins(taken)]))


def types_said(costs: CostTable, where: Device, dtype: str | None) -> str:
    """In which number types the time of a step of a table with a plan is, in words."""
    types = typed_flops(costs.per_device, dtype)
    work = DeviceWork(flops=sympy.Add(*types.values()), types=types, collectives=costs.collectives, table=costs)
    return peaks_of(work, where, dtype).said
