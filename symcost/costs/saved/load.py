"""``load``: a saved table from its file. Formulas are read by the safe parser, each distinct text once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from symcost.costs.cost import CONVENTIONS, METRICS, SPLITS, XLA, Cost
from symcost.costs.evidence import WORDS, Decision, Evidence
from symcost.costs.parts import Field, Parts, Rows
from symcost.costs.rows import Row, Withdrawn
from symcost.costs.said import NOT_ASKED, Certificate, Said
from symcost.costs.saved import sums
from symcost.costs.saved.cut import cut_of
from symcost.costs.saved.facts import SavedDomain
from symcost.costs.saved.format import SUFFIX, read
from symcost.costs.saved.numbers import ALL, kept, peak
from symcost.costs.saved.older import total_with_state, with_state
from symcost.costs.saved.values import as_integer, as_integers, as_text, as_texts, or_none, undamaged
from symcost.costs.table import CostTable
from symcost.errors import ExpressionError, SymcostError
from symcost.formulas.conditions import condition
from symcost.formulas.symbols import parse
from symcost.reading.choices import Convention
from symcost.reading.given import checked
from symcost.reading.numerals import MAX_DIGITS, short


def is_saved(target: str) -> bool:
    """Whether a model is named by the file of a saved table.

    >>> is_saved("costs.json"), is_saved("resnet50")
    (True, False)
    """
    return target.endswith(SUFFIX)


@checked
def load(path: str | Path) -> CostTable:
    """The table that ``costs.save(path)`` or ``--format json`` wrote: rows, totals, peaks, domain and certificate.

    Nothing is traced, nothing is evaluated, and jax is not needed. A file that is damaged, edited or of a newer format
    is an error.

    Raises:
        SymcostError: where the file cannot be read, is damaged or edited, or is of a newer format.

    >>> import tempfile
    >>> import symcost as sc
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sc.models.alexnet(n="n").save(f"{folder}/alexnet.json")
    ...     costs = sc.load(f"{folder}/alexnet.json")
    >>> costs.subs(n=2).macs
    1448813632
    """
    document = read(Path(path))
    with undamaged(Path(path), "table"):
        table = _DocumentReader(document).table()
    table.parts = replace(table.parts, name=Path(path).stem)
    return table


class _DocumentReader:
    """One document; every distinct formula is parsed once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.known: dict[str, Any] = {}
        self.costs: dict[tuple[tuple[str, str], ...], Cost] = {}
        self.shapes: dict[tuple[str, ...], tuple[Any, ...]] = {}

    def number(self, text: Any) -> Any:
        known = self.known.get(text)
        if known is None:
            if not isinstance(text, str):
                raise ExpressionError(f"{short(text)} stands where a formula should")
            plain = text.isdecimal() and text.isascii() and len(text) <= MAX_DIGITS
            value = int(text) if plain else parse(text)
            known = self.known[text] = int(value) if not isinstance(value, int) and value.is_Integer else value
        return known

    def times(self, text: Any) -> Any:
        runs = self.number(text)
        if isinstance(runs, int) and runs < 0:
            raise ExpressionError(f"{text} executions stand in a row, where none is the least")
        return runs

    def named(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """The symbols, among which is every one of the formulas."""
        for formula in self.known.values():
            for name in sorted(str(s) for s in getattr(formula, "free_symbols", ())):
                if name not in symbols:
                    raise SymcostError(f"{name} stands in {formula} and not among its symbols {', '.join(symbols)}")
        return symbols

    def cost(self, given: Mapping[str, str]) -> Cost:
        key = tuple(given.items())
        if key not in self.costs:
            self.costs[key] = Cost(**{_metric(metric): self.number(text) for metric, text in key})
        return self.costs[key]

    def xla(self, given: Mapping[str, str] | None) -> Cost | Withdrawn:
        return Withdrawn(as_text(self.document["withdrawn"][XLA])) if given is None else self.cost(given)

    def shape(self, given: list[str]) -> tuple[Any, ...]:
        key = tuple(given)
        if key not in self.shapes:
            self.shapes[key] = tuple(map(self.number, key))
        return self.shapes[key]

    def row(self, given: Mapping[str, Any]) -> Row:
        return Row(
            path=as_text(given["path"]), op=as_text(given["op"]), cost=self.cost(given["full"]),
            textbook=self.cost(given["textbook"]), xla=self.xla(given["xla"]), times=self.times(given["times"]),
            xla_times=self.times(given["xla_times"]), ins=tuple(map(self.shape, given["ins"])),
            out=self.shape(given["out"]), phase=as_text(given["phase"]), source=as_text(given["source"]),
            bound=bool(given["bound"]), dtype=as_text(given.get("dtype", "")),
            in_dtypes=tuple(map(as_text, given.get("in_dtypes", ()))), written=bool(given.get("written", False)),
        )  # fmt: skip

    def table(self) -> CostTable:
        document = self.document
        rows, old = [self.row(row) for row in document["rows"]], document["format"] == 1
        if old:
            rows = list(map(with_state, rows))
        at = as_integers(document["at"])
        counted = document["conventions"]
        totals: dict[Convention, Cost] = {c: self.cost(counted[c]) for c in CONVENTIONS if counted[c] is not None}
        if old:
            totals = {convention: total_with_state(cost, rows, convention) for convention, cost in totals.items()}
        symbols = self.named(tuple(map(as_text, document["symbols"])))
        domain = or_none(lambda domain: _domain(domain, at), document["domain"])
        sums.check(rows, totals, symbols, domain, document["digest"])
        for metric, text in document["totals"].items():
            if self.number(text) != getattr(totals["textbook" if metric == "activations" else "full"], _metric(metric)):
                raise SymcostError(f"{metric} is {text} among its totals and another number among its conventions")
        peaks = {rule: self.peak(by_unit) for rule, by_unit in document["peaks"].items()}
        parts = Parts(
            symbols=symbols,
            withdrawn={as_text(name): as_text(why) for name, why in document.get("withdrawn", {}).items()},
            point=at,
            compared=as_text(document.get("compared", "")),
            domain=domain,
            certificate=or_none(_certificate, document["certificate"]),
            coverage=or_none(as_integers, document["coverage"]),
            unknown_trips=as_texts(document["loops"]),
            unknown_macs=as_texts(document.get("kernels", {})),  # files of earlier versions have none
            kinds=as_texts(document.get("types", {})),  # likewise
            peak=partial(peak, peaks) if peaks else None,
            residuals=or_none(lambda text: partial(kept, self.number(text)), document["residuals"]),
            receptive_field=or_none(lambda places: partial(kept, self.field(places)), document["receptive_field"]),
            sharded=or_none(lambda mesh: cut_of(mesh, at, self.inner), document.get("mesh")),
        )
        return CostTable.of(Rows(rows, totals), parts)

    def inner(self, document: Mapping[str, Any]) -> tuple[CostTable, Callable[[Any], Any]]:
        """A table inside of this one's document, and what reads formulas of its symbols."""
        reader = _DocumentReader({**document, "digest": self.document["digest"]})
        return reader.table(), reader.number

    def field(self, places: Any) -> Field:
        return None if places == ALL else tuple(map(self.number, places))

    def peak(self, by_unit: Mapping[str, Any]) -> dict[str, Any]:
        return {
            unit: None if text is None else text if unit == "problem" else self.number(text)
            for unit, text in by_unit.items()
        }


def _metric(name: Any) -> str:
    if name not in (*METRICS, *SPLITS):
        raise SymcostError(f"unknown metric {short(name)}: there are {', '.join(METRICS)}")
    return name


def _domain(given: Mapping[str, Any], at: Mapping[str, int]) -> SavedDomain:
    texts = tuple(map(as_text, given["conditions"]))
    for text in texts:
        condition(text)
    return SavedDomain(
        text=as_text(given["text"]), symbols=tuple(map(as_text, given["symbols"])), texts=texts,
        notes=list(map(as_text, given["notes"])), bounds_at_one=frozenset(map(as_text, given["bounds_at_one"])),
        spans=as_integers(given["spans"]), at=tuple(at.items()),
        evidence={as_text(name): _evidence(each) for name, each in given.get("evidence", {}).items()},
        decisions=_decisions(given.get("decisions", [])), uncomputed=_decisions(given.get("uncomputed", [])),
    )  # fmt: skip


def _evidence(given: Mapping[str, Any]) -> Evidence:
    """The word of a symbol; files of earlier versions have none."""
    word, most = given["word"], given["most"]
    if word not in WORDS:
        raise SymcostError(f"{short(word)} stands where {', '.join(WORDS)} should")
    return Evidence(word, as_text(given["why"]), or_none(as_integer, most))


def _decisions(given: Sequence[Mapping[str, Any]]) -> tuple[Decision, ...]:
    return tuple(
        Decision(as_text(each["text"]), tuple(map(as_text, each["symbols"])), as_text(each["place"])) for each in given
    )


def _said(given: Mapping[str, Any] | None) -> Said:
    """What XLA said; files written before it was asked have nothing."""
    if given is None:
        return NOT_ASKED
    if given["equal"] not in (True, False, None):
        raise SymcostError(f"equal={given['equal']!r} stands where true, false or null should")
    return Said(given["equal"], as_text(given["why"]), as_integers(given["at"]))


def _certificate(given: Mapping[str, Any]) -> Certificate:
    counts = {name: as_integer(given[name], name) for name in ("traces", "numbers", "programs")}
    fitted, held_out = (tuple(map(as_integers, given[name])) for name in ("fitted", "held_out"))
    said, words = _said(given.get("xla")), as_text(given.get("words", ""))
    return Certificate(fitted=fitted, held_out=held_out, xla=said, words=words, **counts)
