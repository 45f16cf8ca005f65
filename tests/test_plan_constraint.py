"""What modules give, laid by a plan: in linen and nnx, in files and on the command line; and rules for logical axes there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flax.linen as nn
import pytest
from effort import needs
from test_plans import Transformer, on_nnx, perceptron

import symcost as sc
from symcost.cli.main import main
from symcost.sources.plans import plan_of, plan_texts

MESH = {"data": "X", "model": "Y"}
LAID = sc.Plan(MESH, {"inputs/0": ("data",)}, constraint={"up": ("data", "model")})
AT = dict(B=64, d=32, F=128, X=4, Y=2)


@pytest.mark.parametrize("model", [perceptron, pytest.param(on_nnx, marks=pytest.mark.campaign)])
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program"))])
def test_a_modules_result_lies_as_the_plan_says(model: Callable[..., Any], target: str) -> None:
    """Kernels are whole, and yet the product is cut along both axes, so that the next one is added up."""
    costs = sc.trace(model, "float32[B,d]", plan=LAID)
    B, d, F, X, Y = sc.symbols("B d F X Y")
    assert costs.communication == {("all-reduce", ("model",)): 4 * B * d / X}
    assert sc.equal(costs.per_device.macs, 2 * B * F * d / (X * Y))
    assert costs.per_device.params == 2 * F * d
    domain = costs.per_device.domain
    assert domain is not None
    assert {"B % X == 0", "F % Y == 0"} <= {*domain.conditions()}
    plain = sc.trace(model, "float32[B,d]", plan=sc.Plan({"data": "X"}, {"inputs/0": ("data",)}))
    assert not plain.communication
    verdict = sc.verify(costs, at=AT, targets=[target])
    assert verdict, str(verdict)


@pytest.mark.campaign
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program"))])
def test_modules_in_a_loop_and_in_a_gradient(target: str) -> None:
    shard = {"inputs/0": ("data",), "**/up/kernel": (None, None, "model"), "**/down/kernel": (None, "model")}
    plan = sc.Plan(
        {"data": 4, "model": 2}, shard, constraint={"**/mlp": ("data", None, None), "**/attention": ("data",)}
    )
    costs = sc.trace(lambda: Transformer(64, 4, 128, 3), "float32[16,8,64]", plan=plan, mode="train")
    assert ("all-reduce", ("model",)) in costs.communication
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)


class Twice(nn.Module):
    """A module whose method calls another method of it, and a module of its own twice."""

    def setup(self) -> None:
        self.inner = nn.Dense(16, use_bias=False)

    def shifted(self, x: Any) -> Any:
        return self.inner(self.inner(x)) + 1

    def __call__(self, x: Any) -> Any:
        return self.shifted(x).sum(1)


def test_what_leaves_a_module_is_laid_and_not_what_its_own_methods_hand_on() -> None:
    """``shifted`` gives two dimensions, the module one: the plan's axes are of the module's."""
    costs = sc.trace(Twice(), "float32[B,16]", plan=sc.Plan({"data": "X"}, constraint={"**": ("data",)}))
    B, X = sc.symbols("B X")
    assert costs.per_device.macs == 512 * B / X
    assert not costs.communication


@pytest.mark.parametrize(("constraint", "told"), [
    ({"mlp": ("data", None)}, "constraint='mlp' fits no module of the program: did you mean up?"),
    ({"up": ("data", None, None)}, "constraint gives 3 axes to up, which has 2 dimensions: give at most 2"),
    ({"up": ("batch",)}, "constraint cuts 'up' along 'batch', which the mesh lacks: use data, model"),
    ({"up": ("data", "data")}, "constraint cuts 'up' twice along 'data': each axis cuts one dimension of an array"),
    ({"up": "data"}, "constraint gives 'up' 'data': give the axes of its dimensions, as (\"data\", None)"),
    ([], "constraint=[] must give axes by path of a module, as {\"**/mlp\": (\"data\", None)}"),
])  # fmt: skip
@pytest.mark.parametrize("model", [perceptron, on_nnx])
def test_a_constraint_that_cannot_be_is_one_line(model: Callable[..., Any], constraint: Any, told: str) -> None:
    shard = {"inputs/0": ("data",), "**/up/kernel": (None, "model")}
    with pytest.raises(sc.SpecError) as problem:
        sc.trace(model, "float32[B,d]", plan=sc.Plan(MESH, shard, constraint=constraint))
    assert str(problem.value) == told


def test_a_function_has_no_modules_and_explicit_axes_take_none() -> None:
    with pytest.raises(sc.SpecError, match="constraint='up' fits no module of the program: it calls none"):
        sc.trace_function(lambda x: x + 1, "float32[B,d]", plan=LAID)
    explicit = sc.Plan(MESH, {"inputs/0": BOTH}, constraint={"up": ("data",)})
    with pytest.raises(sc.SpecError, match="constraint lays what modules give along automatic axes"):
        sc.trace(Explicit(), "float32[B,d]", plan=explicit)


BOTH = ("data", "model")


class Explicit(nn.Module):
    """A module that says itself how its array lies."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        import jax

        return jax.sharding.reshard(x, jax.sharding.PartitionSpec("data", None))


