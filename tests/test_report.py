"""Every report of the same table says the same totals, and they are the sums of its lines."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import printed_tables
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from report_tables import TABLES, table

import symcost as sc
from symcost.costs.cost import CONVENTIONS, METRICS
from symcost.costs.rows import total
from symcost.formulas.symbols import evaluate
from symcost.formulas.text import shortest, written
from symcost.formulas.units import counted
from symcost.report import FORMATS
from symcost.report.formats import details, latex, markdown, notebook, text
from symcost.report.words import facts
from symcost.report.words.grouping import ITSELF, ReportLine, lines, paths, template


@pytest.fixture(scope="module", params=TABLES)
def costs(request: pytest.FixtureRequest) -> Any:
    """A table of each kind."""
    return table(request.param)


def same(left: Any, right: Any) -> bool:
    """Whether two numbers or formulas are equal."""
    return sympy.expand(sympy.sympify(left) - sympy.sympify(right)) == 0


def whole(costs: Any) -> dict[tuple[str, str], Any]:
    """All totals of a table."""
    return {(m, c): getattr(costs.total(c), m) for c in CONVENTIONS for m in METRICS}


# -- totals --------------------------------------------------------------------------------------------------------
def test_lines_sum_to_the_totals_at_every_depth(costs: Any) -> None:
    for depth in (0, 1, 2, 3, None):
        rows = [row for line in lines(costs.rows, depth) for row in line.rows or ()]
        assert len(rows) == len(costs.rows)
        for convention in CONVENTIONS:
            ours, theirs = total(rows, convention), costs.total(convention)
            assert all(same(getattr(ours, m), getattr(theirs, m)) for m in METRICS)


@pytest.mark.parametrize("depth", [None, 1])
def test_csv_columns_sum_to_the_totals(costs: Any, depth: int | None) -> None:
    read = list(csv.DictReader(io.StringIO(FORMATS["csv"](costs, depth=depth))))
    for (metric, convention), expected in whole(costs).items():
        assert same(sum(sc.parse(line[f"{metric} ({convention})"]) for line in read), expected)


def test_json_totals_are_the_totals_and_the_sums_of_its_rows(costs: Any) -> None:
    read = json.loads(FORMATS["json"](costs))
    for (metric, convention), expected in whole(costs).items():
        assert same(sc.parse(read["conventions"][convention][metric]), expected)
        if convention != "xla":
            rows = [sc.parse(r[convention].get(metric, "0")) * sc.parse(r["times"]) for r in read["rows"]]
        else:
            rows = [sc.parse(r["xla"].get(metric, "0")) * sc.parse(r["xla_times"]) for r in read["rows"]]
        assert same(sum(rows), expected)
    for metric, convention in facts.COLUMNS:
        assert same(sc.parse(read["totals"][metric]), getattr(costs, metric))
        assert same(sc.parse(read["totals"][metric]), getattr(costs.total(convention), metric))


def test_json_modules_sum_to_the_totals(costs: Any) -> None:
    read = json.loads(FORMATS["json"](costs, depth=1))
    for (metric, convention), expected in whole(costs).items():
        assert same(sum(sc.parse(m[convention].get(metric, "0")) for m in read["modules"]), expected)


def test_details_and_markdown_print_the_whole_totals(costs: Any) -> None:
    flat = re.sub(r"\s+", " ", details.render(costs, width=80))
    as_markdown = FORMATS["markdown"](costs)
    for metric, conventions, value in facts.metrics_by_convention(costs):
        title = f"{facts.TITLES[metric]} ({', '.join(conventions)})"
        assert re.sub(r"\s+", "", f"{title} {counted(value)}") in flat.replace(" ", "")
        assert f"| {title} | `{written(value)}` |" in as_markdown


@pytest.mark.parametrize("width", [60, 80, 200])
def test_details_have_the_whole_formula_of_every_module_at_every_width(costs: Any, width: int) -> None:
    flat = "".join(details.render(costs, width=width).split())
    for line in lines(costs.rows, None):
        for value in facts.values_of(line.rows or (), facts.columns(costs)):
            assert value == 0 or (f"{value:,}" if isinstance(value, int) else written(value).replace(" ", "")) in flat
    assert "leftout" not in flat


@pytest.mark.parametrize("render", [text.render, details.render])
@pytest.mark.parametrize("depth", [None, 1, 2])
def test_lines_of_a_table_sum_to_its_total_line(render: Any, depth: int | None) -> None:
    at = table("at a point")
    _, modules, whole_line = printed_tables.read(render(at, width=120, depth=depth))
    sums = [sum(map(printed_tables.number, column)) for column in zip(*modules, strict=True) if _counts(column)]
    assert sums == [printed_tables.number(cell) for cell in whole_line if _counts([cell]) and cell]
    assert {at.params, at.macs} <= {*sums}


def _counts(column: Any) -> bool:
    """Whether a column is of exact numbers."""
    return all(re.fullmatch(r"[\d,]*", cell) for cell in column) and any(column)


def test_latex_totals_are_the_totals(costs: Any) -> None:
    made = latex.totals(costs)
    for metric, convention in latex.WHOLE:
        value = getattr(costs.total(convention), metric)
        title = rf"\text{{{facts.TITLES[metric]} ({convention})}} &= "
        assert (title in made) == (value != 0 and facts.splits(costs, metric))
        if isinstance(value, int) and title in made:
            assert f"{title}{value}" in made


# -- text ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("width", [80, 100, 120])
def test_text_fits_the_terminal(costs: Any, width: int) -> None:
    for render in (text.render, details.render):
        assert max(map(len, render(costs, width=width).splitlines())) <= width


def test_details_name_every_convention_rule_and_check() -> None:
    made = details.render(table("training"), width=120)
    for expected in ("params (textbook)", "peak bytes (liveness)", "peak elements (textbook)", "residual bytes",
                     "domain",                     "certificate", "coverage"):  # fmt: skip
        assert expected in made
    assert "residual" not in details.render(table("fixed depth"), width=120)


def test_str_and_notebook_views_are_the_reports(costs: Any) -> None:
    assert str(costs) == text.render(costs)
    assert costs.details() == details.render(costs)
    assert costs._repr_html_() == notebook.html(costs)
    assert costs._repr_latex_() == latex.totals(costs)


def test_a_long_module_name_keeps_its_end() -> None:
    assert text.label("  encoder_with_a_long_name_7", 12)[-1] == "  …ng_name_7"


# -- formulas ------------------------------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 2), st.integers(0, 2)), max_size=5))
def test_the_shortest_form_is_equal(terms: list[tuple[int, int, int]]) -> None:
    n, d = sc.symbols("n d")
    value = sympy.Add(*(a * n**i * d**j for a, i, j in terms))
    assert same(shortest(value), value)
    assert same(sc.parse(written(value)), value)


def test_a_maximum_keeps_its_candidates() -> None:
    value = sc.parse("Max(2*n*c*d + 2*n*d, 3*d)")
    assert written(value) == "Max(3*d, 2*d*n*(c + 1))"
    assert evaluate(sc.parse(written(value)), {"n": 2, "c": 1, "d": 3}) == 24


def test_headings_without_anything_below_are_left_out() -> None:
    rows = [sc.Row(path=p, op="dot", cost=sc.Cost(macs=m)) for p, m in (("a/x", 1), ("b/x", 0), ("b/y", 0))]
    for render, left in ((text.render, "a/x"), (details.render, "a")):
        first = [line.split()[0] for line in render(sc.CostTable(rows), width=80, depth=2).splitlines() if line]
        assert left in first
        assert not {"b", "x", "y"} & {name for name in first if name != "x"}


# -- grouping ------------------------------------------------------------------------------------------------------
def labels(costs: Any, depth: int | None = None) -> list[str]:
    """What stands in the first column."""
    return [line.label for line in lines(costs.rows, depth)]


def test_blocks_of_a_symbolic_depth_stand_together() -> None:
    assert labels(table("symbolic depth"), 1) == [ITSELF, "stem_linear", "block_# x L", "head"]


def test_alike_blocks_of_a_fixed_depth_stand_together() -> None:
    assert labels(table("fixed depth"), 1) == [ITSELF, "stem_linear", "block_# x 12", "head"]
    assert "LayerNorm_# x 24" in labels(table("fixed depth"), 2)


def test_the_number_counts_all_modules_that_a_line_sums() -> None:
    inner = {line.name: line.number for line in lines(table("symbolic depth").rows, 2)}
    (L,) = sc.symbols("L")
    assert inner["LayerNorm_#"] == 2 * L


def test_runs_of_alike_blocks_are_named_by_their_range() -> None:
    costs = [sc.Cost(macs=m) for m in (1, 2, 2, 2, 1)]
    rows = [sc.Row(path=f"net/block_{i}", op="dot", cost=c) for i, c in enumerate(costs)]
    found = [line.label for line in lines(rows, 2)]
    assert found == ["net", "block_0", "block_1..3 x 3", "block_4"]


def test_modules_of_equal_names_but_other_costs_stay_apart() -> None:
    rows = [sc.Row(path=f"fc_{i}", op="dot", cost=sc.Cost(macs=i + 1)) for i in range(3)]
    assert [line.label for line in lines(rows, 1)] == ["fc_0", "fc_1", "fc_2"]


def test_modules_stand_in_the_order_in_which_they_run() -> None:
    parameters = [sc.Row(path=p, op="param kernel", source="input") for p in ("a", "b")]
    runs = [sc.Row(path=p, op="dot") for p in ("b", "a")]
    assert [line.name for line in lines([*parameters, *runs], 1)] == ["b", "a"]


def test_paths_name_the_modules_above() -> None:
    found = [path for path, _, _ in paths(table("symbolic depth").rows, 2)]
    assert "block_#/mix" in found
    assert found[0] == ""


def test_without_a_depth_the_page_is_not_overrun() -> None:
    rows = [sc.Row(path=f"a{'x' * i}/b{'y' * j}", op="dot", cost=sc.Cost(macs=1)) for i in range(9) for j in range(9)]
    assert len(lines(rows)) == 9
    assert len(lines(rows, 2)) == 90


def test_a_number_that_is_a_sum_is_bracketed() -> None:
    assert ReportLine("block_#", 0, sc.parse("L - 1"), ()).label == "block_# x (L - 1)"


def test_templates_replace_every_number() -> None:
    assert template("layer1_12") == "layer#_#"


# -- escaping ------------------------------------------------------------------------------------------------------
NASTY = sc.CostTable([sc.Row(path="a_b<script>|%&$#{}~^\\", op="dot", cost=sc.Cost(macs=sc.symbols("num_classes")[0]))])


def test_markdown_rows_keep_their_columns() -> None:
    table = [line for line in markdown.render(NASTY).splitlines() if line.startswith("|")]
    bars = [len(re.findall(r"(?<!\\)\|", line)) for line in table]
    assert bars[0] == bars[1] == bars[2]


def balanced(made: str) -> bool:
    """Whether LaTeX's groups and environments close in the order in which they open."""
    plain = re.sub(r"\\[{}\\]", "", made)
    depth = 0
    for character in plain:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", made):
        if kind == "begin":
            stack.append(name)
        elif not stack or stack.pop() != name:
            return False
    return depth == 0 and not stack and made.count(r"\left") == made.count(r"\right") and made.count("$$") % 2 == 0


