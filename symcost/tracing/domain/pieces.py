"""Domains in two pieces: on either side of a decision the program is another one, and holds under conditions of its own."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symcost.costs.evidence import Decision
from symcost.costs.parts import Conditions
from symcost.formulas.among import all_in_words
from symcost.formulas.conditions import Compare, condition
from symcost.tracing.domain.domain import made
from symcost.tracing.evidence.guard import OPERATORS, Guard

BESIDE = {"<=": 0, ">=": 0, "==": 0, "!=": 1, ">": 1, "<": -1}
"""What is added to one side of a comparison to meet it."""

LOOKED_AT = 4096
"""Smaller values of a size than its bound are looked at one by one, so many."""


@dataclass(repr=False)
class Pieces(Conditions):
    """The conditions of ``there`` where a guard holds, and those of ``elsewhere`` where it does not."""

    guard: Guard
    there: Any
    elsewhere: Any

    def __post_init__(self) -> None:
        self.symbols = tuple(dict.fromkeys((*self.there.symbols, *self.elsewhere.symbols)))
        self.notes = list(dict.fromkeys((*self.there.notes, *self.elsewhere.notes)))
        self.bounds_at_one = self.there.bounds_at_one | self.elsewhere.bounds_at_one
        self.spans = {**self.there.spans, **self.elsewhere.spans}
        here, there = self.there.evidence, self.elsewhere.evidence
        self.evidence = {name: here[name].weaker(there[name]) if {name} <= {*here} & {*there} else {**here, **there}[name]
                         for name in self.symbols}  # fmt: skip

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What splits the form, and what each piece was seen to decide."""
        own, sides = made(self.guard, f"{self.guard} or not"), {str(self.guard), str(self.guard.denied)}
        inner = (decision for side in (self.there, self.elsewhere) for decision in side.decisions)
        return tuple(dict.fromkeys((own, *(decision for decision in inner if decision.text not in sides))))

    @property
    def uncomputed(self) -> tuple[Decision, ...]:
        """Those decisions of each piece that no condition can say; which piece counts is of their symbols too."""
        found = []
        for path, domain in self.leaves():
            behind = {name for guard in path for name in guard.symbols}
            found += [replace(d, symbols=tuple(sorted({*d.symbols, *behind}))) for d in domain.uncomputed]
        return tuple(dict.fromkeys(found))

    def at(self, point: Mapping[str, int]) -> Any:
        """The conditions that count at a point, or nothing while its side is not known."""
        if not self.guard.symbols <= set(point):
            return None
        return self.there if self.guard.holds(point) else self.elsewhere

    def has_one(self, point: Mapping[str, int]) -> bool:
        """Whether some size is 1 at a point."""
        side = self.at(point)
        return side.has_one(point) if side is not None else False

    def problem(self, point: Mapping[str, int]) -> str | None:
        """Why a point is outside, or nothing; while its side is not known both must object."""
        side = self.at(point)
        if side is not None:
            return side.problem(point)
        first, second = self.there.problem(point), self.elsewhere.problem(point)
        return first if first and second else None

    def decides_otherwise(self, point: Mapping[str, int]) -> bool:
        """Whether one of :attr:`uncomputed` falls otherwise at a point, in the piece that counts there."""
        side = self.at(point)
        return side.decides_otherwise(point) if side is not None else False

    def untried(self, point: Mapping[str, int]) -> str | None:
        """Why nothing is known of a point of its side, but that it was not tried so far."""
        side = self.at(point)
        return side.untried(point) if side is not None else None

    def bounds_at(self, point: Mapping[str, int]) -> frozenset[str]:
        """What is an upper bound at a point."""
        side = self.at(point)
        return side.bounds_at(point) if side is not None else frozenset()

    def leaves(self) -> list[tuple[tuple[Guard, ...], Any]]:
        """The domains of all pieces, each behind the decisions that lead to it."""
        found = []
        for guard, side in ((self.guard, self.there), (self.guard.denied, self.elsewhere)):
            inner = side.leaves() if isinstance(side, Pieces) else [((), side)]
            found += [((guard, *path), domain) for path, domain in inner]
        return found

    def conditions(self) -> list[str]:
        """Every condition as one comparison, those of some pieces with a neutral value elsewhere."""
        common, own = self._apart()
        return [*common, *(_where(text, path) for path, texts in own for text in texts)]

    def _apart(self) -> tuple[list[str], list[tuple[tuple[Guard, ...], list[str]]]]:
        """Conditions of all pieces, and those of each alone, without what says which piece it is."""
        leaves = [(path, domain.conditions()) for path, domain in self.leaves()]
        sides = {str(guard) for path, _ in self.leaves() for guard in path}
        every = dict.fromkeys(text for _, texts in leaves for text in texts if text not in sides)
        common = [text for text in every if all(text in texts or _told(text, path) for path, texts in leaves)
                  and not all(_told(text, path) for path, _ in leaves)]  # fmt: skip
        own = [
            (path, [t for t in texts if t not in (*common, *sides) and not _told(t, path)]) for path, texts in leaves
        ]
        return common, _shortest(own)

    def __str__(self) -> str:
        common, own = self._apart()
        parts = [f"{', '.join(self.symbols)} positive integers", *all_in_words(common)]
        parts += [
            f"where {', '.join(map(str, path))}: {', '.join(all_in_words(texts))}" for path, texts in own if texts
        ]
        if self.bounds_at_one:
            parts.append(f"where a size is 1, {', '.join(sorted(self.bounds_at_one))} are upper bounds")
        return "; ".join([*parts, *self.notes])


