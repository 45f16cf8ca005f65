"""Patch-based inference: the first stage of a network runs patch by patch, so that its large tensors never exist whole.

Lin et al.: MCUNetV2: Memory-Efficient Patch-based Inference for Tiny Deep Learning, arXiv:2110.15352. The output of the
stage is cut into ``p x p`` patches; each needs its receptive field of the input, so neighbouring patches overlap (the
halo) and what lies in the overlap is computed again. All sizes are exact, borders included; they must be numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symcost.errors import ShapeError, SymcostError
from symcost.layers.algebra import Size, exact
from symcost.layers.base import Layer, shaped
from symcost.layers.combine import Sequential
from symcost.layers.layered import LayerTable
from symcost.layers.liveness import peak_sizes
from symcost.layers.tape import Event, Tape
from symcost.layers.tensor import Tensor
from symcost.layers.windowed import Windowed
from symcost.table import Row

Range = tuple[int, int]
"""Places from the first to behind the last."""


@dataclass(frozen=True)
class Patched:
    """Peak and MACs of a network whose first stage runs in patches, beside those of the network as it is.

    ``peak`` is in elements and holds the largest patch, with the stage's whole output beside it, or what comes behind
    the stage; ``patch_peak`` is the patch alone. ``recomputed`` MACs are those of the halo.
    """

    patches: int
    peak: int
    patch_peak: int
    stage_output: int
    rest_peak: int
    whole_peak: int
    macs: int
    whole_macs: int
    largest_patch: tuple[int, ...]

    @property
    def recomputed(self) -> int:
        """MACs computed more than once."""
        return self.macs - self.whole_macs

    def __str__(self) -> str:
        share = 100 * self.recomputed / self.whole_macs
        return (
            f"peak {self.peak:,} instead of {self.whole_peak:,} elements in {self.patches} x {self.patches} patches of "
            f"{' x '.join(map(str, self.largest_patch))} of the input; {self.recomputed:,} MACs again ({share:.1f} %)"
        )


@dataclass(frozen=True)
class _Step:
    """One operation of the stage: its operands and result, and its window along each axis as (reach, stride, padding)."""

    ins: tuple[Tensor, ...]
    out: Tensor
    window: tuple[tuple[int, int, int], ...] | None
    event: Event
    row: Row


class _Recorder(Tape):
    """A tape that keeps how each value's places depend on those of its operands."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[_Step] = []
        self._layers: list[tuple[Layer, Tensor]] = []

    def run(self, layer: Layer, x: Tensor, name: str = "") -> Tensor:
        self._layers.append((layer, x))
        try:
            return super().run(layer, x, name)
        finally:
            self._layers.pop()

    def emit(self, op: str, ins: Any, out: Tensor, **options: Any) -> Tensor:  # type: ignore[override]
        if options.get("everything"):
            raise self.fail("it sees the whole input and cannot run in patches: end the stage before it")
        made = super().emit(op, ins, out, **options)
        operands = (ins,) if isinstance(ins, Tensor) else tuple(ins)
        self.steps.append(_Step(operands, made, self._window(options.get("reach")), self.events[-1], self.rows[-1]))
        return made

    def _window(self, reach: Any) -> tuple[tuple[int, int, int], ...] | None:
        if reach is None:
            return None
        layer, x = self._layers[-1]
        if not isinstance(layer, Windowed):
            raise self.fail("its windows are not known by their padding and it cannot run in patches: end the stage before it")
        found = layer.windows(self, x.places)
        return tuple((int(far), int(s), int(w.lo)) for (far, s), w in zip(reach, found, strict=True))


def patched(net: Layer, x: tuple[int, ...], stage: str, patches: int) -> Patched:
    """Peak memory and MACs with the layers up to ``stage`` (a name of the sequence) in ``patches x patches`` patches.

    >>> from symcost.models.catalog import reference
    >>> print(patched(reference("mobilenet_v2").net(), (1, 3, 224, 224), "block_6", 4))
    peak 401,408 instead ...
    """
    if not isinstance(net, Sequential):
        raise SymcostError("patch-based inference needs a Sequential whose first layers are the stage: give one")
    if isinstance(patches, bool) or not isinstance(patches, int) or patches < 1:
        raise SymcostError(f"patches={patches} must be a positive integer: give one such as 4")
    names = [name for name, _ in net.layers]
    if stage not in names:
        raise SymcostError(f"the network has no layer {stage!r} to end the stage: it has {', '.join(names)}")
    cut = names.index(stage) + 1
    whole = LayerTable(net, shaped(x))
    if whole.symbols:
        raise SymcostError(f"patches need numbers and the network has the symbols {', '.join(whole.symbols)}: give values")
    recorder = _Recorder()
    entered = recorder.enter(shaped(x))
    out = recorder.run(Sequential(**dict(net.layers[:cut])), entered)
    if len(out.places) == 0 or any(patches > int(size) for size in out.places):
        raise SymcostError(f"patches={patches} do not fit the stage's output {out}: use fewer, or a shorter stage")
    stage_run = _Stage(recorder, entered, out, patches)
    rest = LayerTable(Sequential(**dict(net.layers[cut:])), out.__class__(out.shape, out.layout)) if cut < len(names) else None
    rest_peak = int(rest.peak("liveness")) if rest else 0
    patch_peak, largest = stage_run.peak()
    output = int(exact(out.size))
    macs = stage_run.macs() + (int(rest.macs) if rest else 0)
    return Patched(
        patches=patches, peak=max(patch_peak, rest_peak), patch_peak=patch_peak, stage_output=output,
        rest_peak=rest_peak, whole_peak=int(whole.peak("liveness")), macs=macs, whole_macs=int(whole.macs),
        largest_patch=largest,
    )  # fmt: skip


