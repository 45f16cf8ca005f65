"""Live memory of a run of layers in numbers, where a result may take the memory of an operand that is needed no more.

Elementwise results do, and on request those of depthwise convolutions: each channel of the output needs one channel of
the input, so one channel of scratch is enough (TinyEngine: Lin et al., arXiv:2007.10319, section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.costs.rows import Row
from symcost.estimate.bytes.memory import check_rule
from symcost.layers.sizes.algebra import exact
from symcost.layers.sizes.noted import NotedValue
from symcost.layers.sizes.tensor import Tensor
from symcost.layers.sizes.windowed import Windowed
from symcost.layers.tape import Runs, Tape
from symcost.reading.choices import Rule

Window = tuple[tuple[int, int, int], ...]
"""Along each axis how far a window reaches, its stride and the padding before the first place."""


@dataclass(frozen=True)
class BufferStep:
    """One operation: its operands and result, its window where that is known, and whether it joins all places."""

    ins: tuple[Tensor, ...]
    out: Tensor
    window: Window | None
    slides: bool
    everything: bool
    event: NotedValue
    row: Row

    @property
    def depthwise(self) -> bool:
        """Whether every output needs one channel: as many MACs per output as its window has taps."""
        taps = math.prod(far for far, _, _ in self.window or ())
        return self.window is not None and bool(self.row.cost.macs == taps * self.out.size)


class PlacesTape(Tape):
    """A tape that keeps how each value's places depend on those of its operands."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[BufferStep] = []
        self._layers: list[tuple[Runs, Tensor]] = []

    def run(self, layer: Runs, x: Tensor, name: str = "") -> Tensor:
        """As on any tape; the layer is known while it runs."""
        self._layers.append((layer, x))
        try:
            return super().run(layer, x, name)
        finally:
            self._layers.pop()

    def emit(self, op: str, ins: Any, out: Tensor, **options: Any) -> Tensor:  # type: ignore[override]
        """As on any tape; the operation is kept as a step."""
        result = super().emit(op, ins, out, **options)
        operands = (ins,) if isinstance(ins, Tensor) else tuple(ins)
        reach = options.get("reach")
        self.steps.append(BufferStep(
            operands, result, self._window(reach), reach is not None, bool(options.get("everything")),
            self.events[-1], self.rows[-1],
        ))  # fmt: skip
        return result

    def _window(self, reach: Any) -> Window | None:
        layer, x = self._layers[-1]
        if reach is None or not isinstance(layer, Windowed):
            return None
        windows = layer.windows(self, x.places)
        return tuple((int(far), int(s), int(exact(w.lo))) for (far, s), w in zip(reach, windows, strict=True))


def peak_of(
    steps: Sequence[BufferStep],
    entered: Tensor,
    last: Tensor,
    size: Callable[[Tensor], int],
    rule: Rule,
    in_place: bool,
) -> int:
    """Peak elements of a run under a rule; ``size`` says how many a value has.

    ``liveness``: all values alive at once. ``textbook``: the largest input plus output of one operation. ``in_place``:
    depthwise convolutions write over their input.
    """
    check_rule(rule)
    return _widest(steps, size, in_place) if rule == "textbook" else _live(steps, entered, last, size, in_place)


def _widest(steps: Sequence[BufferStep], size: Callable[[Tensor], int], in_place: bool) -> int:
    sizes = [0]
    for step in steps:
        if step.row.textbook.activations != 0:
            entering, result = sum(size(operand) for operand in step.ins), size(step.out)
            sizes.append(max(entering, result) if in_place and step.depthwise else entering + result)
    return max(sizes)


def _live(
    steps: Sequence[BufferStep], entered: Tensor, last: Tensor, size: Callable[[Tensor], int], depthwise: bool
) -> int:
    owner = {entered.value: entered.value}
    for step in steps:
        for operand in step.ins:
            owner.setdefault(operand.value, operand.value)
        owner[step.out.value] = owner[step.ins[0].value] if step.event.view else step.out.value
    running = [step for step in steps if not step.event.view]
    until = {owner[operand.value]: at for at, step in enumerate(running) for operand in step.ins}
    until[owner[last.value]] = len(running)
    held = {entered.value: size(entered)}
    peak = held[entered.value]
    for at, step in enumerate(running):
        needed = size(step.out)
        ins = {owner[operand.value] for operand in step.ins}
        takes_over = step.event.in_place or (depthwise and step.depthwise)
        over = next((v for v in ins if takes_over and until[v] == at and held.get(v, 0) >= needed), None)
        before = held.pop(over) if over is not None else 0
        peak = max(peak, sum(held.values()) + max(needed, before))
        held[step.out.value] = needed
        for value in {*ins, step.out.value}:
            if until.get(value, at) == at:
                held.pop(value, None)
    return peak


def whole(tensor: Tensor) -> int:
    """Elements of a value."""
    return int(exact(tensor.size))
