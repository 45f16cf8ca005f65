"""The options of a budget: which limits each is for, and what it may say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from symcost.errors import SymcostError
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import OPTIONS, check
from symcost.gates.budgets.limits import FIT
from symcost.reading.numerals import short

FITTING = ("device", "dtype", "weights", "bits", "rule")
"""Options of ``fit``."""
LIMITS: Mapping[str, tuple[str, ...]] = {
    option: (*(name for name in QUANTITIES if option in QUANTITIES[name].options), *((FIT,) * (option in FITTING)))
    for option in OPTIONS
}
"""The limits, and quantities of conditions, that each option is for."""
TEXTS = tuple(name for name in LIMITS if name not in ("bits", "density", "batch", "zero", "microbatches"))


def told(option: str) -> str:
    """The limits of an option by name, without those that are others under one convention or rule."""
    return ", ".join(name for name in LIMITS[option] if name == FIT or not QUANTITIES[name].base)


def options(given: Mapping[str, Any], limits: Collection[str], where: str) -> dict[str, Any]:
    """The options of a budget with these limits; one that no limit uses, or that cannot be, is an error."""
    own = {name: given[name] for name in LIMITS if name in given}
    for name, value in own.items():
        place = f"{where}: {name} = {short(value)}"
        if name in TEXTS and not isinstance(value, str):
            raise SymcostError(f"{place} must be a text")
        if not set(LIMITS[name]) & set(limits):
            raise SymcostError(f"{place} has no limit to act on: it is for {told(name)}")
        check(name, value, place)
    if "bits" in own and "weights" in own:
        raise SymcostError(f"{where}: bits and weights both say how wide the weights are: leave one")
    if "density" in own and FIT in limits:
        raise SymcostError(f"{where}: fit counts every weight, density none: put them in two budgets")
    return own
