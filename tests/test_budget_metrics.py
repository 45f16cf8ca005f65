"""What a budget limits: every metric and option is the library's own number, whether the limit holds or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flax.linen as nn
import optax
import pytest

import symcost as sc
from symcost.estimate.bytes.optimizer import optimizer_state
from symcost.estimate.bytes.states import BY_NAME, states_of
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import OPTIONS
from symcost.gates.budgets.check import LimitFinding, against
from symcost.gates.budgets.limits import KINDS
from symcost.gates.budgets.options import LIMITS, told
from symcost.gates.budgets.read import read
from symcost.gates.testing import assert_budget

NET = sc.models.mobilenet_v2(n="n").subs(n=2)


class Trained(nn.Module):
    """A convolution whose maps outweigh its parameters."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.gelu(nn.Conv(8, (3, 3), name="conv")(x)).mean((1, 2))
        return nn.Dense(10, name="head")(x)


def found(folder: Path, costs: Any, lines: str) -> list[LimitFinding]:
    """The findings of one budget on a table."""
    path = folder / "symcost.toml"
    path.write_text(f'[models.x]\nmodel = "x"\n[[models.x.budgets]]\n{lines}\n')
    (model,) = read(path).models
    return against(model.budgets[0], costs, "x")


ROWS: dict[str, tuple[str, str, Any]] = {
    "params": ("params", "", lambda: NET.params),
    "state": ("state", "", lambda: NET.state),
    "textbook params": ("params", 'convention = "textbook"', lambda: NET.total("textbook").params),
    "trainable": ("trainable", "", lambda: NET.trainable),
    "active": ("active_params", "", lambda: NET.active_params),
    "textbook active": ("active_params", 'convention = "textbook"', lambda: NET.total("textbook").params),
    "macs": ("macs", "", lambda: NET.macs),
    "published macs": ("macs", 'convention = "torchvision"', lambda: NET.total("torchvision").macs),
    "flops": ("flops", "", lambda: NET.flops),
    "published flops": ("flops", 'convention = "fvcore"', lambda: NET.total("fvcore").flops),
    "transcendentals": ("transcendentals", "", lambda: NET.transcendentals),
    "activations": ("activations", "", lambda: NET.activations),
    "peak": ("peak_activations", "", lambda: NET.peak()),
    "textbook peak": ("peak_activations", 'rule = "textbook"', lambda: NET.peak("textbook")),
    "size": ("model_size", "", lambda: 4 * NET.params),
    "size by type": ("model_size", 'weights = "int8"', lambda: NET.params),
    "size by table": ("model_size", 'bits = { "" = 8, head = 4 }', lambda: sc.model_size(NET, {"": 8, "head": 4})),
    "pruned size": ("model_size", 'density = 0.5\ndtype = "int8"', lambda: sc.model_size(NET, 8, "0.5")),
    "state bytes": ("state_bytes", 'weights = "float16"', lambda: 2 * NET.state),
    "activation bytes": ("activation_bytes", 'dtype = "float16"', lambda: 2 * NET.peak()),
    "all bytes": ("total_bytes", 'dtype = "int8"', lambda: NET.params + NET.state + NET.peak()),
    "all bytes, pruned": ("total_bytes", 'density = 0.5\nbits = 8',
                          lambda: sc.model_size(NET, 8, "0.5") + NET.state + 4 * NET.peak()),
    "frozen": ("frozen", "", lambda: NET.total("full").frozen),
    "inactive": ("inactive", "", lambda: NET.total("full").inactive),
    "ops": ("ops", "", lambda: NET.ops),
    "integer ops": ("int_ops", "", lambda: NET.total("full").int_ops),
    "padding": ("padding_macs", "", lambda: NET.total("full").padding_macs),
    "bytes read": ("bytes_read", "", lambda: NET.total("full").bytes_read),
    "bytes written": ("bytes_written", "", lambda: NET.total("full").bytes_written),
    "weights": ("weight_bytes", 'weights = "int8"', lambda: NET.params),
    "by name of the convention": ("flops_fvcore", "", lambda: NET.total("fvcore").flops),
    "by name of the rule": ("peak_textbook_bytes", "", lambda: NET.peak("textbook", "bytes")),
    "latency": ("latency", 'device = "nvidia-a100-sxm-80gb"\nlatency_model = "whole"',
                lambda: sc.latency(NET, "nvidia-a100-sxm-80gb", model="whole").value()),
    "energy": ("energy", 'device = "nvidia-a100-sxm-80gb"', lambda: sc.energy(NET, "nvidia-a100-sxm-80gb").value()),
}  # fmt: skip
UNITS = {"count": "1", "bytes": "'1 B'", "seconds": "'1 ns'", "joules": "'1 nJ'"}
MUCH = {"count": "'9 T'", "bytes": "'9 TB'", "seconds": "'9 s'", "joules": "'9 J'"}


