"""The report as LaTeX: the totals as displayed formulas, sub-forms that repeat named once, then a table by module.

The output is a fragment for a document that loads ``amsmath``; notebooks show :func:`totals` as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter

from symcost.costs.cost import COLUMNS, SPLITS, TEXTBOOK
from symcost.costs.table import CostTable
from symcost.formulas.binary.digits import Digital
from symcost.formulas.symbols import symbol
from symcost.formulas.text import shortest
from symcost.report.words import facts
from symcost.report.words.grouping import MODEL, paths

WHOLE: tuple[facts.Column, ...] = (("params", TEXTBOOK), *COLUMNS)
TABLED = ("params", *SPLITS, "macs", "flops")
TERMS_A_LINE = 4
NAMES = "uvxyz"
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\(<\)", ">": r"\(>\)",
    **{character: "\\" + character for character in "_#%&$"}, "{": r"\{", "}": r"\}",
}  # fmt: skip


def escaped(text: str) -> str:
    r"""Text with LaTeX's special characters escaped.

    >>> print(escaped("block_#"))
    block\_\#
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


class _Printer(LatexPrinter):
    """sympy's printer with names of several letters upright and the integer logarithms as they are written."""

    def _print_Symbol(self, expr: sympy.Symbol, style: str = "plain") -> str:
        head, _, index = expr.name.partition("_")
        if len(head) == 1 and len(index) <= 3 and "_" not in index:
            return f"{head}_{{{index}}}" if index else head
        return rf"\mathit{{{escaped(expr.name)}}}"

    def _inside(self, expr: Any) -> str:
        return self.parenthesize(expr.args[0], 1000, strict=True)

    def _print_clog2(self, expr: Any) -> str:
        return rf"\left\lceil \log_{{2}} {self._inside(expr)} \right\rceil"

    def _print_flog2(self, expr: Any) -> str:
        return rf"\left\lfloor \log_{{2}} {self._inside(expr)} \right\rfloor"

    def _print_pow2(self, expr: Any, exp: str = "") -> str:
        power = f"2^{{{self._print(expr.args[0])}}}"
        return rf"\left({power}\right)^{{{exp}}}" if exp else power

    def _print_isqrt(self, expr: Any, exp: str = "") -> str:
        root = rf"\left\lfloor \sqrt{{{self._print(expr.args[0])}}} \right\rfloor"
        return f"{root}^{{{exp}}}" if exp else root

    def _print_popcount(self, expr: Any) -> str:
        return rf"\operatorname{{popcount}} {self._inside(expr)}"

    def _print_odd_halves(self, expr: Any) -> str:
        power = expr.args[1]
        half = rf"\left\lfloor {self._inside(expr)} / 2^{{k}} \right\rfloor"
        return rf"\sum_{{k \geq 0}} \left({half} \bmod 2\right) {half}" + ("" if power == 1 else rf"^{{{power}}}")


_PRINTER = _Printer({"mul_symbol": r" \, "})  # a thin space between factors, so that names stay apart


def formula(value: Any) -> str:
    r"""A number or formula as LaTeX.

    >>> from symcost.formulas.symbols import parse
    >>> print(formula(parse("c_i*num_classes**2")))
    c_{i} \, \mathit{num\_classes}^{2}
    """
    return str(value) if isinstance(value, int) else _PRINTER.doprint(value)


@dataclass
class _Names:
    """Names for roundings and maxima that occur more than once, given in order of appearance."""

    costs: CostTable
    found: dict[Any, sympy.Symbol] = field(default_factory=dict)

    def learn(self, values: Sequence[Any]) -> None:
        """Name what repeats in these formulas."""
        counted: dict[Any, int] = {}
        for value in values:
            for node in sympy.preorder_traversal(value) if not isinstance(value, int) else ():
                if isinstance(node, sympy.floor | sympy.ceiling | sympy.Max | Digital):
                    counted[node] = counted.get(node, 0) + 1
        taken = {name.partition("_")[0] for name in self.costs.symbols}
        letter = next((name for name in NAMES if name not in taken), "w")
        repeated = [node for node, number in counted.items() if number > 1]
        for index, node in enumerate(repeated, start=1):
            self.found[node] = symbol(f"{letter}_{index}")

    def named(self, value: Any) -> Any:
        """A formula with the names in it."""
        return value if isinstance(value, int) else value.xreplace(self.found)

    def definitions(self) -> list[str]:
        """``name & = form``, an outer form in terms of the inner ones."""
        return [
            f"{formula(name)} &= {formula(node.func(*(self.named(a) for a in node.args), evaluate=False))}"
            for node, name in self.found.items()
        ]


