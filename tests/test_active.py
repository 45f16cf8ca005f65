"""What one token uses of the parameters: experts in layers and in traced models, and the errors of shares."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.estimate.questions.quantities import QUANTITIES, Setting
from symcost.gates.audit.claims import Claim
from symcost.gates.audit.quantities import PLAIN
from symcost.report import FORMATS


class Experts(nn.Module):
    """The matrices of all experts; every token gathers those of its own."""

    E: int
    k: int
    d_f: int

    @nn.compact
    def __call__(self, x: jax.Array, gates: jax.Array) -> jax.Array:
        d = x.shape[-1]
        up = self.param("up", nn.initializers.ones, (self.E, d, self.d_f))
        down = self.param("down", nn.initializers.ones, (self.E, self.d_f, d))
        gates, picked = jax.lax.top_k(gates, self.k)
        hidden = nn.gelu(jnp.einsum("nd,nkdf->nkf", x, jnp.take(up, picked, axis=0, mode="clip")))
        return jnp.einsum("nkf,nkfd,nk->nd", hidden, jnp.take(down, picked, axis=0, mode="clip"), gates)


class Routed(nn.Module):
    """A router before them."""

    E: int
    k: int
    d_f: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        gates = jax.nn.softmax(nn.Dense(self.E, use_bias=False, name="router")(x))
        return Experts(self.E, self.k, self.d_f, name="experts")(x, gates)


class Separate(nn.Module):
    """Experts that are modules of their own, all run."""

    E: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        gates = jax.nn.softmax(nn.Dense(self.E, name="router")(x))
        return sum(nn.Dense(16, name=f"expert_{i}")(x) * gates[:, i : i + 1] for i in range(self.E))  # type: ignore[return-value]


SHARES = {"**/experts/**": "k/E"}


@cache
def plain() -> Any:
    """The costs of the routed model, all of whose parameters are active."""
    return sc.trace(Routed, "float32[n,d]")


def routed(active: Any) -> Any:
    """The same with shares."""
    return sc.trace(Routed, "float32[n,d]", active=active, referee=False)


def small(active: Any) -> Any:
    """The costs of the routed model at widths that are numbers: shares are said of experts."""
    return sc.trace(lambda E, k: Routed(E, k, 7), "float32[3,5]", active=active, referee=False)


@cache
def small_plain() -> Any:
    """The same, all of whose parameters are active."""
    return small(None)


@pytest.fixture(scope="module")
def costs() -> Any:
    """The same with an expert's share."""
    return routed(SHARES)


# -- layers -----------------------------------------------------------------------------------------------------------
def test_experts_that_are_not_picked_are_inactive_in_layers() -> None:
    E, k, d, d_f, n, N = sc.symbols("E k d d_f n N")
    costs = sc.table(sc.MoE(E=E, d_f=d_f, k=k), (n, N, d))
    assert sc.equal(costs.params, 2 * E * d * d_f + d * E)
    assert sc.equal(costs.active_params, 2 * k * d * d_f + d * E)
    for convention in sc.CONVENTIONS:
        assert sc.equal(costs.total(convention).inactive, 2 * (E - k) * d * d_f)
    assert costs.subs(E=8, k=2, d=4, d_f=3, n=1, N=5).active_params == 2 * 2 * 12 + 32
    dense = sc.table(sc.MoE(E=E, d_f=d_f), (n, N, d))
    assert sc.equal(dense.active_params, dense.params)


def test_layers_and_the_trace_of_their_twin_agree() -> None:
    table = sc.table(sc.MoE(E=6, d_f=16, k=2), ("n", "N", 8))
    traced = sc.trace(sc.build(table.net), "float32[n,N,8]", active={"experts/*": Fraction(2, 6)})
    for convention in sc.CONVENTIONS:
        assert table.total(convention).active_params == traced.total(convention).active_params


def test_a_network_with_experts_in_repeated_blocks_sums_them() -> None:
    L, d = sc.symbols("L d")
    net = sc.Repeat(sc.Residual(sc.MoE(E=8, d_f=4 * d, k=2)), L)
    costs = sc.table(net, ("n", "N", d))
    assert sc.equal(costs.params - costs.active_params, L * 6 * 2 * 4 * d**2)


