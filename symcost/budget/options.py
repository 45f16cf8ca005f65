"""The options of a budget: which limits each is for, and what it may say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from symcost.budget.limits import FIT, shown
from symcost.conventions import KNOWN
from symcost.devices import device
from symcost.dtypes import bits_of
from symcost.errors import SymcostError
from symcost.estimate.memory import RULES
from symcost.estimate.states import BY_NAME, states_of
from symcost.estimate.work import MODELS

TIMED = ("latency", "energy")
SIZED = ("model_size", "state_bytes", "total_bytes")
TYPED = (*SIZED, "activation_bytes", "training_bytes", *TIMED)
"""Limits that depend on number types."""
PEAKS = ("peak_activations", "activation_bytes", "total_bytes")
COUNTED = ("params", "state", "macs", "flops", "transcendentals", "activations")


@dataclass(frozen=True)
class Option:
    """What an option is, the limits that it is for, and a check that says what is wrong with a value."""

    meaning: str
    limits: tuple[str, ...]
    check: Callable[[Any], object]


def _one_of(known: Collection[str]) -> Callable[[Any], None]:
    def check(given: Any) -> None:
        if given not in known:
            raise SymcostError(f"it must be one of {', '.join(known)}")

    return check


def _bits(given: Any) -> None:
    for value in given.values() if isinstance(given, dict) else [given]:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SymcostError('bits are a positive integer, or a table of them by layer, as { "" = 8, head = 16 }')


def _density(given: Any) -> None:
    for value in given.values() if isinstance(given, dict) else [given]:
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1:
            raise SymcostError('it must be between 0 and 1, or a table of such by layer, as { "" = 1, head = 0.5 }')


OPTIONS: Mapping[str, Option] = {
    "device": Option("where it runs: a name or a file", (*TIMED, FIT), device),
    "dtype": Option("number type of operations and activations", (
        *TYPED, FIT), bits_of),
    "weights": Option("number type of the weights", (*SIZED, *TIMED, FIT), bits_of),
    "bits": Option("bits of the weights, one for all or by layer", (*SIZED, FIT), _bits),
    "density": Option("share of the weights that are kept", ("model_size", "total_bytes"), _density),
    "latency_model": Option(", ".join(MODELS), TIMED, _one_of(MODELS)),
    "rule": Option(", ".join(RULES), (*PEAKS, FIT), _one_of(RULES)),
    "convention": Option(", ".join(KNOWN), COUNTED, _one_of(KNOWN)),
    "optimizer": Option(", ".join(BY_NAME), ("training_bytes",), states_of),
}  # fmt: skip
"""Every option of a budget."""
TEXTS = tuple(name for name in OPTIONS if name not in ("bits", "density"))


def options(given: Mapping[str, Any], limits: Collection[str], where: str) -> dict[str, Any]:
    """The options of a budget with these limits; one that no limit uses, or that cannot be, is an error."""
    found = {name: given[name] for name in OPTIONS if name in given}
    for name, value in found.items():
        place = f"{where}: {name} = {shown(value)}"
        if name in TEXTS and not isinstance(value, str):
            raise SymcostError(f"{place} must be a text")
        if not set(OPTIONS[name].limits) & set(limits):
            raise SymcostError(f"{place} has no limit to act on: it is for {', '.join(OPTIONS[name].limits)}")
        try:
            OPTIONS[name].check(value)
        except SymcostError as problem:
            raise type(problem)(f"{place}: {problem}") from None
    if "bits" in found and "weights" in found:
        raise SymcostError(f"{where}: bits and weights both say how wide the weights are: leave one")
    if "density" in found and FIT in limits:
        raise SymcostError(f"{where}: fit counts every weight, density none: put them in two budgets")
    return found