class _Stage:
    """The stage, patch by patch."""

    def __init__(self, recorder: _Recorder, entered: Tensor, out: Tensor, patches: int) -> None:
        self.recorder, self.entered, self.out = recorder, entered, out
        axes = range(len(out.places))
        self.ranges = [[self._needed(axis, cut) for cut in _cuts(int(out.places[axis]), patches)] for axis in axes]
        """For every axis and patch the places needed of each value."""

    def _needed(self, axis: int, cut: Range) -> dict[int, Range]:
        """Places along one axis that each value must have for a range of the stage's output."""
        needed: dict[int, Range] = {self.out.value: cut}
        for step in reversed(self.recorder.steps):
            if step.out.value not in needed:
                continue
            first, last = needed[step.out.value]
            if step.window is not None:
                far, stride, lo = step.window[axis]
                first, last = first * stride - lo, (last - 1) * stride - lo + far
            for operand in step.ins:
                if len(operand.places) != len(self.out.places):
                    continue  # one number per channel, such as the gate of a squeeze-and-excitation
                size = int(operand.places[axis])
                own = max(first, 0), min(last, size)
                before = needed.get(operand.value, own)
                needed[operand.value] = min(own[0], before[0]), max(own[1], before[1])
        return needed

    def macs(self) -> int:
        """MACs of all patches: positions along the axes are independent, so their sums multiply."""
        total = 0
        for step in self.recorder.steps:
            macs = int(step.row.cost.macs)
            if not macs:
                continue
            places = [int(size) for size in step.out.places]
            if not places:
                raise ShapeError(f"{step.row.path} has no places to cut into patches: end the stage before it")
            computed = _product(
                sum(_length(need[step.out.value]) for need in axis) for axis in self.ranges
            )
            total += macs * computed // _product(places)
        return total

    def peak(self) -> tuple[int, tuple[int, ...]]:
        """The largest patch's live elements with the stage's output beside them, and that patch's share of the input."""
        worst, share = 0, (0,)
        for index in _indices([len(axis) for axis in self.ranges]):
            needs = [axis[i] for axis, i in zip(self.ranges, index, strict=True)]
            live = self._live(needs)
            if live > worst:
                entering = tuple(_length(need[self.entered.value]) for need in needs)
                worst, share = live, entering
        return worst, share

    def _live(self, needs: list[dict[int, Range]]) -> int:
        def size(tensor: Tensor) -> int:
            if tensor.value not in needs[0]:
                return int(exact(tensor.size))
            return int(exact(tensor.n * tensor.channels)) * _product(_length(need[tensor.value]) for need in needs)

        events = [
            Event(
                ins=step.event.ins, out=step.event.out, size=size(step.out), scratch=0,
                in_place=step.event.in_place, view=step.event.view, textbook=0,
            )
            for step in self.recorder.steps
        ]  # fmt: skip
        entering: tuple[Size, ...] = (size(self.entered),)
        peaks = [int(exact(part)) for part in peak_sizes(events, entering, self.out.value, "liveness")]
        # The patch of the output is written into the whole output, which stands beside everything else.
        return max(peaks) + int(exact(self.out.size)) - size(self.out)


def _cuts(size: int, patches: int) -> list[Range]:
    """Ranges of nearly equal length that cover a size."""
    edges = [index * size // patches for index in range(patches + 1)]
    return list(zip(edges[:-1], edges[1:], strict=True))


def _length(places: Range) -> int:
    return max(places[1] - places[0], 0)


def _product(sizes: Any) -> int:
    made = 1
    for size in sizes:
        made *= size
    return made


def _indices(lengths: list[int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for length in lengths:
        found = [(*head, index) for head in found for index in range(length)]
    return found
