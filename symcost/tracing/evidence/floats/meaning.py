"""What a program's floats mean: its roundings and comparisons in exact numbers, and the sizes that come of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symcost.errors import ExpressionError
from symcost.formulas.form import Form
from symcost.formulas.functions import changed, maximum, where
from symcost.tracing.evidence.floats.exact import exact, meant
from symcost.tracing.evidence.guard import Guard, Operand, Rounding
from symcost.tracing.evidence.guard import guard as simple
from symcost.tracing.evidence.normal import side_text
from symcost.tracing.evidence.record import Recording

ORDERS = ("<", "<=", ">", ">=")


@dataclass(frozen=True)
class Behind:
    """One side of a condition on rounded numbers: each is what its formula gives."""

    side: Operand | Rounding
    recording: Recording = field(compare=False)

    @property
    def symbols(self) -> frozenset[str]:
        """The model's own symbols in it."""
        return self.recording.behind(self.side.symbols)

    def value(self, at: Mapping[str, int]) -> Any:
        """Its value at integers."""
        return self.side.value(self.recording.at(at))

    def __str__(self) -> str:
        named = {
            rounding.symbol: rounding for rounding in self.recording.roundings if rounding.symbol in self.side.symbols
        }
        return side_text(self.side) + "".join(f" with {name} = {rounding}" for name, rounding in named.items())


@dataclass(frozen=True)
class Truth:
    """1 where a comparison of floats holds as Python computes it, else 0."""

    guard: Guard

    @property
    def symbols(self) -> frozenset[str]:
        """The model's own symbols in it."""
        return self.guard.symbols

    def value(self, at: Mapping[str, int]) -> int:
        """Whether it holds at integers."""
        return int(self.guard.holds(at))

    def __str__(self) -> str:
        return f"({self.guard})"


@dataclass(frozen=True)
class Comparison:
    """A comparison of floats in exact numbers: ``left op right``."""

    guard: Guard
    left: Form
    right: Form
    floats: bool
    """Whether a side is a float: integers compare as they do."""

    @property
    def form(self) -> Form:
        """1 where it holds and 0 elsewhere."""
        return where(self.left, self.guard.op, self.right)

    @property
    def exact(self) -> Guard | None:
        """The same in exact numbers, told shortest; nothing where it always holds."""
        return simple(self.left, self.guard.op, self.right, self.guard.place, self.guard.by)

    @property
    def claim(self) -> Guard:
        """That floats decide as exact numbers do."""
        return Guard(Truth(self.guard), "==", self.form, self.guard.place, "rounding")


def meanings(seen: Recording) -> dict[str, Form]:
    """By the name of each rounded number its exact form, as far as there is one."""
    found: dict[str, Form] = {}
    for made in seen.roundings:
        form = meant(made)
        if made.symbol and form is not None:
            form = replaced(form, found)
            if form.symbols <= set(seen.base):
                found[made.symbol] = form
    return found


def replaced(form: Form, known: Mapping[str, Form]) -> Form:
    """A form with forms in the place of some symbols; as it is where that would divide by a sum."""
    try:
        return changed(form, lambda atom: known.get(atom.name) if atom.kind == "symbol" else None)
    except ExpressionError:
        return form


def behind(guard: Guard, seen: Recording) -> Guard:
    """A condition over the model's own symbols, whatever rounded numbers it speaks of."""

    def known(side: Operand) -> Operand:
        return side if side.symbols <= set(seen.base) else Behind(side, seen)

    return replace(guard, left=known(guard.left), right=known(guard.right))


def claims(seen: Recording) -> list[Guard]:
    """That floats decide, and round, as exact numbers do: what every exact form of them stands on."""
    known = meanings(seen)
    rounded = [Guard(Behind(rounding, seen), "==", known[rounding.symbol], rounding.place, "rounding")
               for rounding in seen.roundings if rounding.symbol in known and not rounding.symbols <= set(seen.base)]  # fmt: skip
    return [*rounded, *(comparison.claim for comparison in comparisons(seen) if comparison.floats)]


def comparisons(seen: Recording) -> list[Comparison]:
    """The comparisons of rounded numbers and of floats that have a meaning in exact numbers."""
    known, found = meanings(seen), []
    for guard in seen.guards:
        if guard.readable and guard.symbols <= set(seen.base):
            continue
        sides = [exact(guard.left), exact(guard.right)]
        forms = [replaced(side, known) for side in sides if side is not None]
        if len(forms) == 2 and all(form.symbols <= set(seen.base) for form in forms):
            found.append(Comparison(behind(guard, seen), forms[0], forms[1], not guard.readable))
    return found


def sizes(seen: Recording) -> list[Form]:
    """What sizes may be made of: the roundings, the larger one of two that are compared, 1 and 0 by a comparison."""
    compared = [comparison for comparison in comparisons(seen) if comparison.guard.op in ORDERS]
    larger = [(c, maximum((c.left, c.right))) for c in compared if c.left.symbols ^ c.right.symbols and not _sign(c)]
    found = [
        *(form for made in seen.roundings if (form := meant(made)) is not None),
        *meanings(seen).values(),
        *(form for _, form in larger),
        *_clamped(compared, larger),
        *(c.form for c in compared),
    ]
    return [form for form in dict.fromkeys(found) if form.number is None]


def _sign(compared: Comparison) -> bool:
    """Whether it asks for the sign of a size alone."""
    return any(side.number is not None and side.number <= 0 for side in (compared.left, compared.right))


def _clamped(compared: list[Comparison], larger: list[tuple[Comparison, Form]]) -> Iterator[Form]:
    """A later comparison of what an earlier one took the larger of."""
    for (first, form), other in itertools.product(larger, compared):
        sides = (first.left, first.right)
        if other.left in sides and other.right.symbols == form.symbols:
            yield where(form, other.guard.op, other.right)
        if other.right in sides and other.left.symbols == form.symbols:
            yield where(other.left, other.guard.op, form)