def _lines(title: str, value: Any) -> list[str]:
    """An equation, a long sum broken into lines of a few terms."""
    value = shortest(value)
    if isinstance(value, int) or len(str(value)) <= 80:
        return [f"{title} &= {formula(value)}"]
    factor, terms = _as_sum(value)
    parts = [_signed(term) for term in terms]
    chunks = [" ".join(parts[i : i + TERMS_A_LINE]) for i in range(0, len(parts), TERMS_A_LINE)]
    chunks[0] = chunks[0].removeprefix("+ ")
    if factor != 1:
        chunks[0] = rf"{formula(factor)} \bigl({chunks[0]}"
        chunks[-1] += r"\bigr)"
    return [f"{title} &= {chunks[0]}", *(rf"&\quad {chunk}" for chunk in chunks[1:])]


def _as_sum(value: Any) -> tuple[Any, Sequence[Any]]:
    """(factor, terms) of a sum, of a factor times one sum, or of anything as one term."""
    if value.is_Add:
        return 1, value.as_ordered_terms()
    sums = [part for part in value.args if part.is_Add] if value.is_Mul else []
    if len(sums) == 1:
        return sympy.Mul(*(part for part in value.args if part is not sums[0])), sums[0].as_ordered_terms()
    return 1, [value]


def _signed(term: Any) -> str:
    text = formula(term)
    return f"- {text[1:].lstrip()}" if text.startswith("-") else f"+ {text}"


def _whole(costs: CostTable) -> list[tuple[str, Any]]:
    """(title, formula) of the totals that are not zero."""
    wanted: list[facts.Column] = [(m, c) for m, c in WHOLE if facts.splits(costs, m)]
    named = [(f"{facts.TITLES[m]} ({c})", shortest(getattr(costs.total(c), m))) for m, c in wanted]
    return [(title, value) for title, value in named if value != 0]


def _equations(whole: Sequence[tuple[str, Any]], names: _Names) -> list[str]:
    lines = [line for title, value in whole for line in _lines(rf"\text{{{escaped(title)}}}", names.named(value))]
    return lines or [r"\text{cost} &= 0"]


def _where(names: _Names) -> list[str]:
    definitions = names.definitions()
    return [r"\text{where}\quad " + definitions[0], *definitions[1:]] if definitions else []


def _display(lines: Sequence[str]) -> str:
    body = " \\\\\n".join(lines)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def totals(costs: CostTable) -> str:
    """The totals in displayed formulas, each with its convention, and the names they use defined below."""
    whole = _whole(costs)
    names = _Names(costs)
    names.learn([value for _, value in whole])
    return _display([*_equations(whole, names), *_where(names)])


def render(costs: CostTable, *, depth: int | None = None) -> str:
    """The totals, the table by module (params and their parts, state, MACs, FLOPs), the names they use, and where it holds."""
    wanted = [column for column in facts.columns(costs) if column[0] in TABLED]
    listed = [
        (path, number, [shortest(value) for value in facts.values_of(rows, wanted)])
        for path, number, rows in paths(costs.rows, depth)
    ]
    whole, names = _whole(costs), _Names(costs)
    names.learn([*(value for _, value in whole), *(value for _, _, values in listed for value in values)])
    table = [" & ".join(["module", *(f"{facts.TITLES[m]} ({c})" for m, c in wanted)]) + r" \\ \hline"]
    for path, number, values in listed:
        if any(value != 0 for value in values):
            times = "" if number is None or number == 1 else rf" \(\times {formula(number)}\)"
            cells = ["" if value == 0 else rf"\({formula(names.named(value))}\)" for value in values]
            table.append(" & ".join([rf"\texttt{{{escaped(path or MODEL)}}}{times}", *cells]) + r" \\")
    share = f"p{{{0.72 / max(len(wanted), 1):.2f}\\linewidth}}" * len(wanted)
    parts = ["% a fragment: the document needs \\usepackage{amsmath}", _display(_equations(whole, names))]
    parts.append("\n".join([rf"\begin{{tabular}}{{l{share}}}", *table, r"\end{tabular}"]))
    if where := _where(names):
        parts.append(_display(where))
    parts += [rf"\noindent\textbf{{{escaped(title)}}}: {escaped(sentence)}" for title, sentence in facts.notes(costs)]
    return "\n\n".join(parts)
