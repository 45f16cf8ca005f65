"""What can be claimed of a network or a layer, and every reading of it that people use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.conventions import BY_NAME, COUNTED, PUBLISHED
from symcost.costs.cost import CONVENTIONS, FULL, TEXTBOOK, TOLD, XLA
from symcost.costs.dtypes import ASSUMED, BYTE, bits_of
from symcost.costs.table import CostTable, Row
from symcost.errors import SymcostError
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import Setting
from symcost.formulas.measures import BYTES, COUNT
from symcost.gates.audit.printed import UNITS
from symcost.reading.nearest import choose, folded

Number = int | Fraction
Readings = Callable[["Scope"], list["Reading"]]


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
    setting: Setting

    def sum(self, metric: str, convention: str) -> int:
        """A metric of the rows."""
        if self.whole:
            return getattr(self.table.total(convention), metric)
        return sum(getattr(row.under(convention), metric) for row in self.rows)

    def by_xla(self, manner: str, metric: str) -> list[Reading]:
        """The reading of XLA's convention, unless the table's figures of it are withdrawn."""
        return [Reading(manner, self.sum(metric, XLA), (XLA,))] if XLA in self.table.conventions else []


def _plain(quantity: Any) -> Readings:
    """A quantity of the vocabulary that has one meaning under each convention, or one at all."""

    def read(scope: Scope) -> list[Reading]:
        base = quantity.base or quantity.name
        fixed = quantity.name.removeprefix(f"{base}_")
        if base in TOLD and (fixed in CONVENTIONS or base == quantity.name):
            known = [c for c in scope.table.conventions if base in COUNTED or c != TEXTBOOK]
            of = [fixed] if fixed in CONVENTIONS else sorted(known, key=lambda c: c != TOLD[base].convention)
            return [Reading(f"as {convention} counts", scope.sum(base, convention), (convention,)) for convention in of]
        if not scope.whole:
            raise SymcostError(f"{quantity.name} is a quantity of a whole network: leave the layer empty")
        value = sympy.sympify(quantity(scope.setting), strict=True)
        return [Reading(quantity.title, Fraction(int(value.p), int(value.q)), (*CONVENTIONS, *PUBLISHED))]

    return read


def params(scope: Scope) -> list[Reading]:
    """Parameters: all of them, or the weights of products alone."""
    everything, weights, kept = scope.sum("params", FULL), scope.sum("params", TEXTBOOK), scope.sum("state", FULL)
    norms = sum(row.under(FULL).params for row in scope.rows if row.op == "batch_norm")
    rest = "bias and norm" if norms else "bias"
    return [
        Reading(f"{rest} not counted", weights, (TEXTBOOK,)),
        Reading(f"{rest} counted", everything, (FULL, XLA, *PUBLISHED)),
        Reading("bias counted, batch norm not", everything - norms),
        Reading("batch norm counted with its moving averages" if norms else "state counted", everything + kept),
    ]


def _part(name: str) -> Readings:
    """A part of the parameters, with or without bias and norm."""

    def read(scope: Scope) -> list[Reading]:
        return [
            Reading("bias and norm not counted", scope.sum(name, TEXTBOOK), (TEXTBOOK,)),
            Reading("bias and norm counted", scope.sum(name, FULL), (FULL, XLA, *PUBLISHED)),
            Reading("all parameters, not these alone", scope.sum("params", FULL)),
        ]

    return read


def state(scope: Scope) -> list[Reading]:
    """Elements that are kept between calls beside the parameters; the textbook counts none."""
    return [Reading("moving averages and caches counted", scope.sum("state", FULL), (FULL, XLA))]


def macs(scope: Scope) -> list[Reading]:
    """Multiply-accumulates, padding included; without padding only under ``xla``."""
    return [
        Reading("padding counted", scope.sum("macs", TEXTBOOK), (TEXTBOOK, FULL, *PUBLISHED)),
        *scope.by_xla("padding not counted", "macs"),
        Reading("these are FLOPs, two for each MAC", scope.sum("flops", TEXTBOOK)),
    ]


def ops(scope: Scope) -> list[Reading]:
    """OPs of the lectures: two for each MAC, nothing else."""
    return [
        Reading("two for each MAC", scope.sum("ops", TEXTBOOK), (TEXTBOOK, FULL)),
        Reading("these are MACs, half of the OPs", scope.sum("macs", TEXTBOOK)),
        Reading("elementwise operations counted", scope.sum("flops", FULL)),
    ]


def flops(scope: Scope) -> list[Reading]:
    """Operations: two for each MAC, with or without all others."""
    found = [
        Reading("two for each MAC", scope.sum("flops", TEXTBOOK), (TEXTBOOK,)),
        Reading("elementwise operations counted", scope.sum("flops", FULL), (FULL,)),
        *scope.by_xla("as XLA counts", "flops"),
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


def _only(readings: Readings, manner: str) -> Readings:
    """The readings of a quantity whose name says which one it is."""
    return lambda scope: [
        replace(reading, conventions=(TEXTBOOK, FULL) if reading.manner == manner else ())
        for reading in readings(scope)
    ]


def _size(bits: int | None) -> Readings:
    """Bytes of the readings of the parameters, in one width, or where none is given in their own types."""

    def read(scope: Scope) -> list[Reading]:
        types = dict.fromkeys(row.dtype for row in scope.rows if row.dtype and row.cost.params != 0)
        if bits is None and types:
            return [_own_size(scope, " and ".join(types), convention) for convention in (TEXTBOOK, FULL)]
        width = bits or bits_of(ASSUMED)
        return [
            Reading(f"{reading.manner}, {width} bits each", Fraction(reading.value * width, BYTE), reading.conventions)
            for reading in params(scope)
        ]

    return read


def _own_size(scope: Scope, types: str, convention: str) -> Reading:
    """Bytes of the parameters in their own number types, as traced."""
    sized = ((bits_of(row.dtype or ASSUMED), row.under(convention).params) for row in scope.rows)
    total = sum((Fraction(number * bits, BYTE) for bits, number in sized), start=Fraction(0))
    manner = f"bias {'' if convention == FULL else 'not '}counted, {types} as traced"
    return Reading(manner, total, (FULL, XLA, *PUBLISHED) if convention == FULL else (TEXTBOOK,))


PLAIN: Mapping[str, Readings] = {
    **{name: _plain(known) for name, known in QUANTITIES.items()},
    "params": params,
    "trainable": _part("trainable"),
    "active_params": _part("active_params"),
    "state": state,
    "macs": macs,
    "ops": ops,
    "flops": flops,
    "activations": activations,
    "peak_activations": peak,
    "activations_with_input": _only(activations, "input counted"),
    "activations_without_input": _only(activations, "input not counted"),
    "peak_activations_in_plus_out": _only(peak, "largest input + output"),
    "peak_activations_alive": _only(peak, "alive at once"),
}
"""The readings of every quantity: what most words mean differs between people."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "params": ("params", "param", "parameters", "weights"),
    "trainable": ("trainable", "trainableparams", "trainableparameters", "trainedparams"),
    "active_params": ("activeparams", "activeparameters", "activatedparams", "activatedparameters"),
    "state": ("state", "buffers"),
    "macs": ("macs", "mac", "maccs", "multadds", "madds", "muladds", "multiplyadds"),
    "ops": ("ops", "op", "operations"),
    "flops": ("flops", "flop"),
    "activations": ("activations", "activation", "acts"),
}
"""What quantities are called, folded: in their column, and behind their numbers."""
_NAMES = {
    **{folded(name): name for name in PLAIN},
    **{word: name for name, words in WORDS.items() for word in words},
    "numberofparameters": "params", "peak": "peak_activations",
}  # fmt: skip
_SIZE = re.compile(r"(?:model)?size(?P<unit>[kmg]?i?b|bytes)?(?:(?:fp|int|bf)(?P<bits>[0-9]{1,3}))?")
_KINDS = {name: known.unit for name, known in QUANTITIES.items() if known.unit.kind != COUNT}
_SCALES = ("k", "m", "g", "t", "b", "million", "billion")


