"""The first screen of a table: its headline, what is folded and in which order, leading terms, and digits that are never cut."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import printed_tables
import pytest
import sympy
from effort import by_turns
from hypothesis import given, settings
from hypothesis import strategies as st
from report_tables import TABLES, table

import symcost as sc
from symcost.cli.main import main
from symcost.costs.branches import branches
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.costs.saved.facts import SavedDomain
from symcost.costs.table import CostTable
from symcost.formulas.graph.leading import abbreviated, leading
from symcost.formulas.symbols import evaluate
from symcost.formulas.text import wrapped
from symcost.formulas.units import rounded
from symcost.report.formats import details, notebook, text
from symcost.report.formats.text import LINES, Screen
from symcost.report.words.headline import headline, narrowed, standing
from symcost.report.words.outline import Outline
from symcost.report.words.sheet import SheetColumn, fitted

n, d, L = sc.symbols("n d L")
WIDTHS = (60, 80, 200)
LARGE = {"symbols": lambda: sc.models.resnet152(n="n", r="r", classes="C"), "numbers": sc.models.resnet50,
         "tied": sc.models.gpt2, "free": lambda: sc.models.mobilenet_v2(width="a/20"), "flat": sc.models.vgg19}  # fmt: skip


def large(kind: str) -> Any:
    """A network of many layers."""
    return LARGE[kind]()


def labels(costs: Any, depth: int | None = None, most: int = 15) -> list[str]:
    """What stands in the first column."""
    return [entry.label for entry in Outline(costs.rows, costs.parts.kinds, Screen(costs).tells).entries(depth, most)]


# -- the whole screen --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("kind", LARGE)
def test_a_deep_network_takes_one_screen(kind: str, width: int) -> None:
    lines = text.render(large(kind), width=width).splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= width


SHOWN = [
    pytest.param(kind, width, marks=by_turns(i, j, len(WIDTHS)))
    for i, kind in enumerate([*LARGE, *TABLES])
    for j, width in enumerate(WIDTHS)
]


@pytest.mark.parametrize(("kind", "width"), SHOWN)
def test_every_number_is_whole_or_not_there(kind: str, width: int) -> None:
    """Every cell of numbers is one of a number or formula of the JSON, or the leading terms or number of terms of one."""
    costs = large(kind) if kind in LARGE else table(kind)
    if not costs.rows:
        return
    for render, convention in ((text.render, "full"), (details.render, "full")):
        titles, modules, total = printed_tables.read(render(costs, width=width))
        for metric, title in (("params", "params"), ("macs", "MACs")):
            places = [k for k, shown in enumerate(titles) if shown in (title, f"({convention})")][
                : 1 if title in titles else 0
            ]
            for k in places:
                whole = getattr(costs, metric)
                assert total[k] in _ways(whole)
                assert all(cell == "" or _is_whole(cell) for cell in (line[k] for line in modules))


def _ways(value: Any) -> tuple[str, ...]:
    return (f"{value:,}",) if isinstance(value, int) else abbreviated(value)


def _is_whole(cell: str) -> bool:
    """Whether it is a number in groups of three digits, a formula that the parser reads, or one with its lower terms left out."""
    if re.fullmatch(r"\d{1,3}(,\d{3})*", cell) or re.fullmatch(r"\d+ (terms?|candidates?)", cell):
        return True
    return sc.parse(cell.removesuffix(" + …")) is not None


@pytest.mark.parametrize("width", WIDTHS)
def test_what_has_no_room_is_said(width: int) -> None:
    shown = text.render(sc.models.gpt2(), width=width)
    left_out = re.findall(r"left out at this width: ([\w, +]+)", " ".join(shown.split()))
    assert {60: ["type, output"], 80: ["type"], 200: []}[width] == left_out


def test_the_command_says_how_to_see_the_rest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sc.models.resnet18(n="n").save(tmp_path / "net.json")
    file = str(tmp_path / "net.json")
    for verb in ("trace", "table"):
        assert main([verb, file]) == 0
        assert "all of it: --all" in capsys.readouterr().out
        assert main([verb, file, "--all"]) == 0
        assert "peak bytes (textbook)" in capsys.readouterr().out
        assert main([verb, file, "--at", "n=1", "--si"]) == 0
        assert re.search(r"total +11\.7 M +1\.81 G", capsys.readouterr().out)
        assert main([verb, file, "--all", "--format", "json"]) == 2
        assert "--all is of the format text: json is whole as it is" in capsys.readouterr().err


COMMANDS = [
    ["table", "gpt2"], ["table", "resnet50", "--convention", "fvcore"], ["table", "vit", "--at", "d=d", "--at", "r=r", "--all"],
    ["trace", "resnet50", "--at", "n=n", "--si"], ["estimate", "resnet50"], ["estimate", "gpt2", "--at", "n=n"],
    ["fits", "mcunet_in1", "--device", "stm32f746"], ["diff", "resnet18", "resnet34"], ["devices", "stm32f746"],
]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_cuts_a_digit(
    command: list[str], width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(command) == 0
    assert not re.search(r"\w…", capsys.readouterr().out)


# -- the headline ------------------------------------------------------------------------------------------------------
def test_a_headline_has_the_totals_and_the_point() -> None:
    at = sc.models.resnet50(n="n").subs(n=1)
    assert headline(at) == ["resnet50", "25.6 M params", "53.1 k state", "4.09 GMACs", "102 MB", "peak 7.23 MB at n=1"]
    assert repr(at) == "<CostTable resnet50 · 25.6 M params · 53.1 k state · 4.09 GMACs · 102 MB · peak 7.23 MB at n=1>"


def test_params_of_a_headline_are_all_of_them() -> None:
    layer = sc.table(sc.Linear(10), (1, 7))
    assert headline(layer)[0] == "80 params"


def test_a_traced_model_is_called_what_it_is() -> None:
    assert headline(table("fixed depth"))[0] == "Net"
    assert headline(table("symbolic depth"))[0] == "Net"  # of a lambda the module's class
    assert "kept for the backward pass" in headline(table("training"))[-1]
    assert "(" in next(part for part in headline(table("partly trained")) if "params" in part)
    assert "active" in " ".join(headline(table("partly active")))


def test_a_saved_table_is_called_by_its_file(tmp_path: Path) -> None:
    table("fixed depth").save(tmp_path / "mine.json")
    assert headline(sc.load(tmp_path / "mine.json"))[0] == "mine"


def test_a_bound_is_called_one() -> None:
    costs = sc.CostTable([sc.Row(path="a", op="while", cost=sc.Cost(macs=7, flops=14), bound=True)])
    assert "at most 7 MACs" in headline(costs)
    assert "MACs at most" in text.render(costs)


@given(st.integers(0, 10**14))
def test_rounded_numbers_are_nearest(value: int) -> None:
    digits, _, prefix = rounded(value).partition(" ")
    unit = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}[prefix]
    shown = sympy.Rational(digits.replace(",", "")) * unit
    assert 2 * abs(shown - value) * 100 <= value or shown == value


# -- what a table holds for ------------------------------------------------------------------------------------------------
class Positions(nn.Module):
    """Patches with learned positions for 196 of them: another number of patches is an error, but for one."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(2, (16, 16), strides=(16, 16))(x)
        x = x.reshape(x.shape[0], -1, 2)
        return nn.Dense(3)(x + self.param("positions", nn.initializers.zeros, (1, 196, 2)))


