"""The share of its peak that a device is assumed to reach: a number, or a curve over a kernel's size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from symcost.costs.exact import rational
from symcost.devices.device import exact_number
from symcost.errors import SymcostError
from symcost.estimate.time.work import Kernel
from symcost.reading.numerals import bare, short


class Efficiency(Protocol):
    """Anything that says how many operations at the full peak a kernel is worth."""

    def work(self, kernel: Kernel) -> Any:
        """Operations that the device could have done in the time."""
        ...


@dataclass(frozen=True)
class ConstantEfficiency:
    """Always the same share of the peak."""

    share: Fraction

    def work(self, kernel: Kernel) -> Any:
        """``operations / share``."""
        return kernel.operations / rational(self.share)


@dataclass(frozen=True)
class Saturating:
    """``limit * operations / (operations + half)`` of the peak: at ``half`` operations half of the limit is reached.

    The time of a kernel stays linear, ``(operations + half) / (limit * peak)``, and a small one takes as long as
    ``half`` operations: the same curve as a launch of that length.

    Raises:
        SymcostError: where the limit is no share in (0, 1], or ``half`` is negative.

    >>> from symcost.models import alexnet
    >>> from symcost.estimate.time.work import kernels
    >>> (whole,) = kernels(alexnet(), "whole")
    >>> Saturating("0.5", 1000).work(whole) - 2 * whole.operations
    2000
    """

    limit: Any
    half: Any

    def __post_init__(self) -> None:
        limit, half = exact_number(self.limit), exact_number(self.half)
        if limit is None or not 0 < limit <= 1 or half is None or half < 0:
            given = f"limit={short(self.limit)}, half={short(self.half)}"
            raise SymcostError(f"efficiency of {given}: the limit is a share in (0, 1], half 0 operations or more")
        object.__setattr__(self, "limit", limit)
        object.__setattr__(self, "half", half)

    def work(self, kernel: Kernel) -> Any:
        """``(operations + half) / limit``; a kernel without operations takes none."""
        if kernel.operations == 0:
            return kernel.operations
        return (kernel.operations + rational(self.half)) / rational(self.limit)


def efficiency_of(given: Any) -> Efficiency:
    """An efficiency from a number in (0, 1], a text of one, or a curve; all of the peak where none is given."""
    if given is None:
        return ConstantEfficiency(Fraction(1))
    if hasattr(given, "work"):
        return given
    share = exact_number(given)
    if share is None or not 0 < share <= 1:
        raise SymcostError(f"efficiency={bare(given)} must be a share of the peak in (0, 1]: give one such as 0.4")
    return ConstantEfficiency(share)
