"""The arrays that programs hold (masks of all windows, tables of indices): how many bytes, of whom, and when to stop.

They grow with the sizes, and a far point may need more than the machine has. ``SYMCOST_MEMORY`` says how many bytes may be
held, as ``4GiB``; a quarter of the machine unless it does. What a point will need is predicted from the points that were
traced, array by array: each as the power of each size that was seen so far.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jax.extend import core

from symcost.errors import SymcostError
from symcost.reading.numerals import amount, short
from symcost.reading.prefixes import BINARY, DECIMAL
from symcost.tracing.program.paths import Stacks

VARIABLE = "SYMCOST_MEMORY"
SHARE = 4
"""Of the machine's memory one part in so many."""
UNKNOWN_MACHINE = 4 << 30
"""Bytes that may be held where the system does not say how many it has."""
HEAVY = 1 << 27
"""Bytes beyond which a far point is chosen nearer."""
UNITS = {"": 1, **{f"{prefix}b".lower(): scale for prefix, scale in {**DECIMAL, **BINARY}.items()}}
NEARLY = 0.1
"""A power that was seen is rounded up, unless it is so little above a whole one: sizes have borders and floors."""

Point = Mapping[str, int]


def limit() -> int:
    """How many bytes of constants a program may hold.

    >>> os.environ["SYMCOST_MEMORY"] = "4GiB"
    >>> limit()
    4294967296
    >>> del os.environ["SYMCOST_MEMORY"]
    """
    given = os.environ.get(VARIABLE)
    if given is None:
        pages = "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {})
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // SHARE if pages else UNKNOWN_MACHINE
    try:
        number, letters = amount(given)
        size = math.floor(number * UNITS[letters.lower()])
    except (ValueError, KeyError):
        size = 0
    if size < 1:
        raise SymcostError(f"{VARIABLE}={short(given)} is no amount of memory: give bytes, as 4GiB or 500MB")
    return size


def in_words(size: int) -> str:
    """Bytes as people say them.

    >>> in_words(23622320128), in_words(100)
    ('22.0 GiB', '100 bytes')
    """
    for name, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= scale:
            return f"{size / scale:.1f} {name}"
    return f"{size} bytes"


@dataclass(frozen=True)
class Held:
    """One array that a program holds: its bytes, its type and shape, the module that uses it, and the line."""

    size: int
    what: str
    path: str
    line: str
    effort: int = 1
    """How often its bytes count where it is asked what a point would take, for what Python makes number by number."""

    def __str__(self) -> str:
        place = f" in {self.path}" if self.path else ""
        return f"{self.what}{place}{f' ({self.line})' if self.line else ''}"


def held(closed: Any) -> tuple[Held, ...]:
    """The arrays of a program and of the programs inside it, in order, each once."""
    found: dict[int, Held] = {}
    stacks = Stacks()

    def look(jaxpr: Any, consts: Any) -> None:
        arrays = {v: c for v, c in zip(jaxpr.constvars, consts, strict=True) if getattr(c, "nbytes", 0)}
        for eqn in jaxpr.eqns:
            for atom in eqn.invars:
                if isinstance(atom, core.Var) and atom in arrays:
                    array = arrays[atom]
                    found.setdefault(id(array), _held(array, eqn, stacks))
            for inner, values in _inside(eqn):
                look(inner, values)
        for array in arrays.values():  # one that is a result as it stands
            found.setdefault(id(array), Held(array.nbytes, _type(array), "", ""))

    look(closed.jaxpr, closed.consts)
    return tuple(found.values())


def _inside(eqn: Any) -> Iterator[tuple[Any, Any]]:
    """The programs in an equation's parameters, with the arrays that they hold."""
    for value in eqn.params.values():
        for each in value if isinstance(value, tuple | list) else (value,):
            jaxpr = getattr(each, "jaxpr", each)
            if isinstance(jaxpr, core.Jaxpr):
                consts = getattr(each, "consts", ())
                if len(consts) == len(jaxpr.constvars):
                    yield jaxpr, consts


def _type(array: Any) -> str:
    return f"{array.dtype}[{','.join(map(str, array.shape))}]"


def _held(array: Any, eqn: Any, stacks: Stacks) -> Held:
    path = stacks.read(eqn.source_info.name_stack)[0] or ""
    return Held(array.nbytes, _type(array), path, _line(eqn))