@pytest.mark.parametrize("row", ROWS)
def test_a_limit_is_on_the_librarys_own_number(row: str, tmp_path: Path) -> None:
    metric, options, value = ROWS[row]
    for limits, holds in ((MUCH, True), (UNITS, False)):
        (finding,) = found(tmp_path, NET, f"{metric} = {limits[KINDS[metric]]}\n{options}")
        assert finding.value == value()
        assert finding.holds == (holds or finding.value == 0)  # nothing is frozen, and no integer is computed
        assert bool(finding.heaviest) == (finding.value != 0)


def test_every_metric_has_a_row() -> None:
    of_whole_models = {"training_bytes", "residuals", "kv_cache"}
    of_plans = {name for name, quantity in QUANTITIES.items() if quantity.planned}  # tests/test_plan_search.py
    bases = {QUANTITIES[metric].base or metric for metric, _, _ in ROWS.values()}
    assert bases == {QUANTITIES[metric].base or metric for metric in KINDS} - of_whole_models - of_plans
    assert {limit for limits in LIMITS.values() for limit in limits} <= {*QUANTITIES, "fit"}


@pytest.fixture(scope="module")
def trained() -> Any:
    return sc.trace(Trained(), "float32[n,16,16,3]", mode="train")


@pytest.mark.parametrize(("optimizer", "copies"), [("sgd", 0), ("momentum", 1), ("adam", 2)])
def test_training_has_its_optimizer_and_blames_no_module_for_what_the_whole_keeps(
    trained: Any, optimizer: str, copies: int, tmp_path: Path
) -> None:
    (finding,) = found(tmp_path, trained, f"training_bytes = '1 kB'\noptimizer = '{optimizer}'\nat = {{ n = 64 }}")
    params = 3 * 3 * 3 * 8 + 8 + 8 * 10 + 10
    counter = 4 if optimizer == "adam" else 0
    assert finding.value == 4 * params * (2 + copies) + counter + trained.subs(n=64).residuals
    assert not finding.heaviest


OPTAX = {"momentum": lambda: optax.sgd(0.1, momentum=0.9), "rmsprop": lambda: optax.rmsprop(0.1)}


@pytest.mark.parametrize("name", BY_NAME)
def test_an_optimizer_by_name_keeps_what_optax_keeps(trained: Any, name: str) -> None:
    made = OPTAX.get(name, lambda: getattr(optax, name)(0.1))()
    assert states_of(name).bytes(4 * trained.params) == optimizer_state(trained, made)


def test_decimals_reach_the_model_as_floats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from symcost.cli.main import main

    path = tmp_path / "symcost.toml"
    path.write_text(
        '[models.f]\nmodel = "flax.linen:leaky_relu"\nspecs = ["float32[n]"]\nfunction = true\n'
        "call = { negative_slope = 0.2 }\n[[models.f.budgets]]\nat = { n = 4 }\nflops = 1_000\n"
    )
    assert main(["check", str(path)]) == 0
    assert "1 limit holds" in capsys.readouterr().out
    assert read(path).models[0].source.how.call == {"negative_slope": 0.2}


def test_a_budget_that_asks_compilers_is_not_held_by_a_table(tmp_path: Path) -> None:
    path = tmp_path / "symcost.toml"
    path.write_text('[models.x]\nmodel = "x:x"\n[[models.x.budgets]]\nverdict = ["no-such-target"]\n')
    with pytest.raises(sc.SymcostError, match=r"x, budget 1: verdict = \['no-such-target'\] asks compilers"):
        assert_budget(NET, "x", path)


def test_annotations_point_at_the_limit_from_the_top_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from symcost.cli.main import main

    (tmp_path / ".git").mkdir()
    inner = tmp_path / "gates" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "gates" / "symcost.toml").write_text(
        '[models.x]\nmodel = "alexnet"\n\n[[models.x.budgets]]\nparams = "1 G"\n\n[[models.x.budgets]]\nmacs = 3\n'
    )
    monkeypatch.chdir(inner)
    assert main(["check", "--format", "github"]) == 1
    assert "file=gates/symcost.toml,line=8," in capsys.readouterr().out


def test_the_guide_lists_every_limit_and_every_option() -> None:
    text = (Path(__file__).parents[1] / "examples" / "guide.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    named = {name: kind for name, kind in KINDS.items() if not QUANTITIES[name].base}
    assert {name.strip("`"): kind for name, kind in (row for row in rows if len(row) == 2)} == named
    listed = {name.strip("`"): (limits, what) for name, limits, what in (row for row in rows if len(row) == 3)}
    assert listed == {
        name: (", ".join(f"`{limit}`" for limit in told(name).split(", ")), OPTIONS[name].meaning) for name in LIMITS
    }
