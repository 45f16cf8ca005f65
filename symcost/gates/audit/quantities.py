"""What can be claimed of a network or a layer, and every reading of it that people use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.conventions import BY_NAME, COUNTED, PUBLISHED
from symcost.costs.cost import CONVENTIONS, FULL, TEXTBOOK, TOLD, XLA
from symcost.costs.dtypes import ASSUMED, BYTE, bits_of
from symcost.costs.exact import number
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import Setting
from symcost.formulas.measures import BYTES, COUNT
from symcost.gates.audit.printed import UNITS
from symcost.reading.choices import Convention
from symcost.reading.nearest import choose, folded

Number = int | Fraction
Readings = Callable[["Scope"], list["Meaning"]]


@dataclass(frozen=True)
class Meaning:
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

    def sum(self, metric: str, convention: Convention) -> int:
        """A metric of the rows."""
        if self.whole:
            return getattr(self.table.total(convention), metric)
        return sum(getattr(row.under(convention), metric) for row in self.rows)

    def by_xla(self, manner: str, metric: str) -> list[Meaning]:
        """The reading of XLA's convention, unless the table's figures of it are withdrawn."""
        return [Meaning(manner, self.sum(metric, XLA), (XLA,))] if XLA in self.table.conventions else []


def _plain(quantity: Any) -> Readings:
    """A quantity of the vocabulary that has one meaning under each convention, or one at all."""

    def read(scope: Scope) -> list[Meaning]:
        base = quantity.base or quantity.name
        fixed = quantity.name.removeprefix(f"{base}_")
        if base in TOLD and (fixed in CONVENTIONS or base == quantity.name):
            known: Sequence[Convention] = [c for c in scope.table.conventions if base in COUNTED or c != TEXTBOOK]
            own: Sequence[Convention] = [c for c in CONVENTIONS if c == fixed]
            of = own or sorted(known, key=lambda c: c != TOLD[base].convention)
            return [Meaning(f"as {convention} counts", scope.sum(base, convention), (convention,)) for convention in of]
        if not scope.whole:
            raise SymcostError(f"{quantity.name} is a quantity of a whole network: leave the layer empty")
        value = sympy.sympify(quantity(scope.setting), strict=True)
        return [Meaning(quantity.title, Fraction(int(value.p), int(value.q)), (*CONVENTIONS, *PUBLISHED))]

    return read


def params(scope: Scope) -> list[Meaning]:
    """Parameters: all of them, or the weights of products alone."""
    everything, weights, kept = scope.sum("params", FULL), scope.sum("params", TEXTBOOK), scope.sum("state", FULL)
    norms = sum(row.under(FULL).params for row in scope.rows if row.op == "batch_norm")
    rest = "bias and norm" if norms else "bias"
    return [
        Meaning(f"{rest} not counted", weights, (TEXTBOOK,)),
        Meaning(f"{rest} counted", everything, (FULL, XLA, *PUBLISHED)),
        Meaning("bias counted, batch norm not", number(everything - norms, "the parameters")),
        Meaning("batch norm counted with its moving averages" if norms else "state counted", everything + kept),
    ]


def _sums(*told: tuple[str, str, Convention, tuple[str, ...]]) -> Readings:
    """Readings by their manner, each a metric under a convention, and the conventions in which the word means it."""
    return lambda scope: [Meaning(manner, scope.sum(metric, of), meant) for manner, metric, of, meant in told]


def _part(name: str) -> Readings:
    """A part of the parameters, with or without bias and norm."""
    return _sums(
        ("bias and norm not counted", name, TEXTBOOK, (TEXTBOOK,)),
        ("bias and norm counted", name, FULL, (FULL, XLA, *PUBLISHED)),
        ("all parameters, not these alone", "params", FULL, ()),
    )


state = _sums(("moving averages and caches counted", "state", FULL, (FULL, XLA)))
"""Elements that are kept between calls beside the parameters; the textbook counts none."""
ops = _sums(
    ("two for each MAC", "ops", TEXTBOOK, (TEXTBOOK, FULL)),
    ("these are MACs, half of the OPs", "macs", TEXTBOOK, ()),
    ("elementwise operations counted", "flops", FULL, ()),
)
"""OPs of the lectures: two for each MAC, nothing else."""


def macs(scope: Scope) -> list[Meaning]:
    """Multiply-accumulates, padding included; without padding only under ``xla``."""
    return [
        Meaning("padding counted", scope.sum("macs", TEXTBOOK), (TEXTBOOK, FULL, *PUBLISHED)),
        *scope.by_xla("padding not counted", "macs"),
        Meaning("these are FLOPs, two for each MAC", scope.sum("flops", TEXTBOOK)),
    ]


def flops(scope: Scope) -> list[Meaning]:
    """Operations: two for each MAC, with or without all others."""
    meanings = [
        Meaning("two for each MAC", scope.sum("flops", TEXTBOOK), (TEXTBOOK,)),
        Meaning("elementwise operations counted", scope.sum("flops", FULL), (FULL,)),
        *scope.by_xla("as XLA counts", "flops"),
        Meaning("these are MACs, half of the FLOPs", scope.sum("macs", TEXTBOOK), ("torchvision",)),
    ]
    if scope.whole and all(row.source in BY_NAME for row in scope.rows):
        fvcore = scope.table.total("fvcore").flops
        meanings.append(
            Meaning("these are MACs, and batch norm counted as by fvcore", number(fvcore, "the MACs"), ("fvcore",))
        )
    return meanings


def activations(scope: Scope) -> list[Meaning]:
    """Elements of kept results: with the input for a network, of its output for a layer."""
    kept = scope.sum("activations", TEXTBOOK)
    if not scope.whole:
        return [Meaning("elements of the output", kept, (TEXTBOOK,))]
    entering = sum(row.textbook.activations * row.times for row in scope.rows if row.source == "input")
    return [
        Meaning("input counted", kept, (TEXTBOOK,)),
        Meaning("input not counted", number(kept - entering, "the activations")),
    ]


def peak(scope: Scope) -> list[Meaning]:
    """Peak activations by both rules."""
    table: Any = scope.table
    if not scope.whole:
        raise SymcostError("peak_activations is a quantity of a whole network: leave the layer empty")
    return [
        Meaning("largest input + output", table.peak("textbook"), (TEXTBOOK,)),
        Meaning("alive at once", table.peak("liveness"), (FULL,)),
    ]


def _only(readings: Readings, manner: str) -> Readings:
    """The readings of a quantity whose name says which one it is."""
    return lambda scope: [
        replace(reading, conventions=(TEXTBOOK, FULL) if reading.manner == manner else ())
        for reading in readings(scope)
    ]


def _size(bits: int | None) -> Readings:
    """Bytes of the readings of the parameters, in one width, or where none is given in their own types."""

    def read(scope: Scope) -> list[Meaning]:
        types = dict.fromkeys(row.dtype for row in scope.rows if row.dtype and row.cost.params != 0)
        if bits is None and types:
            return [_own_size(scope, " and ".join(types), convention) for convention in (TEXTBOOK, FULL)]
        width = bits or bits_of(ASSUMED)
        return [
            Meaning(f"{reading.manner}, {width} bits each", Fraction(reading.value * width, BYTE), reading.conventions)
            for reading in params(scope)
        ]

    return read


def _own_size(scope: Scope, types: str, convention: Convention) -> Meaning:
    """Bytes of the parameters in their own number types, as traced."""
    sized = ((bits_of(row.dtype or ASSUMED), row.under(convention).params) for row in scope.rows)
    total = sum((number(params, "the parameters") * bits / BYTE for bits, params in sized), start=Fraction(0))
    manner = f"bias {'' if convention == FULL else 'not '}counted, {types} as traced"
    return Meaning(manner, total, (FULL, XLA, *PUBLISHED) if convention == FULL else (TEXTBOOK,))


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
class ClaimedQuantity:
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


def quantity(name: str) -> ClaimedQuantity:
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
        return ClaimedQuantity("model_size", unit, BYTES.kind, _size(int(match["bits"]) if match["bits"] else None))
    for scale in ("", *_SCALES):
        for inner in (wanted.removeprefix(scale), wanted.removesuffix(scale)):
            if (known := _NAMES.get(inner)) and known not in _KINDS and (not scale or inner != wanted):
                return ClaimedQuantity(known, scale, COUNT, PLAIN[known])
    for known, unit in _KINDS.items():
        letters = wanted.removeprefix(folded(known)) or unit.sign.casefold()
        if wanted.startswith(folded(known)) and letters in UNITS[unit.kind]:
            return ClaimedQuantity(known, letters, unit.kind, PLAIN[known])
    known = [*PLAIN, "gmacs", "gflops", "model_size_mb_fp32", "model_size_mb_int8"]
    raise SymcostError(f"unknown quantity {name!r}: {choose(name, known)}")


def is_quantity(name: str) -> bool:
    """Whether a name is one of a quantity or of a formula."""
    try:
        return bool(quantity(name))
    except SymcostError:
        return False