@dataclass(frozen=True)
class Quantity:
    """A quantity by its name in a claim: how to read numbers of it, and its readings; ``layer`` if the name has one."""

    name: str
    unit: str
    kind: str
    readings: Readings
    layer: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What may stand behind its numbers."""
        return next((words for name, words in WORDS.items() if self.name.startswith(name)), ())


def quantity(name: str) -> Quantity:
    """A quantity of :data:`PLAIN`, with a magnitude (``gmacs``, ``Params (M)``) or unit (``latency_ms``), or ``conv1.params``.

    >>> quantity("gmacs").unit, quantity("model_size_mb_fp32").unit, quantity("Latency (ms)").unit
    ('g', 'mb', 'ms')
    """
    layer, dot, last = name.rpartition(".")
    if dot and layer:
        return replace(quantity(last), layer=layer.strip())
    wanted = folded(name)
    if match := _SIZE.fullmatch(wanted):
        unit = (match["unit"] or "b").replace("bytes", "b")
        return Quantity("model_size", unit, BYTES.kind, _size(int(match["bits"]) if match["bits"] else None))
    for scale in ("", *_SCALES):
        for inner in (wanted.removeprefix(scale), wanted.removesuffix(scale)):
            if (known := _NAMES.get(inner)) and known not in _KINDS and (not scale or inner != wanted):
                return Quantity(known, scale, COUNT, PLAIN[known])
    for known, unit in _KINDS.items():
        letters = wanted.removeprefix(folded(known)) or unit.sign.casefold()
        if wanted.startswith(folded(known)) and letters in UNITS[unit.kind]:
            return Quantity(known, letters, unit.kind, PLAIN[known])
    known = [*PLAIN, "gmacs", "gflops", "model_size_mb_fp32", "model_size_mb_int8"]
    raise SymcostError(f"unknown quantity {name!r}: {choose(name, known)}")


def is_quantity(name: str) -> bool:
    """Whether a name is one of a quantity or of a formula."""
    try:
        return bool(quantity(name))
    except SymcostError:
        return False
