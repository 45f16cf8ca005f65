"""XLA's own count at a held-out point: in the certificate where it is the form's, and else the xla figures are withdrawn."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from jax import lax
from jax.experimental import pallas as pl
from jax.sharding import AbstractMesh, AxisType
from jax.sharding import PartitionSpec as P

import symcost as sc
from symcost.cli.main import main
from symcost.costs.saved.format import digest
from symcost.costs.table import CostTable
from symcost.errors import LiftError, SymcostError
from symcost.gates.diff.compare import compare
from symcost.hlo import HloError
from symcost.report import FORMATS
from symcost.report.formats.json import document
from symcost.report.page.render import render
from symcost.report.subjects import difference
from symcost.rules import ENTRIES
from symcost.tracing.checking import referee
from symcost.tracing.fitting.lift import Sampler

MESH = AbstractMesh((4,), ("i",), axis_types=(AxisType.Auto,))


class Block(nn.Module):
    """A dense layer and a normalisation inside a residual."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return x + jnp.tanh(nn.Dense(self.d, name="up")(nn.LayerNorm()(x)))


class Net(nn.Module):
    """``L`` blocks."""

    d: int
    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = Block(self.d, name=f"block_{i}")(x)
        return nn.Dense(3, name="head")(x)


class Pair(nnx.Module):
    """Two nnx layers."""

    def __init__(self, d: int, *, rngs: nnx.Rngs) -> None:
        self.first, self.second = nnx.Linear(8, d, rngs=rngs), nnx.Linear(d, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.second(nnx.relu(self.first(x)))


def twice_too_many(patch: pytest.MonkeyPatch) -> None:
    """A wrong rule: a tanh counts as two transcendentals, under every convention."""
    entry = ENTRIES["tanh"]

    def rule(op: Any) -> Any:
        work = entry.rule(op)
        return replace(work, transcendentals=2 * work.transcendentals)

    patch.setitem(ENTRIES, "tanh", replace(entry, rule=rule))


@pytest.fixture
def wrong_tanh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wrong rule."""
    twice_too_many(monkeypatch)


@pytest.fixture(scope="module")
def withdrawn() -> CostTable:
    """A model whose xla figures are withdrawn."""
    with pytest.MonkeyPatch.context() as patch:
        twice_too_many(patch)
        return sc.trace(Net, "float32[n,d]")


# -- the verdict ---------------------------------------------------------------------------------------------------
CLEAN: dict[str, Callable[..., CostTable]] = {
    "a factory with a depth": lambda **how: sc.trace(Net, "float32[n,d]", **how),
    "nnx": lambda **how: sc.trace(Pair, "float32[n,8]", **how),
    "training": lambda **how: sc.trace(lambda d: Net(d, 2), "float32[n,d]", mode="train", **how),
    "a recurrence, its body once": lambda **how: sc.trace(lambda d: nn.RNN(nn.LSTMCell(d)), "float32[n,7,d]", **how),
    "a loop of unknown length": lambda **how: sc.trace_function(
        lambda x: lax.while_loop(lambda c: c.sum() < 9.0, lambda c: 2 * c, x), "float32[n]", **how),
    "the larger branch": lambda **how: sc.trace_function(
        lambda x: lax.cond(x[0, 0] > 0, lambda v: v @ v, lambda v: v + 1, x), "float32[n,n]", **how),
    "random numbers": lambda **how: sc.trace(
        lambda d: nn.Sequential([nn.Dense(d), nn.Dropout(0.5, deterministic=False)]), "float32[n,8]", **how),
    "numbers of 64 bits": lambda **how: sc.trace_function(wide, "float32[n,d]", **how),
    "a look at values": lambda **how: sc.trace_function(shown, "float32[n]", **how),
    "a constant array": lambda **how: sc.trace_function(lambda x: x + jnp.arange(64.0), "float32[n,64]", **how),
    "no symbols": lambda **how: sc.trace_function(lambda x: x @ x, "float32[4,4]", **how),
    "nothing to count": lambda **how: sc.trace_function(lambda x: x, "float32[n]", **how),
    "devices of a mesh, one of them": lambda **how: sc.trace_function(
        jax.shard_map(lambda x: lax.psum(2 * x, "i"), mesh=MESH, in_specs=P("i"), out_specs=P()),
        "float32[4*n]", **how),
}  # fmt: skip


def wide(x: jax.Array) -> jax.Array:
    """A function that works in float64 although the process does not allow it."""
    with jax.enable_x64(True):
        return jnp.sin(lax.convert_element_type(x, jnp.float64)) * 2


def shown(x: jax.Array) -> jax.Array:
    """A function that prints."""
    jax.debug.print("{}", x)
    return 2 * x


@pytest.mark.parametrize("name", CLEAN)
def test_the_certificate_says_that_xla_counts_the_same(name: str) -> None:
    costs = CLEAN[name]()
    said = costs.certificate.xla
    assert said.equal, str(said)
    assert dict(said.at) in costs.certificate.held_out or not costs.symbols
    at = ", ".join(f"{n}={v}" for n, v in said.at.items()) or "its sizes"
    assert str(costs.certificate).endswith(f"; XLA's own count at {at}: equal")
    assert not costs.withdrawn
    assert costs.conventions == sc.CONVENTIONS


def test_the_point_has_sizes_that_are_told_apart() -> None:
    at = sc.trace_function(jnp.matmul, "float32[m,k]", "float32[k,n]").certificate.xla.at
    assert len({1, *at.values()}) > 2


def test_without_the_referee_the_figures_stay_and_the_certificate_says_that_nobody_compared(wrong_tanh: None) -> None:
    costs = sc.trace(Net, "float32[n,d]", referee=False)
    assert costs.certificate.xla.equal is None
    assert str(costs.certificate).endswith("; not compared with XLA")
    assert costs.total("xla").transcendentals != 0


def test_a_wrong_rule_withdraws_the_xla_figures_alone(withdrawn: CostTable) -> None:
    with pytest.raises(LiftError) as problem:
        withdrawn.total("xla")
    told = str(problem.value)
    assert "\n" not in told
    assert told.startswith("the xla figures are withdrawn: at ")
    assert "block_#" in told
    assert "our tanh" in told
    assert "their tanh" in told
    assert told.endswith(
        "; count under full or textbook, or trace with referee=False, which keeps the xla figures unchecked"
    )
    assert withdrawn.conventions == ("textbook", "full")
    assert withdrawn.total("full").macs == withdrawn.total("textbook").macs != 0
    at = withdrawn.subs(n=2, d=3, L=4)
    assert at.conventions == withdrawn.conventions
    for table in (at, at.by_path()[-1], withdrawn.by_path()[-1]):
        with pytest.raises(LiftError, match="the xla figures are withdrawn"):
            table.total("xla")


def test_both_numbers_of_the_module_are_named(wrong_tanh: None) -> None:
    costs = sc.trace_function(jnp.tanh, "float32[n]", samples={"n": [3, 4, 5, 6]})
    n = costs.certificate.xla.at["n"]
    assert costs.certificate.xla.why == (
        f"the form has {2 * n} transcendentals and XLA counts {n}: "
        f"the model itself transcendentals {2 * n} (our tanh {2 * n}) against {n} (their tanh {n})"
    )


def test_operations_that_a_wrong_rule_moves_between_modules_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = referee._table

    def moved(lines: Any, at: Any) -> Any:
        return CostTable([replace(row, path="other") if row.op == "tanh" else row for row in original(lines, at)])

    monkeypatch.setattr(referee, "_table", moved)
    costs = sc.trace(Net, "float32[n,d]")
    assert costs.certificate.xla.equal is False
    assert costs.certificate.xla.why.startswith("the totals are equal, the modules are not: ")


# -- what is not compared ------------------------------------------------------------------------------------------
def kernel(x: Any, o: Any) -> None:
    """One block, doubled."""
    o[...] = 2 * x[...]


def ordered(x: jax.Array) -> jax.Array:
    """A function whose effects have an order."""
    jax.debug.print("{}", x, ordered=True)
    return 2 * x


APART: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {
    "a kernel": (lambda x: pl.pallas_call(kernel, out_shape=x)(x), {}, "the program cannot be lowered for the CPU ("),
    "ordered effects": (
        ordered,
        {},
        "the program cannot be lowered for the CPU (it has the effects OrderedDebugEffect)",
    ),
}


@pytest.mark.parametrize("name", APART)
def test_what_cannot_be_lowered_here_is_said_and_stays_unchecked(name: str) -> None:
    function, how, why = APART[name]
    costs = sc.trace_function(function, "float32[n]", **how)
    assert costs.certificate.xla.equal is None
    assert f"; not compared with XLA: {why}" in str(costs.certificate)
    assert costs.total("xla").flops != 0


@pytest.mark.parametrize("problem", [ValueError("no\nsecond line"), NotImplementedError(), HloError("strange text")])
def test_an_exception_inside_is_a_reason_and_leaves_jax_as_it_was(
    problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(closed: Any) -> str:
        raise problem

    monkeypatch.setattr(referee, "hlo_text", fails)
    said = str(sc.trace(Net, "float32[n,d]").certificate.xla)
    assert said.startswith("not compared with XLA: ")
    assert "\n" not in said
    assert jax.jit(lambda x: x + 1)(1) == 2


def test_a_text_that_cannot_be_counted_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        referee, "hlo_text", lambda closed: "HloModule m\nENTRY main {\n  ROOT x = f32[2]{0} magic()\n}"
    )
    said = str(sc.trace_function(jnp.tanh, "float32[n]").certificate.xla)
    assert said.startswith("not compared with XLA: the lowered program cannot be counted (")


def test_calls_of_unknown_work_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'HloModule m\nENTRY main {\n  ROOT x = f32[2]{0} custom-call(), custom_call_target="mystery"\n}'
    monkeypatch.setattr(referee, "hlo_text", lambda closed: text)
    said = str(sc.trace_function(jnp.tanh, "float32[n]").certificate.xla)
    assert said == "not compared with XLA: nobody can count what is behind the call of mystery in the lowered program"


# -- what it takes -------------------------------------------------------------------------------------------------
def test_nothing_is_traced_again() -> None:
    counted = [sc.trace(Pair, "float32[n,8]", referee=on).certificate.traces for on in (True, False)]
    assert counted[0] == counted[1]


def test_at_most_two_jaxprs_are_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    most, original = [0], Sampler.__call__

    def watched(self: Sampler, point: Any) -> Any:
        found = original(self, point)
        most[0] = max(most[0], sum(getattr(p, "closed", None) is not None for p in self._seen.values()))
        return found

    monkeypatch.setattr(Sampler, "__call__", watched)
    assert sc.trace(Net, "float32[n,d]").certificate.xla.equal
    assert most[0] == 1


def test_constants_that_are_large_are_not_kept_and_the_point_is_traced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symcost.tracing.program.capture.WORTH_COLLECTING", 1)
    assert sc.trace_function(lambda x: x + jnp.arange(64.0)[::2][:1], "float32[n,64]").certificate.xla.equal


@pytest.mark.campaign
def test_no_device_is_started() -> None:
    code = (
        "import flax.linen as nn, symcost as sc, jax\n"
        "costs = sc.trace(lambda d: nn.Dense(d), 'float32[n,8]')\n"
        "assert costs.certificate.xla.equal\n"
        "jax.config.update('jax_num_cpu_devices', 3)\n"  # refused once devices are there
        "assert len(jax.devices()) == 3\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# -- who shows it --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("depth", [None, 1])
def test_every_report_says_in_words_that_the_figures_are_withdrawn(
    name: str, depth: int | None, withdrawn: CostTable
) -> None:
    for costs in (withdrawn, withdrawn.subs(n=2, d=3, L=4)):
        assert "withdrawn" in FORMATS[name](costs, depth=depth)


def test_the_columns_of_a_spreadsheet_say_it_in_every_line(withdrawn: CostTable) -> None:
    for line in csv.DictReader(io.StringIO(FORMATS["csv"](withdrawn))):
        assert {text for title, text in line.items() if title.endswith("(xla)")} == {"withdrawn"}
        assert "withdrawn" not in {text for title, text in line.items() if not title.endswith("(xla)")}


def test_notebooks_and_pages_say_it(withdrawn: CostTable) -> None:
    assert "all numbers (xla)" in withdrawn._repr_html_()
    assert "withdrawn" in str(withdrawn)
    assert withdrawn._repr_latex_()
    assert "the xla figures are withdrawn" in render([("net", withdrawn)])


def test_a_saved_file_keeps_it(withdrawn: CostTable, tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    for costs in (withdrawn, withdrawn.subs(n=2, d=3)):
        costs.save(file)
        read = sc.load(file)
        assert document(read) == document(costs)
        assert read.withdrawn == costs.withdrawn
        assert read.certificate.xla == costs.certificate.xla  # type: ignore[attr-defined]
        assert read.total("full") == costs.total("full")
        for table in (read, read.by_path()[0], read.subs(L=3)):
            with pytest.raises(LiftError, match="the xla figures are withdrawn"):
                table.total("xla")


def test_files_of_before_the_referee_are_read(tmp_path: Path) -> None:
    costs, file = CLEAN["no symbols"](), tmp_path / "old.json"
    for made in (costs, CLEAN["nnx"]()):
        old = document(made)
        del old["withdrawn"], old["certificate"]["xla"]
        file.write_text(json.dumps({**old, "digest": digest(old)}))
        read = sc.load(file)
        assert read.total("xla") == made.total("xla")
        assert str(read.certificate.xla) == "not compared with XLA"  # type: ignore[attr-defined]


def test_an_answer_that_is_none_is_damage(tmp_path: Path) -> None:
    file, made = tmp_path / "odd.json", document(CLEAN["nnx"]())
    made["certificate"]["xla"]["equal"] = "perhaps"
    file.write_text(json.dumps({**made, "digest": digest(made)}))
    with pytest.raises(SymcostError, match="damaged: equal='perhaps' stands where true, false or null should"):
        sc.load(file)


def test_a_comparison_leaves_them_out_and_says_so(withdrawn: CostTable) -> None:
    found = compare(sc.trace(Net, "float32[n,d]", referee=False), withdrawn)
    assert not any("xla" in change.name for change in found.totals)
    for name, show in difference.FORMATS.items():
        assert "withdrawn" in show(found), name


def test_a_sweep_and_a_compiled_column_give_the_error(withdrawn: CostTable) -> None:
    assert withdrawn.compile("macs")(n=2, d=3, L=4)["macs"] == withdrawn.subs(n=2, d=3, L=4).macs
    with pytest.raises(LiftError, match="the xla figures are withdrawn"):
        withdrawn.compile("flops_xla")
    space = sc.Space(n=[2], d=[3, 4], L=[1])
    assert int(sc.count(withdrawn, space, where="macs > 0")) == 2
    with pytest.raises(LiftError, match="the xla figures are withdrawn"):
        sc.count(withdrawn, space, where="flops_xla > 0")


@pytest.mark.parametrize(("convention", "code"), [("full", 0), ("xla", 2)])
def test_a_budget_under_xla_is_an_error_of_use(
    convention: str, code: int, withdrawn: CostTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    withdrawn.save(tmp_path / "net.json")
    (tmp_path / "symcost.toml").write_text(
        '[models.net]\nmodel = "net.json"\n[[models.net.budgets]]\nat = { n = 2, d = 3, L = 4 }\n'
        f'flops = "1 G"\nconvention = "{convention}"\n'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == code
    assert ("the xla figures are withdrawn" in capsys.readouterr().err) is (code == 2)


@pytest.mark.parametrize("options", [[], ["--no-referee"]])
def test_the_command_line_prints_the_words_and_takes_the_option(
    options: list[str], wrong_tanh: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "test_trace_referee:Net", "float32[n,d]", *options]) == 0
    printed = capsys.readouterr().out
    assert ("withdrawn" in printed) is not bool(options)
    assert ("not compared with XLA" in printed) is bool(options)