def test_latex_is_balanced_and_escaped(costs: Any) -> None:
    for made in (latex.render(costs), latex.totals(costs)):
        assert balanced(made)
        outside = re.sub(r"\\\(.*?\\\)|\$\$.*?\$\$", "", made, flags=re.DOTALL)
        outside = "\n".join(line for line in outside.splitlines() if not line.startswith("%"))
        assert not re.search(r"(?<!\\)[_#%$^~]", outside), "a raw special character outside mathematics"
        inside = "".join(re.findall(r"\\text\{([^}]*)\}", made))
        assert not re.search(r"(?<!\\)_", inside)


def test_latex_escapes_names() -> None:
    made = latex.render(NASTY)
    assert balanced(made)
    assert r"\mathit{num\_classes}" in made
    assert r"\texttt{a\_b\(<\)script\(>\)|\%\&\$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}}" in made


def test_latex_names_repeated_roundings_once() -> None:
    made = latex.totals(table("rounded sizes"))
    assert made.count(r"\lceil") == 2
    assert r"\text{where}\quad u_{1} &= " in made


def test_latex_writes_the_integer_logarithms() -> None:
    assert latex.formula(sc.parse("clog2(n)")) == r"\left\lceil \log_{2} n \right\rceil"
    assert latex.formula(sc.parse("flog2(c_i)")) == r"\left\lfloor \log_{2} c_{i} \right\rfloor"


