"""Variables of a linen model at a new point, guessed from those of points where they are known.

An initialisation costs as much as a trace. Most dimensions of parameters are multiples of one symbol, or of several: two
points beside one another tell by how much. A guess is only that: the trace that uses it declares every variable again, and
where one is another, or something is raised, the model is initialised there after all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import jax

Names = tuple[str, ...]
Values = tuple[int, ...]
PATIENCE = 2
"""By how many more wrong guesses than right ones guessing ends."""


@dataclass(frozen=True)
class Move:
    """A symbol's values at the base, at its neighbour, and where the guess is."""

    base: int
    beside: int
    there: int

    def of(self, size: int, other: int) -> Fraction:
        """A dimension there, from what it is at the other two: a part of a whole, or a line."""
        if size * self.base == other * self.beside:
            return Fraction(size * self.base, self.there)
        return size + Fraction((other - size) * (self.there - self.base), self.beside - self.base)


@dataclass
class Guesses:
    """What is known, by the values of all symbols at the point."""

    names: Names = ()
    right: int = 0
    wrong: int = 0
    _known: dict[Values, Any] = field(default_factory=dict)
    _beside: dict[tuple[int, Values], list[Values]] = field(default_factory=dict)
    """By the number of a symbol and the values of all others, the points that have these."""

    def add(self, point: Mapping[str, int], variables: Any) -> None:
        """Variables as they are at a point."""
        self.names = self.names or tuple(point)
        values = tuple(point[name] for name in self.names)
        if values not in self._known:
            for index in range(len(values)):
                self._beside.setdefault((index, _without(values, index)), []).append(values)
        self._known[values] = variables

    def at(self, point: Mapping[str, int]) -> Any:
        """A guess, or nothing where no two known points say how the variables change towards this one."""
        if self.wrong - self.right >= PATIENCE:
            return None
        values = tuple(point[name] for name in self.names)
        for base in sorted(self._known, key=lambda known: sum(a != b for a, b in zip(known, values, strict=True))):
            changed = [index for index in range(len(values)) if base[index] != values[index]]
            beside = [self._neighbour(base, index) for index in changed]
            if all(beside):
                moves = [
                    (other, Move(base[i], other[i], values[i]))
                    for i, other in zip(changed, beside, strict=True)
                    if other
                ]
                return self._moved(base, moves)
        return None

    def _neighbour(self, base: Values, index: int) -> Values | None:
        """A known point that differs from another one in one symbol alone."""
        return next((other for other in self._beside[index, _without(base, index)] if other != base), None)

    def _moved(self, base: Values, moves: list[tuple[Values, Move]]) -> Any:
        """The base's variables with every dimension moved as between the base and each neighbour, and further."""
        leaves, tree = jax.tree.flatten(self._known[base])
        moving = []
        for other, move in moves:
            others, same = jax.tree.flatten(self._known[other])
            if same != tree or any(a.dtype != b.dtype for a, b in zip(leaves, others, strict=True)):
                return None
            moving.append((others, move))
        made = []
        for number, leaf in enumerate(leaves):
            shape = tuple(_dimension(leaf.shape, [(o[number].shape, m) for o, m in moving]))
            if len(shape) != len(leaf.shape) or any(size < 0 or size.denominator != 1 for size in shape):
                return None
            plain = tuple(map(int, shape))
            made.append(leaf if plain == leaf.shape else jax.ShapeDtypeStruct(plain, leaf.dtype))
        return jax.tree.unflatten(tree, made)


def _without(values: Values, index: int) -> Values:
    return values[:index] + values[index + 1 :]


def _dimension(shape: Values, others: list[tuple[Values, Move]]) -> Iterator[Fraction]:
    """Each dimension moved along every symbol by itself; along several as a product."""
    if any(len(other) != len(shape) for other, _ in others):
        return
    for axis, size in enumerate(shape):
        moved = Fraction(size)
        for other, move in others:
            if other[axis] != size and size:
                moved *= move.of(size, other[axis]) / size
        yield moved