def test_limits_that_exclude_large_sizes_stand_first_with_their_reason() -> None:
    costs = sc.trace(Positions(), "float32[n,r,r,1]")
    (limit,) = narrowed(costs)
    assert limit.startswith("only for r <= 16: ceiling(r/16) == 1 (test_screen.py:")
    assert text.render(costs, width=200).startswith(limit)
    assert "r <= 16" not in standing(costs)
    assert notebook.html(costs).startswith("<div>only for r &lt;= 16")
    assert narrowed(costs.subs(r=16)) == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("r <= 16", ["only for r <= 16"]), ("r == 224", ["only for r <= 224"]), ("r % 32 == 0", []), ("r >= 3", []),
        ("r != 7", []), ("d <= r", []), ("floor(r/2) < 9", ["only for r <= 17"]),
    ],
)  # fmt: skip
def test_only_conditions_that_leave_out_large_values_are_limits(condition: str, said: list[str]) -> None:
    costs = sc.models.resnet18(r="r")
    domain = SavedDomain("r positive integers", ("r",), (condition,), [], frozenset(), {}, ())
    costs.parts = replace(costs.parts, domain=domain)
    assert narrowed(costs) == said


def test_a_screen_says_where_it_holds_and_how_that_is_known() -> None:
    said = standing(table("symbolic depth"))
    assert said.startswith("holds for n, d, L positive integers; ")
    assert "proved in n, d" in said
    assert re.search(r"[\d,]+ numbers equal to fresh traces at \d held-out points?$", said)


# -- folding and order -------------------------------------------------------------------------------------------------
def test_operations_of_the_model_itself_are_named_by_what_they_are() -> None:
    assert labels(sc.models.gpt2())[0] == "input"
    assert labels(sc.models.gpt2())[-1] == "attend"
    assert labels(table("function")) == ["input 0", "input 1", "dot_general"]