def _line(eqn: Any) -> str:
    """The user's own line of an equation, where jax knows it."""
    try:
        from jax._src import source_info_util

        return source_info_util.summarize(eqn.source_info).split(" (")[0]
    except (ImportError, AttributeError):  # not of jax's public face
        return ""


@dataclass
class Growth:
    """What the points that were traced held, and what another point would."""

    seen: list[tuple[Point, tuple[Held, ...]]] = field(default_factory=list)

    def add(self, point: Point, arrays: tuple[Held, ...]) -> None:
        """One more point."""
        if arrays:
            self.seen.append((dict(point), arrays))

    def is_heavy(self, point: Point) -> bool:
        """Whether a point would take more than one waits for, where another tells as much."""
        if not self.seen:
            return False
        efforts = [each.effort for each in self.seen[0][1]]
        taken = sum(map(math.prod, zip(self._predicted(point, self._as_one), efforts, strict=True)))
        return taken > min(HEAVY, limit())

    def problem(self, point: Point) -> str | None:
        """Why a point is not traced: its arrays would be more than may be held; nothing where they are not."""
        if not self.seen:
            return None
        known, arrays = self.seen[0]
        sizes = self._predicted(point, self._powers)
        predicted = [size if each.effort == 1 else 0 for size, each in zip(sizes, arrays, strict=True)]
        allowed = limit()
        if sum(predicted) <= allowed:
            return None
        most = max(range(len(arrays)), key=lambda index: predicted[index])
        return (
            f"the arrays that it holds would take {in_words(math.ceil(sum(predicted)))}, more than the "
            f"{in_words(allowed)} of {VARIABLE}: most is {arrays[most]}, {_at(known)}"
        )

    def _predicted(self, point: Point, grown: Callable[[str, int], list[float]]) -> list[float]:
        """Bytes of each array of the first point, at another point."""
        known, arrays = self.seen[0]
        sizes = [float(each.size) for each in arrays]
        for name, value in point.items():
            if value <= known.get(name, value):
                continue
            powers = grown(name, len(arrays))
            sizes = [size * (value / known[name]) ** power for size, power in zip(sizes, powers, strict=True)]
        return sizes

    def _powers(self, name: str, number: int) -> list[float]:
        """As which power of one symbol each array grew, at most, between points that differ in it alone."""
        powers = [0.0] * number
        for index, (a, had) in enumerate(self.seen):
            for b, has in self.seen[:index]:
                if a.keys() != b.keys() or a[name] == b[name] or any(a[n] != b[n] for n in a if n != name):
                    continue
                scale = math.log(a[name] / b[name])
                if len(had) == len(has) == number:
                    grown = [math.log(x.size / y.size) / scale for x, y in zip(had, has, strict=True)]
                else:  # more layers, more arrays: all of them together
                    grown = [math.log(sum(x.size for x in had) / sum(y.size for y in has)) / scale] * number
                powers = [max(power, math.ceil(new - NEARLY)) for power, new in zip(powers, grown, strict=True)]
        return powers

    def _as_one(self, name: str, number: int) -> list[float]:
        """The same, where no points differ in the symbol alone of those that grew as it did between others."""
        powers = self._powers(name, number)
        known = {other for other in self.seen[0][0] if other != name and any(self._powers(other, number))}
        for a, b in itertools.combinations(self.seen, 2):
            if any(a[0].get(other) != b[0].get(other) for other in known):
                continue  # which tells why they grew
            if len(a[1]) == len(b[1]) == number and 0 < a[0].get(name, 0) != b[0].get(name, 0) > 0:
                scale = math.log(b[0][name] / a[0][name])
                found = [math.log(y.size / x.size) / scale for x, y in zip(a[1], b[1], strict=True)]
                alike = [round(new) if new > NEARLY and abs(new - round(new)) < NEARLY**2 else 0.0 for new in found]
                powers = list(map(max, powers, alike))
        return powers


def _at(point: Point) -> str:
    return f"as traced at {', '.join(f'{name}={value}' for name, value in point.items())}"


def excess(arrays: tuple[Held, ...]) -> str | None:
    """Why what a program holds is too much, or nothing."""
    total, allowed = sum(each.size for each in arrays), limit()
    if total <= allowed:
        return None
    most = max(arrays, key=lambda each: each.size)
    return f"the arrays that it holds take {in_words(total)}, more than the {in_words(allowed)} of {VARIABLE}: most is {most}"
