"""The verdict on each claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache

from symcost.audit.claims import Claim
from symcost.audit.formulas import METRICS, formula, slip
from symcost.audit.printed import read
from symcost.audit.quantities import Scope, quantity
from symcost.audit.slips import why
from symcost.equality import difference
from symcost.errors import SymcostError
from symcost.layers.layered import LayerTable
from symcost.models.catalog import literal, reference
from symcost.symbols import parse


@dataclass(frozen=True)
class Finding:
    """A claim with its verdict: what is right, and in which manner it was counted, or why it is wrong."""

    claim: Claim
    right: bool
    actual: str
    because: str

    def __str__(self) -> str:
        source = f" ({self.claim.source})" if self.claim.source else ""
        verdict = "" if self.right else f"{self.actual} is right: "
        return f"{self.claim.subject} = {self.claim.value}{source}: {verdict}{self.because}"


def audit(claims: Iterable[Claim]) -> list[Finding]:
    """A finding for every claim; a claim that cannot be understood is an error that names its line."""
    found = []
    for claim in claims:
        try:
            found.append(_formula(claim) if claim.quantity in METRICS else _number(claim))
        except SymcostError as problem:
            raise SymcostError(f"line {claim.line}: {problem}") from None
    return found


def _formula(claim: Claim) -> Finding:
    claimed, right = parse(claim.value), formula(claim.layer or claim.model, claim.quantity)
    if difference(claimed, right) == 0:
        return Finding(claim, True, str(right), "textbook")
    return Finding(claim, False, str(right), slip(claimed, right))


def _number(claim: Claim) -> Finding:
    wanted = quantity(claim.quantity)
    claimed = read(claim.value, claim.unit or wanted.unit, wanted.bytes_)
    readings = wanted.readings(_scope(claim))
    meant = [reading for reading in readings if reading.meant(claim.convention)]
    if not meant:
        raise SymcostError(f"{wanted.name} has no meaning under {claim.convention!r}: leave the convention empty")
    for reading in meant:
        if manner := claimed.stands_for(reading.value):
            how = "" if manner == "exact" else f", {manner} from {_whole(reading.value)}"
            return Finding(claim, True, claimed.shown(reading.value), f"{reading.manner}{how}")
    others = [reading for reading in readings if reading not in meant]
    return Finding(claim, False, _actual(claimed.shown(meant[0].value), meant[0].value), why(claimed, meant, others))


def _actual(shown: str, value: int | Fraction) -> str:
    whole = _whole(value)
    return shown if shown == whole else f"{shown} ({whole})"


def _whole(value: int | Fraction) -> str:
    return f"{value:,}" if isinstance(value, int) or value.denominator > 1 else f"{value.numerator:,}"


def _scope(claim: Claim) -> Scope:
    table = _table(claim.model, claim.at)
    if not claim.layer:
        return Scope(table, table.rows, whole=True)
    path = claim.layer.replace(".", "/")
    rows = tuple(row for row in table.rows if row.path == path or row.path.startswith(path + "/"))
    if not rows:
        paths = sorted({"/".join(row.path.split("/")[:depth]) for row in table.rows for depth in (1, 2, 3)})
        near = get_close_matches(path, paths, n=3) or [p for p in paths if p][:5]
        raise SymcostError(f"{claim.model} has no layer {claim.layer!r}: did you mean {' or '.join(near)}?")
    return Scope(table, rows, whole=False)


@cache
def _table(model: str, at: str) -> LayerTable:
    given: dict[str, object] = {}
    for part in at.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise SymcostError(f"at={at!r} must be NAME=VALUE, as width=1.4 r=192")
        given[name] = literal(value)
    table = reference(model)(**given)
    if table.symbols:
        raise SymcostError(f"at={at!r} leaves {', '.join(table.symbols)} without a value: claims are about numbers")
    return table
