"""Tables of claims: a CSV with the columns ``model, quantity, value`` and, where wanted, more.

A table may be wide too: instead of ``quantity`` and ``value`` a column for each quantity, ``model, Params (M), GMACs``;
empty cells are no claims. Formulas are of a kind of layer (``layer``) and need no model.

``model`` is a reference network, the file of a saved table, or ``PKG.MOD:NAME`` of a Flax model with its inputs in
``specs`` (``float32[n,32,32,3]``, several separated by spaces) and keyword arguments in ``call`` (``train=false``). The other
options of ``symcost trace`` are columns too: ``arg, free, steps, at_least, samples, axis, rng, mode, wrt, active, upto,
max_pieces, method, referee, function``.
``layer`` (a path in the network; empty for the whole of it), ``at`` (``width=1.4 r=192``: parameters and symbols),
``unit`` (of the value, where it does not say), ``convention`` (the one that the claim names), ``source`` (who says so),
``device`` and ``dtype`` (of latency, energy and bytes).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError
from symcost.gates.audit.quantities import is_quantity
from symcost.reading.nearest import choose, folded, same
from symcost.reading.numerals import short
from symcost.sources.tracing import OPTION, TracingOptions


@dataclass(frozen=True)
class Claim:
    """One line of a table of claims."""

    line: int
    model: str = ""
    quantity: str = ""
    value: str = ""
    layer: str = ""
    at: str = ""
    unit: str = ""
    convention: str = ""
    source: str = ""
    spec: str = ""
    call: str = ""
    """Options of tracing that are given, by name."""
    device: str = ""
    dtype: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def subject(self) -> str:
        """What is claimed about."""
        return " ".join(part for part in (self.model, self.at, self.layer, self.quantity) if part)


ALIASES = {"specs": "spec", "axes": "axis", "rngs": "rng"}
"""Other names of columns."""
NEEDED = ("quantity", "value")
OPTIONS = tuple(
    OPTION.get(each.name, each.name) for each in fields(TracingOptions) if each.name not in ("call", "plan")
)
"""Columns for the options of tracing, as ``symcost trace`` has them; what an option takes several times stands between spaces."""
KNOWN = (*(field.name for field in fields(Claim) if field.name not in ("line", "options")), *OPTIONS)


def read(path: Path) -> list[Claim]:
    """The claims of a CSV file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file, skipinitialspace=True, strict=True)
            titles = [
                same(title, KNOWN) or ALIASES.get(folded(title)) or title.strip() for title in lines.fieldnames or ()
            ]
            wide = _check(titles, path)
            lines.fieldnames = titles
            return [claim for line in lines for claim in _claims(line, lines.line_num, path, wide)]
    except OSError as problem:
        raise SymcostError(f"{path} cannot be read: {problem.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as problem:
        raise SymcostError(f"{path} cannot be read as CSV: {problem}") from None


def _check(titles: list[str], path: Path) -> list[str]:
    """The columns of quantities, if the table is wide; columns that are neither are errors."""
    if len(set(titles)) < len(titles):
        twice = next(title for i, title in enumerate(titles) if title in titles[:i])
        raise SymcostError(f"{path} has the column {short(twice)} twice: give it once")
    wide = [title for title in titles if title not in KNOWN and not set(NEEDED) & set(titles) and is_quantity(title)]
    if not wide:
        for name in NEEDED:
            if name not in titles:
                raise SymcostError(
                    f"{path} has no column {name!r}: its first line must name model, quantity, value, or model and "
                    "quantities such as params, gmacs"
                )
    for title in titles:
        if title not in KNOWN and title not in wide:
            raise SymcostError(f"{path} has an unknown column {short(title)}: {choose(title, KNOWN)}")
    if "model" not in titles and "layer" not in titles:
        raise SymcostError(f"{path} has neither a column 'model' nor 'layer': say what the claims are about")
    return wide


def _claims(line: dict[str, str], number: int, path: Path, wide: list[str]) -> Iterator[Claim]:
    if None in line or None in line.values():
        raise SymcostError(f"{path}, line {number}: it has more or fewer fields than the first line: make them equal")
    told = {name: value.strip() for name, value in line.items()}
    shared: dict[str, Any] = {name: told[name] for name in told if name not in (*wide, *OPTIONS)}
    shared["options"] = tuple((name, told[name]) for name in OPTIONS if told.get(name))
    if not wide:
        yield Claim(number, **shared)
    yield from (Claim(number, **shared, quantity=name, value=told[name]) for name in wide if told[name])
