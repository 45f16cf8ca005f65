"""The verdict on each claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.questions.setting import setting
from symcost.formulas.compared.equality import difference
from symcost.formulas.measures import SIGNS
from symcost.formulas.symbols import parse
from symcost.formulas.units import physical
from symcost.gates.audit.claims import Claim
from symcost.gates.audit.formulas import METRICS, formula, others, slip
from symcost.gates.audit.printed import read
from symcost.gates.audit.quantities import Scope, quantity
from symcost.gates.audit.slips import why
from symcost.reading.nearest import choose, same
from symcost.reading.numerals import short
from symcost.sources.source import Source, is_traced
from symcost.sources.texts import integer
from symcost.sources.tracing import TracingOptions
from symcost.views import Viewed


@dataclass(frozen=True)
class ClaimFinding:
    """A claim with its verdict: what is right, and in which manner it was counted, or why it is wrong."""

    claim: Claim
    right: bool
    actual: str
    because: str
    remark: str = ""
    """What should be said of a claim that is right: that its last digit is cut off and not rounded."""

    def __str__(self) -> str:
        source = f" ({self.claim.source})" if self.claim.source else ""
        verdict = "" if self.right else f"{self.actual} is right: "
        remark = f" ({self.remark})" if self.remark else ""
        return f"{self.claim.subject} = {self.claim.value}{source}: {verdict}{self.because}{remark}"


class Audit(Viewed, list[ClaimFinding], kind="audit"):
    """The findings of an audit, one for every claim, in order."""

    def __repr__(self) -> str:
        return f"<Audit of {str(self).splitlines()[-1]}>"


Tables = Callable[[Claim], CostTable]
"""The table that a claim is about."""


def audit(claims: Iterable[Claim], tables: Tables | None = None) -> Audit:
    """A finding for every claim; a claim that cannot be understood is an error that names its line.

    ``tables`` makes the table of a claim, unless as :func:`source` says.
    """
    findings, known = Audit(), _KnownTables(tables or (lambda claim: source(claim).table()))
    for claim in claims:
        try:
            metric = same(claim.quantity, METRICS)
            findings.append(_formula(claim, metric) if metric else _number(claim, known))
        except SymcostError as problem:
            raise SymcostError(f"line {claim.line}: {problem}") from None
    return findings


def _formula(claim: Claim, metric: str) -> ClaimFinding:
    kind = claim.layer or claim.model
    claimed, right = parse(claim.value), formula(kind, metric)
    if difference(claimed, right) == 0:
        return ClaimFinding(claim, True, str(right), "textbook")
    return ClaimFinding(claim, False, str(right), slip(claimed, right, others(kind, metric)))


def _number(claim: Claim, known: _KnownTables) -> ClaimFinding:
    table, wanted = known.table(claim), quantity(claim.quantity)
    claimed = read(claim.value, claim.unit or wanted.unit, wanted.kind, wanted.words)
    readings = wanted.readings(_scope(claim, table, claim.layer or wanted.layer))
    meant = [reading for reading in readings if reading.meant(claim.convention)]
    if not meant:
        raise SymcostError(f"{wanted.name} has no meaning under {claim.convention!r}: leave the convention empty")
    for reading in meant:
        if manner := claimed.stands_for(reading.value):
            shown = claimed.shown(reading.value)
            how = "" if manner == "exact" else f", {manner} from {_whole(reading.value, SIGNS[wanted.kind])}"
            remark = f"rounds to {shown}" if manner == "cut off" else ""
            return ClaimFinding(claim, True, shown, f"{reading.manner}{how}", remark)
    right, because = why(claimed, meant, [reading for reading in readings if reading not in meant], wanted)
    return ClaimFinding(
        claim, False, _actual(claimed.shown(right.value), _whole(right.value, SIGNS[wanted.kind])), because
    )


def _actual(shown: str, whole: str) -> str:
    return shown if shown == whole else f"{shown} ({whole})"


def _whole(value: int | Fraction, sign: str) -> str:
    """All digits of an integer; four of a fraction, as of bytes, seconds and joules, with its unit."""
    return f"{value.numerator:,}" if value.denominator == 1 else physical(value, sign).strip()


def _scope(claim: Claim, table: CostTable, layer: str) -> Scope:
    told = {name: value for name in ("device", "dtype") if (value := getattr(claim, name))}
    asked = setting(table, told)
    if not layer:
        return Scope(table, table.rows, True, asked)
    path = layer.replace(".", "/")
    rows = tuple(row for row in table.rows if row.path == path or row.path.startswith(path + "/"))
    if not rows:
        paths = sorted({"/".join(row.path.split("/")[:depth]) for row in table.rows for depth in (1, 2, 3)})
        raise SymcostError(f"{claim.model} has no layer {layer!r}: {choose(path, [p for p in paths if p])}")
    return Scope(table, rows, False, asked)


class _KnownTables:
    """Tables that were found before, by what of a claim names them."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[tuple[Any, ...], CostTable] = {}

    def table(self, claim: Claim) -> CostTable:
        """The table of a claim, every size of it a number."""
        key = (claim.model, claim.at, claim.spec, claim.call, claim.options)
        if key not in self._known:
            table = self._known[key] = self._tables(claim)
            if left := table.symbols:
                raise SymcostError(
                    f"at={claim.at!r} leaves {', '.join(left)} without a value: claims are about numbers"
                )
        return self._known[key]


def source(claim: Claim) -> Source:
    """The model of a claim, with its values put in."""
    given = {name: _option(name, text) for name, text in {"call": claim.call, **dict(claim.options)}.items()}
    how = TracingOptions.read(given, is_traced(claim.model))
    return Source(claim.model, tuple(claim.spec.split()), how, dict(values(claim.at)))


def _option(name: str, text: str) -> Any:
    """The value of a column as the command line has it: a text, a truth value, or several texts."""
    if name in ("mode", "method"):
        return text
    if name == "max_pieces":
        return integer(name, text)
    return _truth(name, text) if name in ("referee", "function") else text.split()


def _truth(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise SymcostError(f"{name}={short(text)} must be true or false")
    return text.lower() == "true"


def values(at: str) -> list[tuple[str, str]]:
    """The names and values of ``at``.

    >>> values("width=1.4 r=192")
    [('width', '1.4'), ('r', '192')]
    """
    pairs = []
    for part in at.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise SymcostError(f"at={short(at)} must be NAME=VALUE, as width=1.4 r=192")
        pairs.append((name, value))
    return pairs