def test_modules_stand_as_they_run_after_saving_too(tmp_path: Path) -> None:
    costs = table("fixed depth")
    costs.save(tmp_path / "net.json")
    loaded = sc.load(tmp_path / "net.json")
    assert labels(costs, 1) == labels(loaded, 1) == ["input", "stem_linear", "block_# x 12", "head"]
    order = [group.name for group in loaded.by_path(1) if group.name]
    assert order == ["stem_linear", *(f"block_{i}" for i in range(12)), "head"]


def test_headings_with_one_line_below_stand_on_it() -> None:
    costs = sc.CostTable(
        [sc.Row(path=f"net/inner/{name}", op="dot", cost=sc.Cost(macs=k)) for k, name in ((1, "a"), (2, "b"))]
    )
    assert labels(costs, 3) == ["net/inner", "a", "b"]


def test_too_many_modules_are_summed_in_one_line() -> None:
    rows = [sc.Row(path=f"m{'x' * i}", op="dot", cost=sc.Cost(macs=i + 1)) for i in range(40)]
    costs = sc.CostTable(rows)
    assert labels(costs)[-1] == "26 more"
    _, modules, total = printed_tables.read(text.render(costs, width=80))
    assert sum(printed_tables.number(line[1]) for line in modules) == printed_tables.number(total[1]) == 820


def test_types_are_the_modules_classes() -> None:
    entries = Outline(table("fixed depth").rows, table("fixed depth").parts.kinds, lambda row: True).entries(1, 15)
    assert {entry.label: entry.kind for entry in entries if entry.kind} == {
        "stem_linear": "Dense", "block_# x 12": "Block", "head": "Dense"}  # fmt: skip


def test_outputs_are_what_the_last_operation_returns() -> None:
    entries = Outline(table("rounded sizes").rows, {}, lambda row: True).entries(1, 15)
    shapes = {entry.label: text.shape(entry.out) for entry in entries}
    assert shapes["input"] == "[n,r,r,3]"
    assert shapes["conv_0"] == "[n,⌈r/2⌉,⌈r/2⌉,c]"


def test_shares_are_exact_where_they_do_not_depend_on_the_symbols() -> None:
    assert text.share(3 * n * d, 4 * n * d) == "75.0 %"
    assert text.share(3 * n * d, 4 * n * d + n) == ""


# -- leading terms -----------------------------------------------------------------------------------------------------
MONOMIALS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5)


@given(MONOMIALS)
def test_leading_terms_of_a_polynomial_are_those_of_the_highest_total_degree(terms: list[tuple[int, int, int]]) -> None:
    value = sympy.Add(*(k * n**a * d**b for k, a, b in terms))
    most = max(a + b for _, a, b in terms)
    assert sympy.expand(leading(value) - sympy.Add(*(k * n**a * d**b for k, a, b in terms if a + b == most))) == 0


@settings(deadline=None)
@given(MONOMIALS, st.integers(2, 9), st.integers(0, 5))
def test_roundings_are_terms_of_lower_degree(terms: list[tuple[int, int, int]], stride: int, more: int) -> None:
    """The quotient of a formula and its leading terms goes to 1 when all symbols grow together."""
    half = sympy.ceiling((n + more) / stride)
    value = sympy.Add(*(k * half**a * d**b for k, a, b in terms)) + d
    first = leading(value)
    scale = 10**9
    at = {"n": 7 * scale, "d": 5 * scale}
    exact, told = sympy.Rational(evaluate(value, at)), sympy.Rational(evaluate(first, at))
    assert abs(exact - told) * scale <= 1000 * told


@pytest.mark.parametrize(
    "text_",
    ["n - 2*floor(n/2)", "n*floor(n/d + 1/n)", "Max(n - d, 0)", "1/(n - d)", "floor(1/n + 1/2)"],
)
def test_what_cannot_be_told_has_no_leading_terms(text_: str) -> None:
    assert leading(sc.parse(text_)) is None


@pytest.mark.parametrize(
    ("text_", "expected"),
    [
        ("Max(2*n*d, n*d + 5*n)", "2*d*n"), ("Max(0, n - 3)", "n"), ("n*clog2(n) + n", "n*clog2(n) + n"),
        ("d**2/n + d + 3", "d**2/n + d"), ("n*floor(d/n)", "n*floor(d/n)"), ("ceiling(ceiling(n/2)/2)*d + n", "d*n/4"),
        ("Max(n, d)", "Max(d, n)"), ("3*n*Max(n + 1, d, n - d) + d", "3*n*Max(d, n)"), ("Max(n*d, n*d - n, d)", "d*n"),
    ],
)  # fmt: skip
def test_leading_terms_of_formulas_with_functions(text_: str, expected: str) -> None:
    assert leading(sc.parse(text_)) == sc.parse(expected)


