"""The plugin in pytest itself: what passes, what fails and what is shown."""

from __future__ import annotations

import pytest

import symcost as sc
from symcost.formulas.symbols import parse
from symcost.gates.diff.compare import Change
from symcost.gates.testing import assert_cost

pytest_plugins = ["pytester"]
HEAD = """
import pytest
import symcost as sc

n, d = sc.symbols("n d")
costs = sc.table(sc.Sequential(up=sc.Linear(4 * d), down=sc.Linear(d)), (n, d))
"""
BUDGET = (
    '[models.net]\nmodel = "net.json"\n[[models.net.budgets]]\nover = { n = "1..8", d = "1..64" }\nparams = 33_000\n'
)


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    """pytest on a file of tests, where the plugin is found by its entry point."""
    pytester.makepyfile(HEAD + test)
    return pytester.runpytest("-q", *options)


def test_a_formula_that_differs_is_shown_term_by_term(pytester: pytest.Pytester) -> None:
    result = run(pytester, """
def test_right(assert_cost):
    assert_cost(costs, macs="8*n*d**2", params=8*d**2 + 5*d, activations="6*n*d")

def test_wrong(assert_cost):
    assert_cost(costs, macs="8*n*d**2", params="8*d**2 + 4*d + 3")
""")  # fmt: skip
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*params (full) is not the formula expected", "*found     8*d*?2 + 5*d",
                                 "*    1: none, expected 3", "*    d: 5, expected 4"])  # fmt: skip
    result.stdout.no_fnmatch_line("*d*?2: 8, expected*")


def test_budgets_of_the_root_directory_hold_or_name_the_module(pytester: pytest.Pytester) -> None:
    (pytester.path / "symcost.toml").write_text(BUDGET)
    result = run(pytester, """
def test_budget(assert_budget):
    assert_budget(costs, "net")

def test_unknown(assert_budget):
    with pytest.raises(sc.SymcostError, match="did you mean net"):
        assert_budget(costs, "nets")
""")  # fmt: skip
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*net: params 33,088 exceeds its limit 33000*refuted by n=1, d=64; most in up *"])


def test_golden_files_are_written_compared_and_updated(pytester: pytest.Pytester) -> None:
    test = """
def test_net(golden_cost):
    golden_cost(costs)

@pytest.mark.parametrize("k", [2])
def test_named(golden_cost, k):
    golden_cost(costs)
"""
    missing = run(pytester, test)
    missing.assert_outcomes(failed=2)
    missing.stdout.fnmatch_lines(["*there is no golden file *test_net.json: run pytest with --symcost-update*"])
    run(pytester, test, "--symcost-update").assert_outcomes(passed=2)
    assert sorted(file.name for file in (pytester.path / "costs").iterdir()) == ["test_named_2_.json", "test_net.json"]
    run(pytester, test).assert_outcomes(passed=2)
    changed = run(pytester, "costs = sc.table(sc.Linear(3 * d), (n, d))\n" + test)
    changed.assert_outcomes(failed=2)
    changed.stdout.fnmatch_lines(["*params (full): *", "*if this is meant, run pytest with --symcost-update*"])


def test_the_marker_is_known_and_selects(pytester: pytest.Pytester) -> None:
    result = run(pytester, """
@pytest.mark.slow_compile
def test_slow():
    raise AssertionError

def test_quick():
    pass
""", "--strict-markers", "-m", "not slow_compile")  # fmt: skip
    result.assert_outcomes(passed=1, deselected=1)


def test_nothing_to_compare_is_an_error() -> None:
    costs = sc.models.alexnet()
    with pytest.raises(sc.SymcostError, match="nothing to compare: give params, trainable, active_params, macs"):
        assert_cost(costs)
    with pytest.raises(sc.ExpressionError, match="cannot read"):
        assert_cost(costs, params="60 million")


@pytest.mark.parametrize("macs", ["108*n*ceiling(r/2)**2", "108*n*floor((r + 1)/2)**2", "108*n*(r - floor(r/2))**2"])
def test_equal_in_another_way_of_writing_is_equal(macs: str) -> None:
    n, r = sc.symbols("n r")
    costs = sc.table(sc.Conv2d(c_o=4, k=3, s=2, p=1, bias=False), (n, 3, r, r))
    assert_cost(costs, macs=macs)
    with pytest.raises(AssertionError, match="not the formula expected"):
        assert_cost(costs, macs=f"{macs} + 1")
    assert not Change("macs", costs.macs, parse(macs))
