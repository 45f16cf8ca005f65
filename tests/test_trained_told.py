"""What is trained stands in every report, file, condition and command that tells of parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optax
import pytest
from trained_case import trained

import symcost as sc
from symcost.cli.main import main
from symcost.estimate.questions.quantities import QUANTITIES, Setting
from symcost.gates.diff.compare import compare

pytestmark = pytest.mark.usefixtures("traced_once")


# -- whoever tells of parameters --------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def costs() -> Any:
    """A stack of which one layer is trained."""
    return trained("layer_1/**")


def test_optimizers_and_gradients_are_for_what_is_trained(costs: Any) -> None:
    found = sc.training_memory(costs, optax.adam(1e-3))
    assert sc.equal(found.params, sc.parse("4*3*d**2"))
    assert sc.equal(found.gradients, sc.parse("4*d**2"))
    assert sc.equal(found.optimizer, sc.parse("2*4*d**2 + 4"))  # two moments, one counter
    assert sc.evaluate(found.total, {"d": 10, "n": 1}) == 4 * 300 + 400 + 804 + 4 * 10  # and the input of the layer


QUANTITY: Mapping[str, Callable[[Any], Any]] = {
    "solve": lambda costs: QUANTITIES["trainable"](Setting(costs)),
    "sweep": lambda costs: costs.compile("trainable")(d=[4])["trainable"][0],
    "sweep, by convention": lambda costs: costs.compile("trainable_textbook")(d=[4])["trainable_textbook"][0],
    "diff": lambda costs: next(c.new for c in compare(trained(None, "forward"), costs).totals if c.name == "trainable (full)"),
    "json": lambda costs: sc.parse(json.loads(sc_json(costs))["totals"]["trainable"]),
    "explained": lambda costs: sc.parse(next(line for line in costs.explain().splitlines() if "trainable" in line).split(": ")[1]),
}  # fmt: skip


def sc_json(costs: Any) -> str:
    """The report for programs."""
    from symcost.report import FORMATS

    return FORMATS["json"](costs)


@pytest.mark.parametrize("way", QUANTITY)
def test_the_part_that_is_trained_is_a_number_everywhere(way: str, costs: Any) -> None:
    found = sc.parse(str(QUANTITY[way](costs)))
    assert found in (sc.parse("d**2"), 16)


def test_conditions_and_answers_may_name_it(costs: Any) -> None:
    assert sc.solve(costs, "trainable <= 10_000", largest="d", given={"n": 1}).value == 100
    space = sc.Space(n=[1], d=range(1, 20))
    assert int(sc.count(costs, space, where=["trainable <= 100", "params <= 300"])) == 10


@pytest.mark.parametrize("name", ["text", "markdown", "csv", "json", "latex"])
def test_every_report_has_it(name: str, costs: Any) -> None:
    from symcost.report import FORMATS

    shown, plain = FORMATS[name](costs), FORMATS[name](trained(None))
    word = "trained" if name == "text" else "trainable"  # a first screen: in its headline
    assert word in shown
    assert (word in plain) == (name in ("csv", "json"))  # for programs the columns are always there


def test_everything_that_is_known_has_it(costs: Any) -> None:
    assert "trainable params" in costs.details()
    assert "trainable" not in trained(None).details()


def test_a_notebook_has_it(costs: Any) -> None:
    assert "trainable params" in costs._repr_html_()


def test_a_saved_table_keeps_it(costs: Any, tmp_path: Path) -> None:
    costs.save(tmp_path / "costs.json")
    again = sc.load(tmp_path / "costs.json")
    assert sc.equal(again.trainable, costs.trainable)
    assert again.subs(n=1, d=7).trainable == 49


def test_a_table_saved_before_has_all_of_it_trained(tmp_path: Path) -> None:
    from symcost.costs.saved.format import digest

    trained(None).save(tmp_path / "costs.json")
    found = json.loads((tmp_path / "costs.json").read_text())
    for convention in sc.CONVENTIONS:
        for metric in ("frozen", "inactive"):
            del found["conventions"][convention][metric]
    (tmp_path / "old.json").write_text(json.dumps({**found, "digest": digest(found)}))
    assert sc.equal(sc.load(tmp_path / "old.json").trainable, sc.parse("3*d**2"))


MODULE = """
import flax.linen as nn

class Net(nn.Module):
    d: int
    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.d, use_bias=False, name="head")(nn.Dense(self.d, use_bias=False, name="stem")(x))
"""


@pytest.fixture
def module(importable: Callable[[str, str], None]) -> str:
    """A model that the command line can import."""
    importable("net_of_two", MODULE)
    return "net_of_two:Net"


@pytest.mark.parametrize("verb", ["trace", "diff"])
def test_the_command_line_takes_patterns(verb: str, module: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["float32[n,d]", "--mode", "train", "--wrt", "head/*", "--format", "json"]
    assert main([verb, module, *([module] if verb == "diff" else []), *options]) == 0
    read = json.loads(capsys.readouterr().out)
    assert verb == "diff" or read["totals"]["trainable"] == "d**2"
    assert verb == "trace" or read["equal"]


def test_the_referee_compiles_what_is_trained(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--at", "n=2", "--at", "d=4"]
    assert main(["verify", module, "float32[n,d]", *at, "--mode", "train", "--wrt", "head/*"]) == 0
    assert main(["verify", module, "float32[n,d]", *at, "--mode", "train", "--wrt", "body/*"]) == 2
    assert "wrt='body/*' matches no parameter" in capsys.readouterr().err


BUDGET = """
[models.net]
model = "net_of_two:Net"
specs = ["float32[n,d]"]
mode = "train"
wrt = {wrt}

[[models.net.budgets]]
at = {{ n = 1, d = 10 }}
trainable = {most}
training_bytes = "{most_bytes} B"
optimizer = "adam"
"""


@pytest.mark.parametrize("wrt", ['"head/*"', '["**", "!stem/*"]'])
def test_budgets_limit_what_is_trained(wrt: str, module: str, tmp_path: Path) -> None:
    """Two matrices of 100 floats; of one a gradient and two moments, a counter; the input of the head is kept."""
    exact = 800 + 400 + 800 + 4 + 40
    for most, most_bytes, code in ((100, exact, 0), (99, exact, 1), (100, exact - 1, 1)):
        (tmp_path / "symcost.toml").write_text(BUDGET.format(wrt=wrt, most=most, most_bytes=most_bytes))
        assert main(["check"]) == code


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--wrt", "heda/*"], "wrt='heda/*' matches no parameter: did you mean head/kernel"),
        (["--wrt", "head"], "did you mean 'head/**'?"),
        (["--wrt", "head/"], "has an empty part"),
    ],
)
def test_a_pattern_that_is_wrong_is_one_line(
    options: list[str], message: str, module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", module, "float32[n,d]", *options]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1