# -- traced models ----------------------------------------------------------------------------------------------------
def test_a_share_by_path_is_exact_in_symbols(costs: Any) -> None:
    assert sc.equal(costs.params, sc.parse("2*E*d*d_f + E*d"))
    assert sc.equal(costs.active_params, sc.parse("2*k*d*d_f + E*d"))
    for convention in sc.CONVENTIONS:
        total = costs.total(convention)
        assert sc.equal(total.inactive, sc.parse("2*(E - k)*d*d_f"))
        assert sc.equal(sum(row.under(convention).inactive for row in costs.rows), total.inactive)
    assert costs.subs(n=3, E=8, k=2, d=4, d_f=5).active_params == 2 * 2 * 20 + 32
    assert sc.equal(plain().active_params, costs.params)


def test_nothing_else_changes(costs: Any) -> None:
    for metric in ("params", "macs", "flops", "activations", "bytes_read"):
        assert sc.equal(getattr(plain().total(), metric), getattr(costs.total(), metric))


def test_a_share_is_at_most_all_of_it_by_a_condition_of_the_domain(costs: Any) -> None:
    assert "k <= E" in costs.domain.conditions()
    with pytest.raises(sc.DomainError, match="k must be at most E"):
        costs.subs(E=4, k=5)


@pytest.mark.parametrize(
    ("share", "left", "conditions"),
    [
        ("1/4", Fraction(1, 4), []),
        (0.25, Fraction(1, 4), []),
        ("0.3", Fraction(3, 10), []),
        (Fraction(1, 3), Fraction(1, 3), []),
        (0, 0, []),
        (1, 1, []),
        ("(E - k)/(E + 2*k)", Fraction(6, 12), ["k <= E"]),
        ("ceiling(k/2)/E", Fraction(1, 8), ["ceiling(k/2) <= E"]),
        (sc.parse("k/E"), Fraction(1, 4), ["k <= E"]),
    ],
)
def test_shares_are_numbers_and_expressions(share: Any, left: Fraction, conditions: list[str]) -> None:
    found = small({"experts/up": share})
    at = found.subs(E=8, k=2)
    assert at.active_params == 2 * 8 * 35 + 8 * 5 - 8 * 35 * (1 - left)
    assert {*found.domain.conditions()} == {*small_plain().domain.conditions(), *conditions}


def test_of_several_patterns_the_last_one_holds() -> None:
    found = routed({"**": "1/2", "experts/*": "k/E", "experts/down": 1})
    assert sc.equal(found.active_params, sc.parse("E*d/2 + k*d*d_f + E*d*d_f"))


def test_experts_that_are_modules_share_a_pattern() -> None:
    found = sc.trace(lambda E: Separate(E), "float32[n,8]", active={"expert_*/**": "2/E"}, at_least={"E": 2})
    assert sc.equal(found.active_params, sc.parse("2*(8*16 + 16) + 9*E"))
    assert found.subs(E=7, n=1).active_params == 2 * 144 + 63


@pytest.mark.parametrize(
    ("active", "message"),
    [
        ({"expert/**": "k/E"}, "active='expert/**' matches no parameter: did you mean"),
        ({"experts": "k/E"}, "active='experts' matches no parameter: did you mean 'experts/**'?"),
        ({"experts/**": "q/E"}, "has the unknown symbol 'q': the symbols here are E, k"),
        ({"experts/**": "3/2"}, "must be a share between 0 and 1, as 'k/E' or 0.25"),
        ({"experts/**": -0.5}, "must be a share between 0 and 1"),
        ({"experts/**": "-k/E"}, "must be a share between 0 and 1"),
        ({"experts/**": True}, "true and false are no shares"),
        ({"experts/**": "k/"}, "cannot read 'k/' as an expression"),
        ({"experts/**": "k/0"}, "must be a share between 0 and 1"),
        ({"experts/**": "1/0"}, "it divides by zero"),
        ({"experts/**": float("nan")}, "must be a share between 0 and 1"),
        ({"experts/**": float("inf")}, "must be a share between 0 and 1"),
        ({"experts/**": "__import__('os')"}, "must be a share between 0 and 1"),
        ({"experts/**": "1e999999999"}, "must be a share between 0 and 1"),
        ({"": "k/E"}, "has an empty part"),
        (["experts/**"], "active=['experts/**'] must be a Mapping or None: it is a list"),
    ],
)
def test_what_is_no_share_is_one_line(active: Any, message: str) -> None:
    with pytest.raises(sc.SymcostError) as caught:
        small(active)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# -- whoever tells of parameters --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FORMATS)
