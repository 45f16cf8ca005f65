"""What modules give, laid along the axes of a mesh as a plan says by their paths; and which modules a trace called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
from jax.sharding import PartitionSpec

from symcost.costs.mesh.plan import Axes, Plan
from symcost.errors import SpecError


@dataclass
class Constrained:
    """The activations of a plan; without one, or without any, everything stays as it is."""

    plan: Plan | None = None
    called: dict[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    """Modules of the last trace by path, and the shapes of the arrays that each gave last."""
    _inside: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.plan is not None and bool(self.plan.constraint)

    @contextmanager
    def call_of(self, path: str) -> Iterator[bool]:
        """Within a call of a module: whether what it gives leaves the module, which a call from its own methods does not."""
        outermost = path not in self._inside
        self._inside.append(path)
        try:
            yield outermost
        finally:
            self._inside.pop()

    def laid(self, path: str, given: Any) -> Any:
        """What a module gives, each array along its axes."""
        leaves, tree = jax.tree.flatten(given)
        self.called[path] = tuple(jax.numpy.shape(leaf) for leaf in leaves)
        return jax.tree.unflatten(tree, [self._laid(path, leaf) for leaf in leaves])

    def check(self) -> None:
        """Raise for a pattern that fits none of the modules that were called, or has more axes than an array that it fits."""
        if self.plan is not None:
            self.plan.check_modules(list(self.called))
            for path, shapes in self.called.items():
                for shape in shapes:
                    self.plan.constrained(path, len(shape))

    def _laid(self, path: str, leaf: Any) -> Any:
        try:
            cut = self._cut(path, len(jax.numpy.shape(leaf)))
        except SpecError:  # which :meth:`check` tells, outside of the model
            return leaf
        if cut is None:
            return leaf
        return jax.lax.with_sharding_constraint(leaf, PartitionSpec(*(axes or None for axes in cut)))

    def cuts(self) -> Iterator[tuple[tuple[str, int, int], int, Axes]]:
        """Of what the last trace laid, the dimensions that axes cut: module, array and place, the size, the axes."""
        for path, shapes in self.called.items():
            for number, shape in enumerate(shapes):
                for place, (size, axes) in enumerate(zip(shape, self._cut(path, len(shape)) or (), strict=False)):
                    if axes:
                        yield (path, number, place), size, axes

    def _cut(self, path: str, rank: int) -> Sequence[Axes] | None:
        return None if self.plan is None else self.plan.constrained(path, rank)
