"""Utilisation of a measured step, and the line of a training loop's log that says by which convention."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.costs.cost import TEXTBOOK
from symcost.costs.rows import total
from symcost.costs.table import CostTable
from symcost.devices import Device
from symcost.devices import device as device_of
from symcost.devices.device import exact_number
from symcost.errors import SymcostError
from symcost.reading.given import checked_but
from symcost.reading.numerals import is_positive

RECOMPUTED = "recompute"
FORWARD = "forward"
GIVEN = "a count as given"


@dataclass(frozen=True)
class Utilisation:
    """A share of the peak, exact, and what it was made of; ``float`` of it is the share, ``str`` the line for a log.

    ``flops``: of one step; ``seconds``: that it took; ``peak``: FLOPs per second of all the devices; ``counted``: which
    FLOPs these are.
    """

    flops: Fraction
    seconds: Fraction
    peak: Fraction
    device: str
    dtype: str
    devices: int
    counted: str

    @property
    def share(self) -> Fraction:
        """FLOPs per second over the peak."""
        return self.flops / self.seconds / self.peak

    def __float__(self) -> float:
        return float(self.share)

    def __str__(self) -> str:
        from symcost.formulas.units import percent, physical

        return (
            f"MFU {percent(self.share)}: {physical(self.flops / self.seconds, 'FLOP/s')} of "
            f"{physical(self.peak, 'FLOP/s')}, {self.devices} x {self.device} dense {self.dtype}; FLOPs of {self.counted}"
        )


@checked_but("costs")
def mfu(
    costs: CostTable | int | Fraction, seconds_per_step: Any, device: str | Device, dtype: str = "bfloat16", devices: int = 1,
    *, passes: int = 1,
) -> Utilisation:  # fmt: skip
    """Model FLOPs utilisation of a measured step: ``FLOPs of the step / seconds / (devices * peak)``, exact.

    ``costs``: the table of one step at a point (``costs.subs(n=8, ...)``), of which the ``textbook`` FLOPs count: two for
    each MAC of linear layers, convolutions, matrix and attention products. Of a table traced with ``mode="train"`` forward
    and backward count and what is computed again does not, so that rematerialisation cannot raise the figure. Of a table
    of the forward pass alone ``passes=3`` counts the backward pass as two more. Or an integer: FLOPs that were counted
    otherwise. ``seconds_per_step``: measured, best as a text or an integer, which are exact. The peak is that of dense
    operations in ``dtype``, as the device's source publishes it; more than it is an error.

    Convention and name: Chowdhery et al., PaLM, arXiv:2204.02311, appendix B.

    Raises:
        SymcostError: where a number is not positive, symbols are left, or it comes to more than the peak.
        DeviceError: where the device is unknown, or has no published peak for ``dtype``.

    >>> import symcost as sc
    >>> costs = sc.models.gpt2(n=8, N=1024, d=768, L=12, H=12)
    >>> print(mfu(costs, "0.25", "nvidia-a100-sxm-80gb", passes=3))
    MFU 9.0 %: 28 TFLOP/s of 312 TFLOP/s, 1 x nvidia-a100-sxm-80gb dense bfloat16; FLOPs of 3 x forward (textbook: 2 a MAC)
    >>> mfu(6 * 10**15, "12.5", "nvidia-a100-sxm-80gb", devices=4).share
    Fraction(5, 13)
    """
    if not is_positive(passes):
        raise SymcostError(f"passes={passes} must be a positive integer: 3 counts the backward pass as two more")
    if not is_positive(devices):
        raise SymcostError(f"devices={devices} must be a positive integer")
    flops, counted = _of_table(costs, passes) if isinstance(costs, CostTable) else (exact_number(costs), GIVEN)
    time = exact_number(seconds_per_step)
    if flops is None or flops < 0:
        raise SymcostError(f"costs={costs} must be a table at a point, or a count of FLOPs")
    if time is None or time <= 0:
        raise SymcostError(f"seconds_per_step={seconds_per_step} must be a positive time, such as '0.25'")
    if counted == GIVEN and passes != 1:
        raise SymcostError(f"passes={passes} is for a table of the forward pass: multiply the count instead")
    where = device_of(device)
    utilisation = Utilisation(flops, time, where.operations(dtype) * devices, where.name, dtype, devices, counted)
    if utilisation.share > 1:
        raise SymcostError(
            f"{flops} FLOPs in {time} s are {float(utilisation.share):.4g} times the {dtype} peak of {devices} x {where.name}: "
            "correct the count, the seconds, the number type or the number of devices"
        )
    return utilisation


def _of_table(costs: CostTable, passes: int) -> tuple[Fraction, str]:
    """(textbook FLOPs of the step, how they are called)."""
    phases = {row.phase for row in costs.rows}
    trained = phases != {FORWARD}
    if trained and passes != 1:
        raise SymcostError(f"passes={passes} is for a table of the forward pass: this one is of training, leave it out")
    kept = total((row for row in costs.rows if row.phase != RECOMPUTED), TEXTBOOK).flops
    if not isinstance(kept, int):
        left = sorted(str(symbol) for symbol in kept.free_symbols)
        if left:
            raise SymcostError(
                f"the utilisation needs a number for {', '.join(left)}: give costs.subs({', '.join(f'{n}=...' for n in left)})"
            )
    step = "forward and backward" if trained else "forward" if passes == 1 else f"{passes} x forward"
    again = ", nothing computed again" if RECOMPUTED in phases else ""
    return Fraction(int(kept)) * passes, f"{step}{again} (textbook: 2 a MAC)"
