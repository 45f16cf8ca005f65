"""Numbers at a point beside a fresh trace of the program there: equal to the last unit, or an error that shows both."""

from __future__ import annotations

import operator
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from effort import rows
from test_decisions import ROWS

import symcost as sc
from symcost.cli.main import main
from symcost.costs.parts import Rows

EQUAL = "40 numbers equal to those of a fresh trace there"


class Net(nn.Module):
    """A layer, its norm and a sum."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.LayerNorm()(nn.Dense(self.d)(x)).sum()


def shuffled(x: jax.Array) -> jax.Array:
    """Sorted once more from 1,626 on, by a comparison that nobody sees."""
    more = operator.gt(len(range(x.shape[0])), 1625)
    return jnp.sort(jnp.sort(x)) if more else jnp.sort(x)


@pytest.mark.parametrize(
    "name",
    rows(["every eighth layer", "a window of 4,096", "32 groups at most", "odd and even"], ["32 groups at most"]),
)
def test_every_number_at_a_point_is_that_of_a_fresh_trace(name: str) -> None:
    row = ROWS[name]
    trace = sc.trace if row.is_factory else sc.trace_function
    costs = trace(row.program, *row.specs, referee=False)
    for point in row.points:
        assert costs.subs(**point, check=True).parts.compared == EQUAL
        some = dict(list(point.items())[:1])
        rest = {name: value for name, value in point.items() if name not in some}
        assert costs.subs(**some).subs(**rest, check=True).macs == costs.subs(**point).macs


def test_training_with_shares_and_unknown_loops_are_compared_too() -> None:
    def loop(x: jax.Array, k: jax.Array) -> jax.Array:
        return jax.lax.while_loop(lambda s: s[1] < k, lambda s: (jnp.tanh(s[0] @ x), s[1] + 1), (x, 0))[0]

    costs = sc.trace_function(loop, "float32[d,d]", "int32[]", referee=False)
    trips = next(name for name in costs.symbols if name.startswith("trips"))
    assert costs.subs(d=8, **{trips: 5}, check=True).parts.compared == EQUAL
    train = sc.trace(lambda d: Net(d), "float32[n,8]", mode="train", wrt="Dense_0/*", active={"Dense_0/**": "1/d"})
    made = train.subs(n=3, d=16, check=True)
    assert made.parts.compared.startswith("41 numbers equal")
    assert made.active_params == 16 * 9 // 16 + 32


def test_a_difference_is_an_error_that_shows_both() -> None:
    costs = sc.trace(lambda d: Net(d), "float32[n,8]", referee=False)
    total = costs.total("full")
    wrong = sc.CostTable.of(Rows(costs.rows, {"full": replace(total, flops=total.flops + 1, params=3)}), costs.parts)
    at = costs.subs(n=3, d=16)
    with pytest.raises(sc.LiftError) as told:
        wrong.subs(n=3, d=16, check=True)
    assert str(told.value) == (
        f"at n=3, d=16 a fresh trace is another one: params (full) is 3 by the closed form and {at.params} by the trace; "
        f"flops (full) is {at.flops + 1} by the closed form and {at.flops} by the trace; trace the model with these numbers "
        "in the place of symbols, and report this"
    )


def test_beyond_what_was_tried_a_point_that_is_compared_is_allowed() -> None:
    costs = sc.trace_function(shuffled, "float32[n]", referee=False)
    with pytest.raises(sc.DomainError, match=r'with upto={"n": 1600}, or compare this point with check=True'):
        costs.subs(n=1600)
    right = sc.trace_function(shuffled, "float32[1600]", referee=False)
    assert costs.subs(n=1600, check=True).total("full") == right.total("full")
    with pytest.raises(
        sc.LiftError, match=r'at n=1626 a fresh trace is another one: .*trace further with upto={"n": 1626}'
    ):
        costs.subs(n=1626, check=True)


def test_outside_of_its_conditions_no_comparison_helps() -> None:
    row = ROWS["a width by a float"]
    costs = sc.trace(row.program, *row.specs, referee=False)
    with pytest.raises(
        sc.DomainError, match=r"d=90 is outside the domain: int\(d\*0.7\).*\(test_decisions.py:\d+: return"
    ):
        costs.subs(n=1, d=90, check=True)


def test_what_cannot_be_compared_says_why_and_what_to_do(tmp_path: Path) -> None:
    costs = sc.trace(lambda d: Net(d), "float32[n,8]", referee=False)
    costs.save(tmp_path / "net.json")
    with pytest.raises(
        sc.SymcostError, match="needs the model, and this table has formulas alone: trace the model with"
    ):
        sc.load(tmp_path / "net.json").subs(n=3, d=16, check=True)
    with pytest.raises(sc.SymcostError, match=r"formulas alone: sc.verify.* compares it with its Flax twin"):
        sc.models.alexnet(n="n").subs(n=2, check=True)
    with pytest.raises(sc.SymcostError, match=r"check=True compares one point: give values for d=\.\.\. too"):
        costs.subs(n=3, check=True)
    with pytest.raises(sc.SymcostError, match="check=1 must be True or False"):
        costs.subs(n=3, d=16, check=1)  # type: ignore[arg-type]


def test_a_model_may_have_a_symbol_of_that_name() -> None:
    costs = sc.trace_function(lambda x: 2 * x, "float32[check]", referee=False)
    assert costs.subs(check=5).flops == 5  # type: ignore[arg-type]


PROGRAMS = """import operator