def test_a_file_and_the_command_line_keep_it(tmp_path: Path) -> None:
    costs = sc.trace(perceptron, "float32[B,d]", plan=LAID)
    costs.save(tmp_path / "costs.json")
    assert sc.load(tmp_path / "costs.json").plan == costs.plan == LAID
    mixed = sc.Plan(MESH, {"inputs/0": (BOTH, None)}, {"mlp": "model", "embed": None}, {"**/mlp": (None, None, BOTH)})
    texts = plan_texts(mixed)
    given = {name: [b for a, b in zip(texts[::2], texts[1::2], strict=True) if a == f"--{name}"]
             for name in ("mesh", "shard", "constrain", "rule")}  # fmt: skip
    assert plan_of(*given.values()) == mixed


LOGICAL = """
import flax.linen as nn

def partitioned(*names):
    return nn.with_logical_partitioning(nn.initializers.lecun_normal(), names)

class Logical(nn.Module):
    F: int

    @nn.compact
    def __call__(self, x):
        hidden = nn.Dense(self.F, use_bias=False, kernel_init=partitioned("embed", "mlp"), name="up")(x)
        return nn.Dense(x.shape[-1], use_bias=False, kernel_init=partitioned("mlp", "embed"), name="down")(nn.relu(hidden))

def logical(F: int):
    return Logical(F)
"""
CUT = ["--mesh", "data=X", "--mesh", "model=Y", "--shard", "inputs/0=data"]
POINT = [text for name, value in AT.items() for text in ("--at", f"{name}={value}")]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """A command about the model above: its exit code and what it printed."""
    (tmp_path / "laid_by_name.py").write_text(LOGICAL)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(verb: str, *options: str) -> tuple[int, str, str]:
        code = main([verb, "laid_by_name:logical", "float32[B,d]", *CUT, *options])
        return code, *capsys.readouterr()

    return run


@pytest.mark.campaign
def test_the_command_line_takes_names_to_axes_and_lays_modules(typed: Callable[..., Any]) -> None:
    code, out, _ = typed("trace", "--rule", "mlp=model", "--rule", "embed=-")
    assert (code, "all-reduce along model, bytes  4*B*d/X" in out) == (0, True)
    code, out, _ = typed("trace", "--rule", "mlp=-", "--rule", "embed=-", "--constrain", "up=data,model")
    assert (code, "all-reduce along model, bytes  4*B*d/X" in out) == (0, True)
    assert "params                         2*F*d\n" in out, "the kernels are whole"
    code, out, _ = typed("estimate", "--rule", "mlp=model", "--rule", "embed=-", "--rule", "textbook", *POINT)
    assert code == 0, "where a rule may be of the peak"
    code, out, _ = typed("verify", "--rule", "mlp=model", "--rule", "embed=-", *POINT)
    assert (code, out.startswith("TRUE at B=64, d=32, F=128, X=4, Y=2")) == (0, True)
    assert "all-reduce bytes along model" in out, "what devices exchange is judged"


@pytest.mark.parametrize(("options", "told"), [
    (["--mesh", "data=X,model=Y"], "--mesh 'data=X,model=Y' is of several axes: give each its own, as "
     "--mesh data=X --mesh model=Y"),
    (["B=64"], "'B=64' is no input: each value of a symbol has an option of its own, --at B=64"),
    (["--rule", "mlp=modell"], "rules take 'mlp' to 'modell', which the mesh lacks: did you mean model?"),
    (["--rule", "liveness"], "--rule 'liveness' must be LOGICAL=AXIS, as --rule mlp=model"),
    (["--rule", "mlp=model"], "params/down/kernel lies along 'embed', which is no axis of the mesh (data, model): give --rule "
     "embed=- of the plan, or the axis that it stands for"),
    (["--rule", "mlp=model", "--rule", "embed=-", "--constrain", "upp=data"],
     "constraint='upp' fits no module of the program: did you mean up?"),
])  # fmt: skip
def test_the_command_line_refuses_in_one_line(typed: Callable[..., Any], options: list[str], told: str) -> None:
    code, _, err = typed("trace", *options)
    assert (code, err) == (2, f"symcost: error: {told}\n")


def test_rules_and_constraints_need_a_mesh(capsys: pytest.CaptureFixture[str]) -> None:
    for option, does in (("--rule", "takes names"), ("--constrain", "lays what modules give")):
        assert main(["trace", "flax.linen:Dense", "float32[n,c]", option, "a=b"]) == 2
        told = f"{option} {does} along the axes of a mesh: give its axes with --mesh, as --mesh data=X"
        assert told in capsys.readouterr().err
