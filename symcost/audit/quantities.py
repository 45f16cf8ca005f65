"""What can be claimed of a network or a layer, and every reading of it that people use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from symcost.conventions import BY_NAME, PUBLISHED
from symcost.cost import CONVENTIONS, FULL, TEXTBOOK, XLA
from symcost.errors import SymcostError
from symcost.table import CostTable, Row

Number = int | Fraction


@dataclass(frozen=True)
class Reading:
    """One meaning of a quantity: its manner in words, the exact number, and the conventions in which the word means it.

    Published conventions hold only where a claim names them; a reading of none explains what was counted instead.
    """

    manner: str
    value: Number
    conventions: tuple[str, ...] = ()

    def meant(self, convention: str) -> bool:
        """Whether the quantity means this under a convention, or under any of counting where none is named."""
        return convention in self.conventions if convention else any(c in CONVENTIONS for c in self.conventions)


@dataclass(frozen=True)
class Scope:
    """What is claimed about: a network's table, and the rows of one layer (all of them for the network)."""

    table: CostTable
    rows: tuple[Row, ...]
    whole: bool

    def sum(self, metric: str, convention: str) -> int:
        """A metric of the rows."""
        if self.whole:
            return getattr(self.table.total(convention), metric)
        return sum(getattr(row.under(convention), metric) for row in self.rows)


def params(scope: Scope) -> list[Reading]:
    """Parameters: all of them, or the weights of products alone."""
    everything, weights = scope.sum("params", FULL), scope.sum("params", TEXTBOOK)
    norms = sum(row.under(FULL).params for row in scope.rows if row.op == "batch_norm")
    rest = "bias and norm" if norms else "bias"
    return [
        Reading(f"{rest} not counted", weights, (TEXTBOOK,)),
        Reading(f"{rest} counted", everything, (FULL, XLA, *PUBLISHED)),
        Reading("bias counted, batch norm not", everything - norms),
        Reading("batch norm counted with its moving averages", everything + norms),
    ]


def macs(scope: Scope) -> list[Reading]:
    """Multiply-accumulates, padding included; without padding only under ``xla``."""
    return [
        Reading("padding counted", scope.sum("macs", TEXTBOOK), (TEXTBOOK, FULL, *PUBLISHED)),
        Reading("padding not counted", scope.sum("macs", XLA), (XLA,)),
        Reading("these are FLOPs, two for each MAC", scope.sum("flops", TEXTBOOK)),
    ]


def flops(scope: Scope) -> list[Reading]:
    """Operations: two for each MAC, with or without all others."""
    found = [
        Reading("two for each MAC", scope.sum("flops", TEXTBOOK), (TEXTBOOK,)),
        Reading("elementwise operations counted", scope.sum("flops", FULL), (FULL,)),
        Reading("as XLA counts", scope.sum("flops", XLA), (XLA,)),
        Reading("these are MACs, half of the FLOPs", scope.sum("macs", TEXTBOOK), ("torchvision",)),
    ]
    if scope.whole and all(row.source in BY_NAME for row in scope.rows):
        fvcore = scope.table.total("fvcore").flops
        found.append(Reading("these are MACs, and batch norm counted as by fvcore", fvcore, ("fvcore",)))
    return found


def activations(scope: Scope) -> list[Reading]:
    """Elements of kept results: with the input for a network, of its output for a layer."""
    kept = scope.sum("activations", TEXTBOOK)
    if not scope.whole:
        return [Reading("elements of the output", kept, (TEXTBOOK,))]
    entering = sum(row.textbook.activations * row.times for row in scope.rows if row.source == "input")
    return [Reading("input counted", kept, (TEXTBOOK,)), Reading("input not counted", kept - entering)]


def peak(scope: Scope) -> list[Reading]:
    """Peak activations by both rules."""
    table: Any = scope.table
    if not scope.whole:
        raise SymcostError("peak_activations is a quantity of a whole network: leave the layer empty")
    return [
        Reading("largest input + output", table.peak("textbook"), (TEXTBOOK,)),
        Reading("alive at once", table.peak("liveness"), (FULL,)),
    ]


def _size(bits: int) -> Callable[[Scope], list[Reading]]:
    def read(scope: Scope) -> list[Reading]:
        return [
            Reading(f"{reading.manner}, {bits} bits each", Fraction(reading.value * bits, 8), reading.conventions)
            for reading in params(scope)
        ]

    return read


PLAIN: Mapping[str, Callable[[Scope], list[Reading]]] = {
    "params": params, "macs": macs, "flops": flops, "activations": activations, "peak_activations": peak,
}  # fmt: skip
_SIZE = re.compile(r"model_size(?:_(?P<unit>[kmg]?i?b|bytes))?(?:_(?:(?:fp|int|bf)(?P<bits>\d+)))?")
_SCALED = re.compile(r"(?P<scale>[kmgt])(?P<name>params|macs|flops)")


@dataclass(frozen=True)
class Quantity:
    """A quantity by its name in a claim: how to read numbers of it, and its readings."""

    name: str
    unit: str
    bytes_: bool
    readings: Callable[[Scope], list[Reading]]


def quantity(name: str) -> Quantity:
    """``params``, ``macs``, ``flops``, ``activations``, ``peak_activations``, with magnitude ``gmacs``, or a model size.

    >>> quantity("gmacs").unit, quantity("model_size_mb_fp32").unit
    ('g', 'mb')
    """
    if name in PLAIN:
        return Quantity(name, "", False, PLAIN[name])
    if match := _SCALED.fullmatch(name):
        return Quantity(match["name"], match["scale"], False, PLAIN[match["name"]])
    if match := _SIZE.fullmatch(name):
        unit = (match["unit"] or "b").replace("bytes", "b")
        return Quantity("model_size", unit, True, _size(int(match["bits"] or 32)))
    known = [*PLAIN, "gmacs", "gflops", "model_size_mb_fp32", "model_size_mb_int8"]
    near = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"use {', '.join(known)}"
    raise SymcostError(f"unknown quantity {name!r}: {hint}")