import flax.linen as nn
import jax.numpy as jnp


class Net(nn.Module):
    d: int

    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.d)(x)


def shuffled(x):
    more = operator.gt(len(range(x.shape[0])), 1625)
    return jnp.sort(jnp.sort(x)) if more else jnp.sort(x)
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command beside programs of one's own: its exit code, and what it says."""
    (tmp_path / "compared_models.py").write_text(PROGRAMS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        code = main(list(arguments))
        out = capsys.readouterr()
        return code, out.err if code else out.out

    return run


NET = ("compared_models:Net", "float32[n,8]", "--no-referee")
AT = ("--at", "n=3", "--at", "d=4")
SHUFFLED = ("compared_models:shuffled", "float32[n]", "--function", "--no-referee")


def test_the_command_line_compares_one_point_of_a_program(told: Any) -> None:
    compared = "numbers equal to those of a fresh trace there"
    assert compared in told("trace", *NET, *AT)[1]
    assert compared not in told("trace", *NET, *AT, "--no-check")[1]
    assert compared not in told("trace", *NET, "--at", "n=3")[1]
    assert compared in told("estimate", *NET, *AT, "--check")[1] or told("estimate", *NET, *AT, "--check")[0] == 0
    assert told("trace", *NET, "--at", "n=3", "--check") == (
        2, "symcost: error: --check compares one point: give --at d=... too\n")  # fmt: skip
    assert told("trace", *SHUFFLED, "--at", "n=1600")[0] == 0
    assert told("trace", *SHUFFLED, "--at", "n=1600", "--no-check")[0] == 2
    code, said = told("trace", *SHUFFLED, "--at", "n=1626")
    assert code == 2
    assert "at n=1626 a fresh trace is another one" in said


def test_the_command_line_compares_nothing_that_has_no_program(told: Any) -> None:
    assert told("trace", *NET, "--format", "json", "--output", "net.json")[0] == 0
    assert told("trace", "net.json", *AT)[0] == 0
    assert told("trace", "net.json", *AT, "--check") == (
        2, "symcost: error: --check compares with a fresh trace, and net.json is a saved table, which has no model: name the "
        "model itself, PKG.MOD:NAME, or leave --check out\n")  # fmt: skip
    code, said = told("table", "alexnet", "--check")
    assert (code, "alexnet is a network of layers: symcost verify compares it with its Flax twin" in said) == (2, True)


def test_the_best_of_a_sweep_and_budgets_are_compared(
    told: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[dict[str, int]] = []
    check = sc.CostTable.subs

    def seen(self: sc.CostTable, *, check: bool = False, **point: int) -> sc.CostTable:
        asked.extend([point] if check else [])
        return original(self, check=check, **point)

    original = check
    monkeypatch.setattr(sc.CostTable, "subs", seen)
    network = '[network]\nmodel = "compared_models:Net"\nspecs = ["float32[n,8]"]\nreferee = false\n'
    (tmp_path / "space.toml").write_text(
        f'minimize = "macs"\ndefine = {{d = "2*k"}}\n{network}[axes]\nn = [2, 3]\nk = [4, 5]\n'
    )
    assert told("sweep", "space.toml")[0] == 0
    assert asked == [{"n": 2, "d": 8}]
    assert told("sweep", "space.toml", "--no-check")[0] == 0
    assert len(asked) == 1
    model = (
        '[models.net]\nmodel = "compared_models:shuffled"\nspecs = ["float32[n]"]\nfunction = true\nreferee = false\n'
    )
    budget = '[[models.net.budgets]]\nat = {n = %d}\nactivations = "1 M"\n'
    (tmp_path / "symcost.toml").write_text(model + budget % 1600)
    code, said = told("check")
    assert (code, "at n=1600, equal to a fresh trace" in said) == (0, True)
    assert asked[1:] == [{"n": 1600}]
    (tmp_path / "symcost.toml").write_text(model + budget % 1626)
    code, said = told("check")
    assert code == 2
    assert "net, budget 1: at n=1626 a fresh trace is another one: " in said


def test_a_verdict_says_what_stands_behind_each_symbol() -> None:
    verdict = sc.verify(shuffled, "float32[n]", at={"n": 1600}, targets=[], function=True, cache=False)
    assert verdict.notes == ("The closed form is bounded n <= 1535; 40 numbers equal to those of a fresh trace there.",)
    assert verdict


def test_a_copy_for_another_process_has_formulas_alone() -> None:
    costs = sc.trace(lambda d: Net(d), "float32[n,8]", referee=False)
    copied = pickle.loads(pickle.dumps(costs))
    assert copied.subs(n=3, d=16).macs == costs.subs(n=3, d=16, check=True).macs
    with pytest.raises(sc.SymcostError, match="this table has formulas alone"):
        copied.subs(n=3, d=16, check=True)
