"""A symbol of which nothing but trials tells is tried as far as is asked, and no further."""

from __future__ import annotations

import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decision_programs import stack
from effort import rows
from test_decisions import METRICS, Row, fresh

import symcost as sc
from symcost.cli.main import main


def long_numbers(i: int, L: int) -> bool:
    """Layers whose number has two digits."""
    return len(str(i)) > 1


def long_texts(i: int, L: int) -> bool:
    """All layers of deep stacks, as no comparison of numbers says."""
    return len("x" * L) > 40


def shuffled(x: jax.Array) -> jax.Array:
    """Sorted once more from 1,626 on, by a comparison that nobody sees."""
    more = operator.gt(len(range(x.shape[0])), 1625)
    return jnp.sort(jnp.sort(x)) if more else jnp.sort(x)


def growing(x: jax.Array) -> jax.Array:
    """A constant of 64 bytes for each element of the input."""
    return shuffled(x) + jnp.asarray(np.zeros((x.shape[0], 16), np.float32)).sum(1)


@pytest.mark.parametrize("wide", rows([long_numbers, long_texts], [long_texts]))
def test_a_depth_is_tried_as_far_as_is_asked_and_its_form_is_right_there(wide: Any) -> None:
    row = Row(stack(wide), ("float32[n,8]",), [{"n": 1, "L": L} for L in (1, 9, 10, 11, 40, 41, 42, 60)])
    short = sc.trace(row.program, *row.specs, referee=False)
    most = short.domain.evidence["L"].most
    assert most is not None
    assert most < 60
    with pytest.raises(sc.DomainError, match=f'L=60 is beyond what was tried, L up to {most}.*with upto={{"L": 60}}'):
        short.subs(n=1, L=60)
    costs = sc.trace(row.program, *row.specs, referee=False, upto={"L": 60})
    assert costs.domain.evidence["L"].word == "bounded"
    assert costs.domain.evidence["L"].most == 60
    for point in row.points:
        here, right = costs.subs(**point), fresh(row, point)
        for convention, metric in METRICS:
            assert getattr(here.total(convention), metric) == getattr(right.total(convention), metric), (point, metric)
    with pytest.raises(sc.DomainError, match="L=61 is beyond what was tried, L up to 60"):
        costs.subs(n=1, L=61)


@pytest.mark.parametrize("most", [1600, 1625, 4000])
def test_a_size_is_tried_as_far_as_is_asked_on_both_sides_of_what_it_decides(most: int) -> None:
    costs = sc.trace_function(shuffled, "float32[n]", referee=False, upto={"n": most})
    for n in (2, 1000, 1600, 1625, 1626, 1700, 4000):
        if n > most:
            continue
        right = sc.trace_function(shuffled, f"float32[{n}]", referee=False)
        assert costs.subs(n=n).flops == right.flops
        assert costs.subs(n=n).total("full").int_ops == right.total("full").int_ops


def test_what_is_proved_needs_no_further_trials() -> None:
    usual = sc.trace_function(lambda x: 2 * x, "float32[n]", referee=False)
    further = sc.trace_function(lambda x: 2 * x, "float32[n]", referee=False, upto={"n": 10**9})
    assert further.certificate == usual.certificate


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"upto": {"zz": 3}}, "upto names 'zz': the symbols here are n"),
        ({"upto": {"n": 0}}, r"upto\['n'\]=0 must be a positive integer: choose another value"),
        ({"upto": {"n": 2.5}}, r"upto\['n'\]=2.5 must be a positive integer"),
        ({"upto": 96}, "upto=96 must be a Mapping or None"),
        ({"max_pieces": 0}, "max_pieces=0 must be a positive integer: choose another value"),
        ({"max_pieces": "x"}, "max_pieces='x' must be an integer"),
        ({"upto": {"n": 10**7}}, r"upto={'n': 10000000} cannot be tried: the model is too large at n="),
    ],
)
def test_values_that_cannot_be_are_errors_in_words(
    given: dict[str, Any], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMCOST_MEMORY", "16 MiB")
    with pytest.raises(sc.SymcostError, match=problem):
        sc.trace_function(growing if "10000000" in problem else shuffled, "float32[n]", referee=False, **given)


def test_one_piece_holds_on_one_side_of_a_decision() -> None:
    def window(x: jax.Array) -> jax.Array:
        return x[-4096:]

    assert sc.trace_function(window, "float32[N]", referee=False).domain.problem({"N": 5000}) is None
    one = sc.trace_function(window, "float32[N]", referee=False, max_pieces=1)
    with pytest.raises(sc.DomainError, match="N <= 4095 must hold, or the program is another one"):
        one.subs(N=5000)


def test_the_command_line_tries_further(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shuffling.py").write_text(
        "import operator\n\nimport jax.numpy as jnp\n\n\ndef shuffled(x):\n"
        "    more = operator.gt(len(range(x.shape[0])), 1625)\n"
        "    return jnp.sort(jnp.sort(x)) if more else jnp.sort(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    asked = ["trace", "shuffling:shuffled", "float32[n]", "--function", "--no-referee", "--at", "n=1600", "--no-check"]
    assert main(asked) == 2
    assert "trace further with --upto n=1600" in capsys.readouterr().err
    assert main([*asked, "--upto", "n=1600", "--max-pieces", "1"]) == 0
    assert main([*asked, "--upto", "n=x"]) == 2
    assert capsys.readouterr().err == "symcost: error: --upto n='x' must be an integer\n"
