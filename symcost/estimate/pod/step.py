"""How long a step of a sharded program is: each device computes and moves, and the axes of the mesh communicate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, get_args

import sympy

from symcost.costs.exact import at_point, larger, number, rational
from symcost.costs.table import CostTable
from symcost.devices import Device, device
from symcost.errors import SymcostError
from symcost.estimate.amounts import amount
from symcost.estimate.pod.collective import collective_time
from symcost.estimate.pod.peaks import peaks_of
from symcost.estimate.pod.pipeline import pipeline_bubble
from symcost.estimate.pod.places import MeshAxis, Places, check_axes
from symcost.estimate.pod.work import DeviceWork
from symcost.estimate.time.efficiency import ConstantEfficiency, efficiency_of
from symcost.formulas.graph.leading import brief
from symcost.formulas.units import as_number, physical, rounded
from symcost.reading.given import checked_but
from symcost.reading.nearest import choose

Overlap = Literal["compute", "all", "none"]
OVERLAPS: tuple[Overlap, ...] = get_args(Overlap)
HOUR = 3600
COMPUTE, MEMORY = "compute", "memory"
"""What bounds a step beside its communication."""


@dataclass(frozen=True, repr=False)
class StepTime:
    """Seconds of one step, exact in the symbols of the work.

    ``compute``: FLOPs over the peak of the number type that they are in; ``memory``: bytes over the bandwidth of the device's
    memory; ``communication``: by axes of the mesh (of one switch all together, whose links they share); ``bubble``: the idle
    share of a pipeline; ``overlap``: what happens at once. ``dtype``: the number types of the operations, ``peak``: the fastest
    of theirs.
    ``assumed``: what the numbers rest on.
    """

    compute: sympy.Expr
    memory: sympy.Expr
    communication: Mapping[str, sympy.Expr]
    bubble: sympy.Expr
    overlap: Overlap
    device: Device
    dtype: str
    peak: Fraction
    work: DeviceWork = field(repr=False)
    assumed: str = ""
    kinds: Mapping[str, sympy.Expr] = field(default_factory=dict, repr=False)
    """The communication by kind and axes, as ``all-gather over data``."""

    @cached_property
    def total_communication(self) -> Any:
        """All axes, one after the other."""
        return sympy.expand(sympy.Add(*self.communication.values()))

    @cached_property
    def busy(self) -> Any:
        """Seconds in which the device works or communicates: the step without the bubble."""
        local = larger(self.compute, self.memory)
        if self.overlap == "none":
            return local + self.total_communication
        sent = [self.total_communication] if self.overlap == "compute" else list(self.communication.values())
        for each in sent:
            local = larger(local, each)
        return local

    @cached_property
    def seconds(self) -> Any:
        """``busy / (1 - bubble)``."""
        return self.busy if self.bubble == 0 else self.busy / (1 - self.bubble)

    @property
    def bound(self) -> str:
        """What takes longest: ``compute``, ``memory``, the axes of the longest communication, or ``depends`` on its symbols."""
        parts = {COMPUTE: self.compute, MEMORY: self.memory, **self.communication}
        longest = [
            name for name, part in parts.items()
            if all(sympy.expand(part - other).is_nonnegative for other in parts.values())
        ]  # fmt: skip
        return longest[0] if longest else "depends"

    def bound_at(self, point: Mapping[str, int]) -> str:
        """What takes longest at a point: ``compute``, ``memory``, or the kind and axes that take most of the communication."""
        seconds = {name: number(at_point(part, point), name) for name, part in self._taken().items()}
        longest = max(seconds, key=lambda name: seconds[name])
        if longest in (COMPUTE, MEMORY):
            return longest
        sent = {name: number(at_point(part, point), name) for name, part in self.kinds.items()}
        return max(sent, key=lambda name: sent[name])

    def _taken(self) -> dict[str, sympy.Expr]:
        """What may take longest: of axes that do not hide each other all together."""
        sent = self.communication if self.overlap == "all" else {"communication": self.total_communication}
        return {COMPUTE: self.compute, MEMORY: self.memory, **(sent if self.kinds else {})}

    @property
    def tokens_per_second(self) -> Any:
        """Tokens of a step, or examples, on all devices over its seconds."""
        return self._tokens() / self.seconds

    @property
    def mfu(self) -> Any:
        """Model FLOPs of a device over what its peak allows in the time: Chowdhery et al., arXiv:2204.02311, appendix B."""
        model = self.work.flops if self.work.model_flops is None else self.work.model_flops
        return model / (self.seconds * rational(self.peak))

    def cost_per_token(self, price: Any) -> Any:
        """``price * devices * seconds / (3600 * tokens)`` with the price of one device for an hour, a number or a formula."""
        return amount(price, "price") * self.work.devices * self.seconds / (HOUR * self._tokens())

    def value(self, **point: int) -> Fraction:
        """Exact seconds at a point; a symbol left free is an error, and so is a point outside the domain of the work's table."""
        table = self.work.table
        if table is not None:
            table.subs(**{name: size for name, size in point.items() if name in table.symbols})
        return number(at_point(self.seconds, point), "the time of a step")

    def _tokens(self) -> Any:
        if self.work.tokens is None:
            raise SymcostError("how many tokens a step has is not known: give tokens, as tokens='B*T'")
        return self.work.tokens

    def __str__(self) -> str:
        if as_number(self.seconds) is None:
            said = f"{brief(self.seconds)} s a step"
        else:
            said = f"{physical(self.seconds, 's')} a step, bound by {self.bound},"
        shown = f" x {self.work.devices}" if self.work.devices != 1 else ""
        return f"{said} on {self.device.name}{shown} ({self.dtype}); {self.assumed}"

    def __repr__(self) -> str:
        return f"<StepTime {self}>"


