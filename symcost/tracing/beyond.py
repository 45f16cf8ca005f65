"""A certified piece of a closed form, and where another one may hold: beyond its bounds, at exceptions, at batches of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.costs.said import Certificate
from symcost.formulas.form import Form, as_form, of_atom
from symcost.tracing.counting.structure import Line
from symcost.tracing.domain.domain import Domain
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.evidence.guard import Guard, guard
from symcost.tracing.lifted import Unknown

Peaks = Mapping[tuple[str, str], "list[Form] | str"]


@dataclass(frozen=True)
class Piece:
    """A certified closed form: its lines and folds, how it was checked, and where it holds."""

    lines: Sequence[Line]
    peaks: Peaks
    residuals: Form | None
    certificate: Certificate
    domain: Any
    unknown: Unknown
    explorer: Explorer
    number: int = 1
    """Of how many it was joined."""


def unmoved(piece: Piece, sizes: Iterable[Form]) -> list[Guard]:
    """Floors in sizes that are one number at all samples, as decisions: a form that was fitted there does not know them."""
    samples = piece.certificate.fitted
    atoms = dict.fromkeys(atom for size in sizes for _, factors in size.atoms() for atom, _ in factors)
    floors = [of_atom(atom) for atom in atoms if atom.kind in ("floor", "quotient")]
    decisions = []
    for form in floors:
        if samples and all(form.symbols <= set(point) for point in samples):
            values = {form.value(point) for point in samples}
            decisions += [guard(form, "==", as_form(value)) for value in values if len(values) == 1]
    return [decision for decision in decisions if decision is not None]


def beyond_bounds(piece: Piece) -> list[Guard]:
    """Bounds, batches of one and single exceptions that were found by trial, as decisions."""
    bounds = [decision for _, decisions in bounds_of(piece) for decision in decisions.values()]
    if not isinstance(piece.domain, Domain):
        return bounds
    one = [(name, 1) for name in piece.explorer.sampler.model.batches if piece.domain.at_least.get(name) == 2]
    apart = [(name, value) for name, values in piece.domain.other_than.items() for value in sorted(values)]
    alone = [guard(Form.symbol(name), "!=", as_form(value)) for name, value in (*one, *apart)]
    return [*bounds, *(each for each in alone if each is not None)]


def bounds_of(piece: Piece) -> list[tuple[dict[str, int], dict[str, Guard]]]:
    """Largest values of sizes and smallest depths that were found by trial, and the same as decisions."""
    domain, depths = piece.domain, piece.explorer.structural
    if not isinstance(domain, Domain):
        return []
    least = {name: value for name, value in domain.at_least.items() if name in depths}
    return [(domain.at_most, _decisions(domain.at_most, "<=")), (domain.at_least, _decisions(least, ">="))]


def _decisions(bounds: Mapping[str, int], op: str) -> dict[str, Guard]:
    made = {name: guard(Form.symbol(name), op, as_form(value)) for name, value in bounds.items()}
    return {name: decision for name, decision in made.items() if decision is not None}