# -- lines -------------------------------------------------------------------------------------------------------------
@given(st.lists(st.from_regex(r"\A[a-z0-9*]{1,12}\Z"), min_size=1, max_size=12), st.integers(4, 40))
def test_lines_break_between_words_and_lose_nothing(words: list[str], width: int) -> None:
    sentence = " ".join(words)
    lines = wrapped(sentence, width)
    assert "".join(lines).replace(" ", "") == sentence.replace(" ", "")
    assert all(len(line) <= width or " " not in line for line in lines)


def test_formulas_break_before_operators() -> None:
    value = large("symbols").macs
    for line in wrapped(str(value), 60)[1:]:
        assert line[0] in "+-*/(" or line[0].isalnum()
        assert not re.match(r"\d+\*\*", line)
    joined = " ".join(wrapped(str(value), 60))
    assert sc.equal(sc.parse(joined), value)


# -- tables in pieces --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_in_pieces_shows_the_first_whole_and_of_the_others_what_differs(width: int) -> None:
    """A window of 4,096 keys: no ``Piecewise`` stands on the screen, and every number is of the piece that is named."""
    window = sc.parse("Piecewise((N, N <= 4096), (4096, True))")
    rows = [Row(path="q", op="linear", cost=Cost(params=d**2, macs=sc.parse("N*d**2"))),
            Row(path="scores", op="dot_general", cost=Cost(macs=sc.parse("N*d") * window))]  # fmt: skip
    said = text.render(CostTable(rows), width=width)
    assert "Piecewise" not in said
    assert "N*d*(N + d) MACs" in said
    assert "where N <= 4096" in said
    assert "where N > 4096: N*d*(d + 4096) MACs" in said
    assert re.search(r"scores +N\*\*2\*d", said)


def test_depths_that_exclude_one_another_are_told_one_by_one() -> None:
    """A row for each depth: what is known of one comparison decides those that it implies."""
    rows = [Row(path=f"conv_{k}", op="conv", cost=Cost(macs=(k + 1) * d), times=sc.parse(f"Piecewise((1, L >= {k}), (0, True))"))
            for k in range(1, 6)]  # fmt: skip
    costs = CostTable(rows)
    assert [str(way) for way in branches([costs.macs])] == ["L >= 5", "L = 4", "L = 3", "L = 2", "L = 1"]
    said = text.render(costs, width=80)
    assert "Piecewise" not in said
    assert "where L = 3: 9*d MACs" in said
    whole = details.render(costs, width=80)
    assert "Piecewise" not in whole
    assert re.search(r"where L = 2:\n.*\ntotal +5\*d\n", whole, re.DOTALL)
    many = CostTable(
        [
            replace(row, times=sc.parse(f"Piecewise((1, L >= {3 * k}), (0, True))"))
            for k in range(1, 9)
            for row in rows[:1]
        ]
    )
    assert "where L >= 24\nelsewhere other formulas" in text.render(many, width=80)


def test_a_row_that_never_runs_in_a_piece_is_not_of_its_table() -> None:
    times = sc.parse("Piecewise((1, N <= 4096), (0, True))")
    costs = CostTable(
        [Row(path="fc", op="linear", cost=Cost(macs=d)), Row(path="cut", op="linear", cost=Cost(macs=n), times=times)]
    )
    assert [[row.path for row in way.table(costs).rows] for way in branches([costs.macs])] == [["fc", "cut"], ["fc"]]


def test_one_term_of_the_highest_degree_is_no_share_beside_large_numbers() -> None:
    costs = sc.models.resnet50(n="n", classes="C")
    assert " %" not in text.render(costs, width=200)
    assert text.render(costs.subs(C=1000), width=200).count(" %") == 6


def test_a_cell_without_room_alone_is_told_by_the_number_of_its_terms() -> None:
    cells = [
        ("4*d**2 + d + 1", "4*d**2 + …", "3 terms"),
        ("d + 1", "d + …", "2 terms"),
        ("64*L*d**2*n + L", "64*L*d**2*n + …", "2 terms"),
    ]
    lines, left_out = fitted([SheetColumn("name", [("a",), ("b",), ("c",)], left=True), SheetColumn("macs", cells)], 16)
    assert [line.split(maxsplit=1)[1] for line in lines[2:]] == ["4*d**2 + …", "d + …", "2 terms"]
    assert not left_out
