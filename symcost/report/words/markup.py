"""Pieces of HTML that notebooks are made of: tables and formulas; every text is escaped, and there is no script."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import Any

import sympy

from symcost.formulas.text import written
from symcost.formulas.units import as_number, grouped

LONG = 240
"""Characters of a formula from which it is text, which breaks into lines and opens by a click."""
_CELL = "text-align:{};vertical-align:top;padding:.1em .6em;{}"
_NAMES, _WORDS, _NUMBERS = "overflow-wrap:anywhere;min-width:12em", "overflow-wrap:break-word", "white-space:nowrap"
"""How cells break: names in front anywhere, words between words, numbers nowhere."""


class Html(str):
    """Text that is HTML already, and is not escaped again."""


def mathml(value: Any) -> str:
    """A formula as presentation MathML, without the element around it."""
    return sympy.mathml(sympy.sympify(value, strict=True), printer="presentation")


def formula(value: Any) -> Html:
    """A formula as mathematics, a long one as text that opens by a click; a number with separators.

    >>> formula(124439808), formula(sympy.Rational(7, 2))
    ('124,439,808', '7/2')
    """
    number = as_number(value)
    if number is not None:
        return Html(grouped(number))
    text = written(value)
    if len(text) > LONG:
        return Html(
            folded("the formula", f'<code style="white-space:normal;overflow-wrap:anywhere">{escape(text)}</code>')
        )
    return Html(f"<math>{mathml(value)}</math>")


def quoted(text: str) -> Html:
    """What somebody wrote, letter by letter."""
    return Html(f"<code>{escape(text)}</code>")


def said(text: str) -> str:
    """A sentence in front."""
    return f"<p><b>{escape(text)}</b></p>"


def note(text: str) -> str:
    """A sentence behind."""
    return f"<p>{escape(text)}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """A table of texts, or of :class:`Html`, that scrolls where it is wider than its place; ``right`` columns are of numbers."""
    sides = ["right" if i in right else "left" for i in range(len(heads))]
    breaks = [_NUMBERS if side == "right" else _WORDS if i else _NAMES for i, side in enumerate(sides)]
    styles = [_CELL.format(*each) for each in zip(sides, breaks, strict=True)]
    head = "".join(
        f'<th style="{_CELL.format(side, _WORDS)}">{escape(text)}</th>' for text, side in zip(heads, sides, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row, styles))}</tr>" for row in rows)
    return f'<div style="max-width:100%;overflow-x:auto"><table><tr>{head}</tr>{body}</table></div>'


def _cell(text: str, style: str) -> str:
    return f'<td style="{style}">{text if isinstance(text, Html) else escape(text)}</td>'


def folded(title: str, inner: str, opened: bool = False) -> str:
    """A part that opens by a click."""
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>{inner}</details>"