# -- json ----------------------------------------------------------------------------------------------------------
def test_json_has_the_documented_keys(costs: Any) -> None:
    from symcost.report.formats import json as report

    read = json.loads(FORMATS["json"](costs))
    documented = set(re.findall(r"^``(\w+)``", report.__doc__ or "", re.MULTILINE))
    documented |= set(re.findall(r"(?<=^)``certificate``, ``(\w+)``, ``(\w+)``", report.__doc__ or "", re.MULTILINE)[0])
    assert set(read) == documented - {"modules", "mesh"}
    assert set(read["totals"]) == {
        "params",
        "trainable",
        "active_params",
        "state",
        "macs",
        "flops",
        "transcendentals",
        "activations",
    }
    assert read["version"] == sc.__version__


def test_json_peaks_and_residuals_read_back() -> None:
    costs = table("training")
    read = json.loads(FORMATS["json"](costs))
    at = {"n": 5}
    for rule in ("liveness", "textbook"):
        for unit in ("elements", "bytes"):
            assert evaluate(sc.parse(read["peaks"][rule][unit]), at) == evaluate(costs.peak(rule, unit), at)
    assert same(sc.parse(read["residuals"]), costs.residuals)


def test_json_says_where_the_forms_hold_and_at_which_point_they_are() -> None:
    read = json.loads(FORMATS["json"](table("at a point")))
    assert read["at"] == {"n": 2, "d": 16, "L": 3}
    assert read["domain"]["symbols"] == ["n", "d", "L"]
    assert read["certificate"]["held_out"]
    assert read["coverage"]["rules"] > 0
