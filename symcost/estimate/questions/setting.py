"""What a quantity is taken of: a table, and the options that say on what, in which number types and by which rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from symcost.costs.conventions import KNOWN
from symcost.costs.dtypes import bits_of
from symcost.costs.size import Bits
from symcost.devices import Device, device
from symcost.errors import SymcostError
from symcost.estimate.amounts import many
from symcost.estimate.bytes.states import BY_NAME, states_of
from symcost.estimate.bytes.types import Types, types_of
from symcost.estimate.pod.kept import check_zero
from symcost.estimate.time.work import MODELS
from symcost.reading.choices import PEAKS, AnyConvention, LatencyModel, Rule
from symcost.reading.nearest import choose
from symcost.reading.numerals import fraction, is_positive, short


@dataclass(frozen=True)
class Setting:
    """A table, a device, number types, and the rules by which it is counted.

    ``weights``: bits or a number type; ``model`` of latency, ``rule`` of peaks; ``convention``: of counting, that of each
    quantity unless given; ``density``: the share of the weights that is kept; ``batch``: what a throughput counts.
    """

    costs: Any
    on: str | Device | None = None
    dtype: str | None = None
    weights: str | Bits | None = None
    model: LatencyModel = "roofline"
    rule: Rule = "liveness"
    batch: Any = "n"
    convention: AnyConvention | None = None
    optimizer: str = "sgd"
    density: Any = 1
    zero: Any = 0
    microbatches: Any = 1

    @property
    def device(self) -> str | Device:
        """The device, which must be given."""
        if self.on is None:
            raise SymcostError(
                "latency, throughput and energy need a device, and so does fits: give one, such as 'nvidia-a100-sxm-80gb'"
            )
        return self.on

    @property
    def types(self) -> Types:
        """Number types of weights and activations."""
        return types_of(self.costs, self.dtype, self.weights)


class QuantityOptions(TypedDict, total=False):
    """The options of conditions and objectives, by name: those of :data:`OPTIONS`."""

    device: str | Device
    dtype: str
    weights: str | Bits
    bits: Bits
    density: Any
    latency_model: LatencyModel
    rule: Rule
    convention: AnyConvention
    optimizer: str
    zero: int
    microbatches: Any
    batch: Any


@dataclass(frozen=True)
class Option:
    """What an option is, and a check that says what is wrong with a value; ``field`` of a :class:`Setting` it is."""

    meaning: str
    field: str
    check: Callable[[Any], object]


def _one_of(known: Collection[str]) -> Callable[[Any], None]:
    def check(given: Any) -> None:
        if given not in known:
            raise SymcostError(f"it must be one of {', '.join(known)}")

    return check


def _bits(given: Any) -> None:
    for value in given.values() if isinstance(given, dict) else [given]:
        if not is_positive(value):
            raise SymcostError('bits are a positive integer, or a table of them by layer, as { "" = 8, head = 16 }')


def _density(given: Any) -> None:
    for value in given.values() if isinstance(given, dict) else [given]:
        try:
            share = None if isinstance(value, bool) else fraction(str(value))
        except (ValueError, ZeroDivisionError):
            share = None
        if share is None or not 0 <= share <= 1:
            raise SymcostError('it must be between 0 and 1, or a table of such by layer, as { "" = 1, head = 0.5 }')


def _widths(given: Any) -> object:
    return bits_of(given) if isinstance(given, str) else _bits(given)


OPTIONS: Mapping[str, Option] = {
    "device": Option("where it runs: a name or a file", "on", device),
    "dtype": Option("number type of operations and activations", "dtype", bits_of),
    "weights": Option("number type of the weights", "weights", _widths),
    "bits": Option("bits of the weights, one for all or by layer", "weights", _bits),
    "density": Option("share of the weights that are kept", "density", _density),
    "latency_model": Option(", ".join(MODELS), "model", _one_of(MODELS)),
    "rule": Option(", ".join(PEAKS), "rule", _one_of(PEAKS)),
    "convention": Option(", ".join(KNOWN), "convention", _one_of(KNOWN)),
    "optimizer": Option(", ".join(BY_NAME), "optimizer", states_of),
    "zero": Option("stage of ZeRO beside a plan: 0, 1 or 2", "zero", check_zero),
    "microbatches": Option(
        "runs of the program in a step of a plan: a number or a symbol", "microbatches",
        lambda given: many(given, "microbatches"),
    ),
    "batch": Option("what a throughput counts: a symbol or a number", "batch", lambda given: None),
}  # fmt: skip
"""Every option of a quantity."""


def check(name: str, value: Any, place: str) -> None:
    """Look at the value of an option; an error begins with the place where it is given."""
    try:
        OPTIONS[name].check(value)
    except SymcostError as problem:
        raise type(problem)(f"{place}: {problem}") from None


def setting(costs: Any, options: QuantityOptions | Mapping[str, Any], checked: bool = False) -> Setting:
    """The setting of a table with options by name, which are looked at first unless they were ``checked``.

    >>> setting(None, {"device": "stm32f746", "bits": 8}).weights
    8
    """
    for name, value in () if checked else options.items():
        if name not in OPTIONS:
            raise SymcostError(f"unknown option {name!r}: {choose(name, OPTIONS)}")
        check(name, value, f"{name}={short(value)}")
    if "bits" in options and "weights" in options:
        raise SymcostError("bits and weights both say how wide the weights are: leave one")
    given: dict[str, Any] = {OPTIONS[name].field: value for name, value in options.items()}
    return Setting(costs, **given)