@checked_but("work", "efficiency")
def step_time(
    work: DeviceWork | CostTable,
    on: str | Device,
    dtype: str | None = None,
    *,
    tokens: Any = None,
    places: Mapping[str, MeshAxis | str] | None = None,
    overlap: Overlap = "compute",
    efficiency: Any = None,
    hops: bool = True,
    stages: Any = 1,
    microbatches: Any = 1,
    chunks: Any = 1,
) -> StepTime:
    """Seconds of one step of a sharded program on each of its devices, exact in its symbols.

    ``work``: a table, traced with a plan or of what one device does (:meth:`DeviceWork.of`), or the work by hand. ``tokens``
    of a step on all devices, or examples: a number or a formula, as ``"B*T"``.

    ``max(FLOPs / peak, bytes / bandwidth)`` beside the collectives, each by :func:`collective_time` with ``places`` for the axes
    of the mesh. ``overlap`` says what happens at once: ``compute`` (computing hides the axes, which follow each other:
    ``max(T_math, sum T_comms)``, as the scaling book has it, chapter "training"), ``all`` (the axes hide each other too: the
    least that is possible), ``none`` (the sum). ``efficiency``: the share of the peak that is reached, all of it unless given.
    ``dtype``: the number type of all operations, and of what memory moves for a table, as if it had been traced so (what
    devices exchange is as traced); unless given each operation is in its own, and in ``bfloat16`` where the work says none.
    Where no peak of ``float32`` is published, as on TPUs, which multiply it in ``bfloat16`` unless asked for more
    (``jax.lax.Precision``), it is that of the widest narrower float; ``assumed`` says so.
    ``hops=False`` leaves out latencies, as for large messages. With ``stages`` and ``microbatches`` the step is longer by the
    pipeline's :func:`pipeline_bubble`; ``work`` is then of one stage for all microbatches.

    Raises:
        DeviceError: where the device is unknown, or lacks a peak, a bandwidth or a network that is needed.
        SymcostError: where an argument is another.

    >>> from symcost.costs.mesh.collectives import Collective
    >>> gather = Collective(kind="all-gather", axes=("X",), size="X", bytes="4*D*F")  # FSDP of an MLP, forward
    >>> work = DeviceWork(flops="4*B*D*F/X", collectives=[gather], devices="X", tokens="B")
    >>> found = step_time(work, "tpu-v5p", hops=False)
    >>> found.communication["X"]
    D*F/45000000000
    >>> from symcost.estimate.questions.sense import crossover
    >>> print(crossover(found.compute, found.communication["X"], "B"))  # 2550 tokens a chip
    equal at B = 2550*X; beyond it the first is larger
    """
    where = device(on)
    if isinstance(work, CostTable):
        work = DeviceWork.of(work, dtype=dtype)
    if not isinstance(work, DeviceWork):
        raise SymcostError(
            f"a {type(work).__name__} is no work of a device: give a table of costs, or DeviceWork(flops=..., collectives=...)"
        )
    if overlap not in OVERLAPS:
        raise SymcostError(f"unknown overlap {overlap!r}: {choose(overlap, OVERLAPS)}")
    rate = efficiency_of(efficiency)
    if not isinstance(rate, ConstantEfficiency):
        raise SymcostError("a step has one share of the peak for all of its kernels: give efficiency a number, as 0.4")
    work = work if tokens is None else replace(work, tokens=tokens)
    peaks = peaks_of(work, where, dtype)
    moved = rational(where.bandwidth("activations")) if work.bytes != 0 else sympy.S.One
    communication, kinds, assumed = _communication(work, where, places, hops)
    idle = pipeline_bubble(stages, microbatches, chunks)
    said = ["full peak" if rate.share == 1 else f"{rounded(100 * rate.share)} % of the peak", *assumed]
    return StepTime(
        sympy.expand(peaks.seconds / rational(rate.share)), sympy.expand(work.bytes / moved), communication, idle, overlap, where,
        " and ".join(peaks.rates), max(peaks.rates.values()), work, ", ".join([peaks.said, *said, f"overlap: {overlap}"]),
        kinds,
    )  # fmt: skip


def _communication(
    work: DeviceWork, where: Device, places: Places | None, hops: bool
) -> tuple[dict[str, sympy.Expr], dict[str, sympy.Expr], list[str]]:
    """Seconds by axes, of a switch together under its name; by kind and axes; and what is assumed of them."""
    found: dict[str, list[Any]] = {}
    kinds: dict[str, list[Any]] = {}
    assumed: dict[str, None] = {}
    for row in work.collectives:
        taken = collective_time(row, where, places, mesh=work.mesh)
        shared = not taken.parts and not where.network(taken.network).is_torus
        once = (taken.seconds if hops else taken.bandwidth) * amount(row.times, "times")
        found.setdefault(taken.network if shared else ", ".join(row.axes), []).append(once)
        kinds.setdefault(f"{row.kind} over {', '.join(row.axes)}", []).append(once)
        if taken.assumed:
            assumed[taken.assumed] = None
    check_axes(where, [axis for row in work.collectives if row.size != 1 for axis in row.axes], places)
    added, by_kind = ({name: sympy.Add(*parts) for name, parts in each.items()} for each in (found, kinds))
    return added, by_kind, list(assumed)