def _shortest(own: Sequence[tuple[tuple[Guard, ...], list[str]]]) -> list[tuple[tuple[Guard, ...], list[str]]]:
    """The same conditions, each without decisions that it stands behind whichever way they fall."""
    behind: dict[str, list[tuple[Guard, ...]]] = {}
    for path, texts in own:
        for text in texts:
            behind.setdefault(text, []).append(path)
    shortened: dict[tuple[Guard, ...], list[str]] = {}
    for text, paths in behind.items():
        while (pair := _either_way(paths)) is not None:
            one, other, guard = pair
            rest = tuple(each for each in one if each != guard)
            paths = [rest if path == one else path for path in paths if path != other]
        for path in paths:
            shortened.setdefault(path, []).append(text)
    return list(shortened.items())


def _either_way(paths: Sequence[tuple[Guard, ...]]) -> tuple[tuple[Guard, ...], tuple[Guard, ...], Guard] | None:
    """Two paths that differ in how one decision falls, and that decision in the first; nothing where no two do."""
    for one, other in itertools.combinations(paths, 2):
        apart = {*one} ^ {*other}
        guard = next((each for each in one if {each, each.denied} == apart), None)
        if guard is not None:
            return one, other, guard
    return None


def _told(text: str, path: Sequence[Guard]) -> bool:
    """Whether the decisions that lead to a piece say a bound of one size already: ``N <= 1024`` where ``N == 1024``."""
    read = condition(text)
    if not isinstance(read, Compare) or len(names := read.left.free_symbols) != 1 or not read.right.is_Integer:
        return False
    name, limit = str(next(iter(names))), int(read.right)
    own = [guard for guard in path if guard.symbols == {name}]
    if any(guard.op == "==" and guard.number is not None and str(guard.left) == name for guard in own):
        number = next(guard.number for guard in own if guard.op == "==" and str(guard.left) == name)
        return bool(read.left.is_Symbol) and OPERATORS[read.op](number, limit)
    if read.op == "<=" and read.left.is_Symbol:
        above = [guard for guard in own if guard.op in ("<", "<=") and str(guard.left) == name]
        return any(guard.number is not None and not guard.holds({name: limit + 1}) for guard in above)
    smaller = range(1, min(limit, LOOKED_AT)) if read.op == ">=" and read.left.is_Symbol else None
    if not own or smaller is None or limit > LOOKED_AT:
        return False
    return not any(all(guard.holds({name: value}) for guard in own) for value in smaller)


def _where(text: str, path: Sequence[Guard]) -> str:
    """A comparison that counts behind some decisions: elsewhere its left side is a value that meets it."""
    read = condition(text)
    if not isinstance(read, Compare):
        raise AssertionError(f"{text} is no comparison")
    if (
        read.op == "<="
        and read.right.is_Integer
        and all(_is_above(guard, str(read.left), int(read.right)) for guard in path)
    ):
        return text  # what lies elsewhere meets it
    neutral = f"({read.right}) + {BESIDE[read.op]}" if BESIDE[read.op] else str(read.right)
    return f"Piecewise(({read.left}, {' & '.join(map(_relation, path))}), ({neutral}, True)) {read.op} {read.right}"


def _is_above(guard: Guard, name: str, limit: int) -> bool:
    """Whether a decision falls so for every value of a symbol above a limit."""
    return guard.op == ">=" and str(guard.left) == name and guard.number is not None and guard.number <= limit + 1


def _relation(guard: Guard) -> str:
    """A decision as a Piecewise has it."""
    asked = condition(str(guard))
    if not isinstance(asked, Compare):
        raise AssertionError(f"{guard} is no comparison")
    sides = f"{asked.left}, {asked.right}"
    return {"==": f"Eq({sides})", "!=": f"Ne({sides})"}.get(asked.op, f"({asked.left} {asked.op} {asked.right})")
