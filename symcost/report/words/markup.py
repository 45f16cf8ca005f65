"""Pieces of HTML that notebooks are made of: tables and formulas; every text is escaped, and there is no script."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import Any

import sympy

from symcost.formulas.text import written
from symcost.formulas.units import as_number

LONG = 240
"""Characters of a formula from which it is text, which breaks into lines and opens by a click."""
_CELL = "text-align:{};vertical-align:top;overflow-wrap:anywhere;padding:.1em .6em"


def mathml(value: Any) -> str:
    """A formula as presentation MathML, without the element around it."""
    return sympy.mathml(sympy.sympify(value, strict=True), printer="presentation")


def formula(value: Any) -> str:
    """A formula as mathematics, a long one as text that opens by a click; a number with separators.

    >>> formula(124439808), formula(sympy.Rational(7, 2))
    ('124,439,808', '7/2')
    """
    number = as_number(value)
    if number is not None:
        return f"{number.numerator:,}" + (f"/{number.denominator:,}" if number.denominator > 1 else "")
    text = written(value)
    if len(text) > LONG:
        return folded("the formula", f'<code style="white-space:normal;overflow-wrap:anywhere">{escape(text)}</code>')
    return f"<math>{mathml(value)}</math>"


def said(text: str) -> str:
    """A sentence in front."""
    return f"<p><b>{escape(text)}</b></p>"


def note(text: str) -> str:
    """A sentence behind."""
    return f"<p>{escape(text)}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = (), plain: bool = True) -> str:
    """A table that scrolls by itself where it is wider than its place; unless ``plain``, cells are HTML already."""
    aligned = ["right" if i in right else "left" for i in range(len(heads))]
    head = "".join(
        f'<th style="{_CELL.format(side)}">{escape(text)}</th>' for text, side in zip(heads, aligned, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL.format(side)}">{escape(cell) if plain else cell}</td>'
            for cell, side in zip(row, aligned, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div style="max-width:100%;overflow-x:auto"><table><tr>{head}</tr>{body}</table></div>'


def folded(title: str, inner: str, opened: bool = False) -> str:
    """A part that opens by a click."""
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>{inner}</details>"