def test_every_report_has_them(name: str, costs: Any) -> None:
    words = ("d_f*k active)",) if name == "text" else ("active params", "active_params")  # a first screen: its headline
    told, always = (any(word in FORMATS[name](table) for word in words) for table in (costs, plain()))
    assert told
    assert always == (name in ("csv", "json"))  # for programs the columns are always there


def test_everything_that_is_known_has_them(costs: Any) -> None:
    assert "active params (textbook, full, xla)" in costs.details()  # of each piece they agree
    assert "active params" not in plain().details()


def test_they_are_a_number_everywhere(costs: Any) -> None:
    assert sc.equal(QUANTITIES["active_params"](Setting(costs)), costs.active_params)
    at = {"n": 1, "E": 8, "k": 2, "d_f": 4}
    assert sc.solve(costs, "active_params <= 2400", largest="d", given=at).value == 100  # 16 d + 8 d
    space = sc.Space(n=[1], E=[8], k=[1, 2, 8], d_f=[4], d=range(1, 51))
    assert int(sc.count(costs, space, where=["active_params <= 240"])) == 15 + 10 + 3  # 16 d, 24 d, 72 d
    assert costs.compile("active_params")(E=[8], k=[2], d_f=[4], d=[10])["active_params"].tolist() == [240]
    assert "active parameters" in costs.explain(**at, d=3)


def test_a_saved_table_keeps_them_and_fractions_too(tmp_path: Path, costs: Any) -> None:
    for given in (costs, routed({"experts/up": "1/3"})):
        given.save(tmp_path / "costs.json")
        again = sc.load(tmp_path / "costs.json")
        assert sc.equal(again.active_params, given.active_params)
        at = {"n": 1, "E": 2, "k": 1, "d": 5, "d_f": 1}
        assert again.subs(**at).active_params == given.subs(**at).active_params
        given.subs(**at).save(tmp_path / "at.json")
        assert sc.load(tmp_path / "at.json").active_params == given.subs(**at).active_params


def test_a_claim_of_active_parameters_is_judged() -> None:
    claim = Claim(1, "gpt2", "active_params", "124,439,808")
    from symcost.gates.audit.judge import audit

    assert "active_params" in PLAIN
    assert all(finding.right for finding in audit([claim]))


MODULE = """
import flax.linen as nn
import jax
import jax.numpy as jnp

class Net(nn.Module):
    E: int
    k: int
    @nn.compact
    def __call__(self, x):
        gates = nn.softmax(nn.Dense(self.E, use_bias=False, name="router")(x))
        gates, picked = jax.lax.top_k(gates, self.k)
        w = self.param("experts", nn.initializers.ones, (self.E, x.shape[-1], 4))
        return jnp.einsum("nd,nkdf,nk->nf", x, jnp.take(w, picked, axis=0, mode="clip"), gates)
"""

BUDGET = """
[models.net]
model = "net_of_experts:Net"
specs = ["float32[1,10]"]
active = {{ experts = {share} }}

[[models.net.budgets]]
at = {{ E = 8, k = 2 }}
active_params = {most}
"""


@pytest.fixture
def module(importable: Callable[[str, str], None]) -> str:
    """A model that the command line can import."""
    importable("net_of_experts", MODULE)
    return "net_of_experts:Net"


def test_the_command_line_takes_shares(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", module, "float32[3,5]", "--active", "experts=k/E", "--format", "json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert sc.equal(sc.parse(read["totals"]["active_params"]), sc.parse("5*E + 20*k"))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("experts", "--active 'experts' must be PATTERN=SHARE, as --active '**/experts/**=k/E'"),
        ("experts=", "must be PATTERN=SHARE"),
        ("=k/E", "must be PATTERN=SHARE"),
        ("expert=k/E", "active='expert' matches no parameter: did you mean experts"),
        ("experts=2", "must be a share between 0 and 1"),
    ],
)
def test_a_share_that_is_wrong_is_one_line(
    option: str, message: str, module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", module, "float32[3,5]", "--active", option]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


@pytest.mark.usefixtures("traced_once")
@pytest.mark.parametrize("share", ['"k/E"', "0.25"])
def test_budgets_limit_what_is_active(share: str, module: str, tmp_path: Path) -> None:
    for most, code in ((80 + 80, 0), (159, 1)):  # the router, and two experts of 40
        (tmp_path / "symcost.toml").write_text(BUDGET.format(share=share, most=most))
        assert main(["check"]) == code
