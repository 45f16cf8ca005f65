"""Every configuration of a grid in JAX: tables over the outer axes, a scan over their rows, an open mesh inside.

Nothing of the size of the grid exists: a row is reduced to its number of feasible configurations and its best
objective. Rows that hold survivors are evaluated once more in numpy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symcost.sweeps.answers.partial import Kind, Partial
from symcost.sweeps.engines.frontier import axis_values
from symcost.sweeps.engines.nest import Nest
from symcost.sweeps.numbers.arithmetic import mapped
from symcost.sweeps.numbers.program import GraphProgram, boundary, held, plain
from symcost.sweeps.numbers.tiers import FLOAT, INT

INNER = 1 << 14
"""At most so many configurations in the open mesh (more only if one axis has more): they stay in the cache."""
ROWS = 1 << 12
"""Rows of one call."""


class Mesh:
    """Evaluates whole rows of the grid; for the kinds "count", "top" and "all"."""

    def __init__(self, nest: Nest, kind: Kind, keep: int) -> None:
        self.nest, self.plan, self.keep = nest, nest.plan, keep
        self.kind: Kind = kind
        lengths, tiers = self.plan.graph.lengths, self.plan.tiers
        self.split = len(nest.groups[0]) if len(nest.groups) > 1 else len(lengths)
        while self.split < len(lengths) - 1 and math.prod(lengths[self.split :]) > INNER:
            self.split += 1
        self.inner = lengths[self.split :]
        self.per_step = math.prod(lengths[len(nest.groups[0]) : self.split])
        self.width = math.prod(self.inner)
        self.roots = (self.plan.feasible, *(self.plan.objectives if kind == "top" else ()))
        outer = (1 << self.split) - 1
        self.feeds = boundary(self.roots, outer)
        fixed = {node.index for node in self.feeds}
        inside = boundary([n for n in self.roots if n.index not in fixed], ~outer)
        self.once = tuple(n for n in inside if n.op != "axis")
        self.row_program = GraphProgram(tiers, self.feeds)
        self.once_program = GraphProgram(tiers, self.once)
        self.program = GraphProgram(tiers, self.roots, (*self.feeds, *self.once))
        self.compiled = self._compiled()

    def run(self, start: int, stop: int, known: Partial | None = None) -> Partial:
        """All rows of the steps ``start`` to ``stop`` of the first level, whatever was known before."""
        survivors = Partial.empty(self.kind, len(self.roots) - 1)
        for first in range(start * self.per_step, stop * self.per_step, ROWS):
            rows = np.arange(first, min(first + ROWS, stop * self.per_step))
            feeds = self._feeds(rows)
            counts, best = self.compiled(feeds, len(rows))
            survivors.visited += len(rows) * self.width
            chosen = self._chosen(counts, best)
            if self.kind != "count" and len(chosen):
                part = self._survivors(rows, feeds, chosen)
                part.count = int(counts.sum())
                survivors = survivors.joined(part, self.keep)
            else:
                survivors.count += int(counts.sum())
        return survivors

    def _feeds(self, rows: Any) -> dict[int, Any]:
        """What the mesh reads of the outer axes, by row."""
        left, values = rows, {}
        for position in range(self.split - 1, -1, -1):
            length = self.plan.graph.lengths[position]
            axis = self.plan.graph.axis(position)
            values[axis.index] = held(axis_values(self.plan.values[position], left % length), self.plan.tiers(axis))
            left = left // length
        with np.errstate(over="ignore"):
            computed = self.row_program.run(np, values, 1)
        return {
            node.index: mapped(lambda v: np.broadcast_to(v, (len(rows),)), computed[node.index]) for node in self.feeds
        }

    def _mesh(self, xp: Any) -> dict[int, Any]:
        """The inner axes as an open mesh, and the nodes that depend on them alone."""
        values, dimensions = {}, len(self.inner)
        for place, position in enumerate(range(self.split, self.split + dimensions)):
            axis = self.plan.graph.axis(position)
            shape = [1] * dimensions
            shape[place] = -1
            column = held(np.asarray(self.plan.values[position], dtype=np.int64), self.plan.tiers(axis))
            values[axis.index] = mapped(lambda v, s=shape: xp.asarray(v.reshape(s)), column)
        exact = xp is np
        return {**values, **self.once_program.run(xp, values, dimensions, exact)}

    def _compiled(self) -> Any:
        import jax
        import jax.numpy as jnp

        dimensions = len(self.inner)

        def row(mesh: dict[int, Any], feed: dict[int, Any]) -> tuple[dict[int, Any], tuple[Any, ...]]:
            given = {index: mapped(lambda v: v.reshape((1,) * dimensions), value) for index, value in feed.items()}
            computed = self.program.run(jnp, {**mesh, **given}, dimensions, exact_division=False)
            feasible = jnp.broadcast_to(computed[self.roots[0].index], self.inner)
            count = jnp.sum(feasible, dtype=jnp.int64)
            best = [self._least(jnp, computed[n.index], feasible, self.plan.tiers(n)) for n in self.roots[1:]]
            return mesh, (count, *best)

        @jax.jit
        def rows(feeds: dict[int, Any]) -> Any:
            return jax.lax.scan(row, self._mesh(jnp), feeds)[1]

        def call(feeds: dict[int, Any], number: int) -> tuple[Any, list[Any]]:
            padded = {
                index: mapped(lambda v: np.concatenate((v, np.repeat(v[-1:], ROWS - number, axis=0))), value)
                for index, value in feeds.items()
            }
            if not padded:  # nothing depends on the outer axes: one row is like the other
                padded = {-1: np.zeros(ROWS)}
            with jax.enable_x64(True):
                count, *best = rows(padded)
            return np.asarray(count)[:number], [mapped(lambda v: np.asarray(v)[:number], b) for b in best]

        return call

    def _least(self, xp: Any, value: Any, feasible: Any, kind: int) -> Any:
        """The smallest feasible value of a row; two words as the pair (upper, lower), which compares in that order."""
        if kind == FLOAT:
            return xp.min(xp.where(feasible, value, xp.inf))
        if kind == INT:
            return xp.min(xp.where(feasible, value, np.iinfo(np.int64).max))
        upper, lower = _words(xp, *value)
        top = xp.min(xp.where(feasible, upper, xp.inf))
        return top, xp.min(xp.where(feasible & (upper == top), lower, np.iinfo(np.int64).max))

    def _chosen(self, counts: Any, best: list[Any]) -> Any:
        """Rows that may hold survivors."""
        some = np.flatnonzero(counts)
        if self.kind != "top":
            return some[:0] if self.kind == "count" else some
        order = _order(mapped(lambda v: v[some], best[0]))
        return some[order][: self.keep]

    def _survivors(self, rows: Any, feeds: dict[int, Any], chosen: Any) -> Partial:
        """The feasible configurations of some rows, or the best of them."""
        survivors = Partial.empty(self.kind, len(self.roots) - 1)
        if self.kind == "all" and len(chosen) and self.width * len(chosen) > self.keep * INNER:
            survivors.overflow = True
            return survivors
        mesh, dimensions = self._mesh(np), len(self.inner)
        for place in chosen:
            given = {i: mapped(lambda v, p=place: v[p].reshape((1,) * dimensions), value) for i, value in feeds.items()}
            with np.errstate(over="ignore"):
                computed = self.program.run(np, {**mesh, **given}, dimensions)
            feasible = np.broadcast_to(computed[self.roots[0].index], self.inner).ravel()
            where = np.flatnonzero(feasible)
            columns = [
                np.broadcast_to(plain(computed[n.index], self.plan.tiers(n)), self.inner).ravel()[where]
                for n in self.roots[1:]
            ]
            survivors.add(rows[place] * self.width + where, columns, self.keep)
        return survivors


def _words(xp: Any, word: Any, approximate: Any) -> tuple[Any, Any]:
    """Two words as (upper, lower): the integer is ``upper * 2**64 + lower``, the lower between -2**63 and 2**63."""
    return xp.round((approximate - word.astype(xp.float64)) / 2.0**64), word


def _order(values: Any) -> Any:
    """Rows by their best value, equal ones in their own order."""
    return np.lexsort(values[::-1]) if isinstance(values, tuple) else np.argsort(values, kind="stable")
