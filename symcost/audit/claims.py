"""Tables of claims: a CSV with the columns ``model, quantity, value`` and, where wanted, more.

``model`` is a reference network, the file of a saved table, or ``PKG.MOD:NAME`` of a Flax model with its inputs in
``spec`` (``float32[n,32,32,3]``, several separated by spaces) and keyword arguments in ``call`` (``train=false``).
``layer`` (a path in the network; empty for the whole of it), ``at`` (``width=1.4 r=192``: parameters and symbols),
``unit`` (of the value, where it does not say), ``convention`` (the one that the claim names), ``source`` (who says so).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path

from symcost.errors import SymcostError


@dataclass(frozen=True)
class Claim:
    """One line of a table of claims."""

    line: int
    model: str
    quantity: str
    value: str
    layer: str = ""
    at: str = ""
    unit: str = ""
    convention: str = ""
    source: str = ""
    spec: str = ""
    call: str = ""

    @property
    def subject(self) -> str:
        """What is claimed about."""
        return " ".join(part for part in (self.model, self.at, self.layer, self.quantity) if part)


NEEDED = ("model", "quantity", "value")
KNOWN = tuple(field.name for field in fields(Claim) if field.name != "line")


def read(path: Path) -> list[Claim]:
    """The claims of a CSV file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file, skipinitialspace=True, strict=True)
            titles = [title.strip().lower() for title in lines.fieldnames or ()]
            _check(titles, path)
            lines.fieldnames = titles
            return [_claim(line, lines.line_num, path) for line in lines]
    except OSError as problem:
        raise SymcostError(f"{path} cannot be read: {problem.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as problem:
        raise SymcostError(f"{path} cannot be read as CSV: {problem}") from None


def _check(titles: list[str], path: Path) -> None:
    for name in NEEDED:
        if name not in titles:
            raise SymcostError(f"{path} has no column {name!r}: its first line must name {', '.join(NEEDED)}")
    for title in titles:
        if title not in KNOWN:
            near = get_close_matches(title, KNOWN, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"use {', '.join(KNOWN)}"
            raise SymcostError(f"{path} has an unknown column {title!r}: {hint}")


def _claim(line: dict[str, str], number: int, path: Path) -> Claim:
    if None in line or None in line.values():
        raise SymcostError(f"{path}, line {number}: it has more or fewer fields than the first line: make them equal")
    return Claim(number, **{name: value.strip() for name, value in line.items()})
