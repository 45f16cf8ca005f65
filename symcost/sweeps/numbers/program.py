"""A graph as a list of steps on arrays: which operation, on which kind of number, and what may be dropped after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symcost.formulas.extent import whole
from symcost.formulas.graph.graph import LOGICAL, Node, cone, last_uses
from symcost.sweeps.numbers.arithmetic import Value, cast, operate
from symcost.sweeps.numbers.tiers import FLOAT, INT, PYTHON, TWO, Tiers


@dataclass(frozen=True)
class GraphStep:
    """One operation on its kind of number, that of the result, and the nodes that nobody needs any more.

    ``args`` are nodes by index, each with the kind it is held as where it must be cast, None where not.
    """

    index: int
    op: str
    kind: int
    held: int | None
    args: tuple[tuple[int, int | None], ...]
    dropped: tuple[int, ...]


class GraphProgram:
    """Evaluates roots from the values of some given nodes (axes, or what was computed before)."""

    def __init__(self, tiers: Tiers, roots: Sequence[Node], given: Iterable[Node] = ()) -> None:
        self.tiers, self.roots = tiers, tuple(roots)
        known = {node.index for node in given}
        nodes = [n for n in cone(roots, known) if n.index not in known]
        self.constants = tuple(n for n in nodes if n.op == "constant")
        self.axes = tuple(n for n in nodes if n.op == "axis")
        computed = [n for n in nodes if n.op not in ("constant", "axis")]
        dropped = last_uses(computed, roots)
        self.steps = tuple(self._step(node, dropped.get(node.index, ())) for node in computed)

    def _step(self, node: Node, dropped: Iterable[int]) -> GraphStep:
        held, kind = self.tiers.both(node)
        args = tuple(
            (a.index, None if logical(a) or (have := self.tiers(a)) == kind else have) for a in node.args
        )  # fmt: skip
        return GraphStep(
            node.index, node.op, kind, None if logical(node) or held == kind else held, args, tuple(dropped)
        )

    @property
    def live(self) -> int:
        """The most values that are there at once, the given ones included."""
        given = {index for step in self.steps for index, _ in step.args} - {step.index for step in self.steps}
        now = most = len(given)
        for step in self.steps:
            now += 1
            most = max(most, now)
            now -= len(step.dropped)
        return max(1, most)

    def run(
        self, xp: Any, values: Mapping[int, Value], dimensions: int, exact_division: bool = True
    ) -> dict[int, Value]:
        """Values of the roots by index; ``values`` are those of axes and given nodes, held as their tiers say."""
        known = dict(values)
        for node in self.constants:
            known[node.index] = constant(xp, node.value, self.tiers(node), dimensions)
        for step in self.steps:
            kind = step.kind
            args = [known[i] if have is None else cast(xp, known[i], have, kind) for i, have in step.args]
            result = operate(xp, step.op, kind, args, exact_division)
            known[step.index] = result if step.held is None else cast(xp, result, kind, step.held)
            for index in step.dropped:
                known.pop(index, None)
        return {root.index: known[root.index] for root in self.roots}


def logical(node: Node) -> bool:
    """Whether a node is true or false."""
    return node.op in LOGICAL or isinstance(node.value, bool)


def boundary(roots: Iterable[Node], fixed: int) -> tuple[Node, ...]:
    """Nodes of the fixed axes that are read where other axes have values too, or are asked for themselves."""

    def ready(node: Node) -> bool:
        return bool(node.axes) and not node.axes & ~fixed

    asked = list(roots)
    read = {node.index: node for node in asked if ready(node)}
    for node in cone(asked):
        if not ready(node):
            read.update((a.index, a) for a in node.args if ready(a))
    return tuple(read[index] for index in sorted(read))


def constant(xp: Any, value: Any, kind: int, dimensions: int) -> Value:
    """A constant as an array of one element; numpy's own scalars would warn where arrays wrap."""
    shape = (1,) * dimensions
    if isinstance(value, bool):
        return xp.full(shape, value)
    if kind == TWO:
        word = (value + 2**63) % 2**64 - 2**63
        return xp.full(shape, word, dtype=xp.int64), xp.full(shape, float(value), dtype=xp.float64)
    if kind == PYTHON:
        array = np.empty(shape, dtype=object)
        array.fill(value)
        return array
    return xp.full(shape, value, dtype=xp.float64 if kind == FLOAT else xp.int64)


def held(values: Any, kind: int) -> Value:
    """Plain integers held as a kind of number (numpy)."""
    whole = np.asarray(values, dtype=np.int64)
    return cast(np, whole, INT, kind)


def plain(value: Value, kind: int) -> Any:
    """Exact results for people: int64 where they fit, otherwise an array of Python's integers or fractions."""
    if kind == TWO:
        return cast(np, value, TWO, PYTHON)
    if kind == PYTHON:
        return np.frompyfunc(whole, 1, 1)(value)
    return value.astype(np.int64)
