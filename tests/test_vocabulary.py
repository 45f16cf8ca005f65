"""One vocabulary: every quantity is a condition, an objective, a column, a limit and a claim, and each time the same number."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import flax.linen as nn
import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.costs.conventions import COUNTED, KNOWN
from symcost.costs.cost import CONVENTIONS, METRICS, SPLITS, TOLD
from symcost.estimate.questions.estimate import estimate
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import OPTIONS, QuantityOptions, setting
from symcost.formulas.symbols import evaluate
from symcost.gates.audit.claims import Claim
from symcost.gates.audit.judge import audit
from symcost.gates.budgets.limits import KINDS
from symcost.gates.testing import assert_budget

DEVICE = "nvidia-a100-sxm-80gb"
d, n = sc.symbols("d n")
BLOCK = sc.Sequential(conv=sc.Conv2d(c_o=d, k=3, s=2, p=1), norm=sc.BatchNorm(), act=sc.GELU(), head=sc.Linear(c_o=10))
NET = sc.table(BLOCK, (n, 3, 8, 8))
STEP = sc.decoding(sc.models.gpt2(d="d", L=2, H=1, V=50, N="N", n="n"), M=16, n="n")
SPACE = sc.Space(n=[1, 2, 3], d=range(4, 40, 3))


class Dense(nn.Module):
    """A layer to train."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.gelu(nn.Dense(self.d)(x))


@pytest.fixture(scope="module")
def trained() -> Any:
    return sc.trace(lambda d: Dense(d), "float32[n,6]", mode="train")


def number(value: Any) -> Fraction:
    """An exact number of a table without symbols."""
    return Fraction(str(value))


def costs_of(name: str, trained: Any) -> Any:
    """A table that has the quantity."""
    if (QUANTITIES[name].base or name) in ("residuals", "training_bytes"):
        return trained
    return STEP if name == "kv_cache" else NET


PUBLIC: dict[str, Callable[[Any], Any]] = {
    **{name: lambda t, name=name: getattr(t, name) for name in ("params", "trainable", "active_params", "state", "macs", "flops",
                                                                "transcendentals", "activations", "ops")},
    "flops_xla": lambda t: t.total("xla").flops,
    "macs_torchvision": lambda t: t.total("torchvision").macs,
    "peak_activations": lambda t: t.peak(),
    "peak_textbook": lambda t: t.peak("textbook"),
    "peak_bytes": lambda t: t.peak("liveness", "bytes"),
    "peak_textbook_bytes": lambda t: t.peak("textbook", "bytes"),
    "model_size": sc.model_size,
    "weight_bytes": lambda t: sc.memory(t).weights,
    "state_bytes": lambda t: sc.memory(t).state,
    "activation_bytes": lambda t: sc.memory(t).activations,
    "total_bytes": lambda t: sc.memory(t).total,
    "residuals": lambda t: t.residuals,
    "training_bytes": lambda t: sc.training_memory(t).total,
    "kv_cache": sc.kv_cache,
    "latency": lambda t: sc.latency(t, DEVICE).seconds,
    "throughput": lambda t: sc.throughput(t, DEVICE),
    "energy": lambda t: sc.energy(t, DEVICE).joules,
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_a_quantity_is_the_librarys_own_number_everywhere(name: str, trained: Any, tmp_path: Path) -> None:
    costs = costs_of(name, trained)
    more = {"N": 16} if "N" in costs.symbols else {}
    points = [(size, width) for size in SPACE.axes["n"] for width in SPACE.axes["d"]]
    values = {at: number(PUBLIC[name](costs.subs(n=at[0], d=at[1], **more))) for at in points}
    middle = sorted(values.values())[len(points) // 2]
    space = sc.Space({**SPACE.axes, **{symbol: [size] for symbol, size in more.items()}})
    found = sc.count(costs, space, [f"{name} <= {middle}"], device=DEVICE)
    assert int(found) == sum(value <= middle for value in values.values())
    best = sc.sweep(costs, space, minimize=name, show=name, top=1, device=DEVICE).rows[0]
    assert number(best[name]) == min(values.values())
    fits = [width for width in SPACE.axes["d"] if values[2, width] <= middle]
    asked: dict[str, Any] = {"largest": "d", "given": {"n": 2, **more}, "on": DEVICE, "within": SPACE.axes["d"]}
    if fits:
        assert int(sc.solve(costs, f"{name} <= {middle}", **asked)) == max(fits)
    at = costs.subs(n=2, d=7, **more)
    limits = (
        f"{name} = '1 {dict(count='', bytes='B', seconds='s', joules='J')[KINDS[name]]}'\n" if name in KINDS else ""
    )
    device = f"device = '{DEVICE}'\n" if QUANTITIES[name].timed else ""
    path = tmp_path / "symcost.toml"
    path.write_text(
        f"[models.x]\nmodel = 'x'\n[[models.x.budgets]]\n{limits}where = '{name} <= {values[2, 7]} and {name} >= 0'\n{device}"
    )
    if values[2, 7] <= 1 or not limits:
        assert_budget(at, "x", path)
    else:
        with pytest.raises(AssertionError, match=name):
            assert_budget(at, "x", path)


def test_every_number_of_a_cost_is_told_and_every_convention_has_its_name() -> None:
    assert set(TOLD) == {*METRICS, *SPLITS}
    for name in (*TOLD, "ops"):
        conventions = KNOWN if name in COUNTED else CONVENTIONS
        assert {f"{name}_{convention}" for convention in conventions} <= set(QUANTITIES)
        for convention in conventions:
            asked = setting(NET, {})
            assert sc.equal(QUANTITIES[f"{name}_{convention}"](asked), getattr(NET.total(convention), name))
            assert sc.equal(
                QUANTITIES[name](setting(NET, {"convention": convention})), getattr(NET.total(convention), name)
            )
    assert (
        {option for quantity in QUANTITIES.values() for option in quantity.options}
        == {*OPTIONS}
        == {*QuantityOptions.__annotations__}
    )


def test_a_convention_that_says_nothing_of_a_number_does_not_say_zero() -> None:
    with pytest.raises(sc.SymcostError, match="torchvision says nothing of transcendentals: it counts params, "):
        sc.count(NET, SPACE, ["transcendentals <= 5"], convention="torchvision")


def test_options_reach_what_they_are_for() -> None:
    at = {"n": 2, "d": 7}
    for options, name, right in (
        ({"bits": 4}, "model_size", sc.model_size(NET, 4)),
        ({"weights": "int8"}, "weight_bytes", sc.model_size(NET, 8)),
        ({"density": "0.25", "dtype": "int8"}, "model_size", sc.model_size(NET, 8, "0.25")),
        ({"rule": "textbook", "dtype": "float16"}, "activation_bytes", 2 * NET.peak("textbook")),
        ({"convention": "fvcore"}, "flops", NET.total("fvcore").flops),
        ({"device": DEVICE, "latency_model": "whole"}, "latency", sc.latency(NET, DEVICE, model="whole").seconds),
        ({"device": DEVICE, "batch": 5}, "throughput", sc.throughput(NET, DEVICE, batch=5)),
    ):
        value = evaluate(right, at)
        space = sc.Space(n=[2], d=[7])
        assert sc.sweep(NET, space, show=name, **options).rows == [{**at, name: value}]  # type: ignore[arg-type]
        assert sc.count(NET, space, [f"{name} == {Fraction(value)}"], **options) == 1  # type: ignore[arg-type]


def test_adam_keeps_two_moments_of_every_parameter(trained: Any) -> None:
    space = sc.Space(n=[4], d=[8])
    plain, adam = (sc.sweep(trained, space, show="training_bytes", optimizer=name).rows[0]["training_bytes"]
                   for name in ("sgd", "adam"))  # fmt: skip
    assert adam - plain == 2 * 4 * (6 * 8 + 8) + 4


def test_fits_is_a_condition_of_a_space_and_of_a_budget(tmp_path: Path) -> None:
    net = sc.models.mcunet_in1(r="r")
    space = sc.Space(r=range(96, 321, 16))
    right = [r for r in space.axes["r"] if sc.fits(sc.models.mcunet_in1(r=r), "stm32f746", "int8")]
    assert 0 < len(right) < space.size
    assert int(sc.count(net, space, ["fits"], device="stm32f746", dtype="int8")) == len(right)
    assert int(sc.count(net, space, ["not fits and r > 100"], device="stm32f746", dtype="int8")) == sum(
        r not in right and r > 100 for r in space.axes["r"])  # fmt: skip
    best = sc.pareto(net, space, "fits", minimize="latency", maximize="macs", device="stm32f746", dtype="int8")
    assert [row["r"] for row in best] == right
    path = tmp_path / "symcost.toml"
    path.write_text(
        "[models.x]\nmodel = 'x'\n[[models.x.budgets]]\nwhere = 'fits'\ndevice = 'stm32f746'\ndtype = 'int8'\n"
    )
    assert_budget(sc.models.mcunet_in1(r=max(right)), "x", path)
    with pytest.raises(AssertionError, match="activation_bytes"):
        assert_budget(sc.models.mcunet_in1(r=320), "x", path)


def test_layers_that_have_to_fit_are_of_one_type_wherever_it_is_asked(tmp_path: Path) -> None:
    """The network fits with int8 and not with float32, which a table of layers is taken as elsewhere."""
    net, board = sc.models.mcunet_in1(), "stm32f746"
    assert sc.fits(net, board)
    assert not sc.fits(net, board, "float32")
    assert estimate(net, "net", board).fit
    assert int(sc.count(sc.models.mcunet_in1(r="r"), sc.Space(r=[176]), ["fits"], device=board)) == 1
    assert int(sc.solve(sc.models.mcunet_in1(r="r"), "fits", largest="r", on=board)) >= 176
    path = tmp_path / "symcost.toml"
    path.write_text(f"[models.x]\nmodel = 'x'\n[[models.x.budgets]]\nfit = true\ndevice = '{board}'\n")
    assert_budget(net, "x", path)


def test_an_unknown_option_is_not_told_names_that_another_verb_has() -> None:
    costs, space = sc.models.alexnet(n="n"), sc.Space(n=[1])
    wrong: dict[str, Any] = {"minimise": "macs"}
    with pytest.raises(sc.SpaceError, match="unknown argument 'minimise': did you mean minimize"):
        sc.sweep(costs, space, **wrong)
    with pytest.raises(sc.SpaceError, match="unknown argument 'minimise': use costs, space, where"):
        sc.count(costs, space, **wrong)


@pytest.mark.parametrize(
    ("where", "options", "message"),
    [
        ("latency <= 5 ms", {}, "latency, throughput and energy need a device, and so does fits: give one"),
        ("fits", {}, "latency, throughput and energy need a device, and so does fits: give one"),
        ("latency <= 5 KiB", {"device": DEVICE}, "'latency <= 5 KiB' compares seconds with bytes"),
        ("latency <= 5 ms", {"device": "a100"}, "device='a100': unknown device 'a100': did you mean nvidia-a100"),
        ("params <= 5", {"dtype": "int7"}, "dtype='int7': unknown number type 'int7'"),
        ("params <= 5", {"devise": DEVICE}, "unknown argument 'devise': did you mean device"),
        (
            "params <= 5",
            {"bits": 8, "weights": "int8"},
            "bits and weights both say how wide the weights are: leave one",
        ),
        ("residuals <= 5", {}, 'residuals exist only for training: trace with mode="train"'),
        ("kv_cache <= 5", {}, "this table keeps no keys and values"),
        (
            "latncy <= 5",
            {},
            "'latncy' is neither an axis of the space nor a number of the costs: did you mean latency?",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_line(where: str, options: dict[str, Any], message: str) -> None:
    for ask in (lambda: sc.count(NET, SPACE, [where], **options), lambda: sc.sweep(NET, SPACE, [where], **options)):
        with pytest.raises(sc.SymcostError, match=message) as problem:
            ask()
        assert "\n" not in str(problem.value)


def test_formulas_of_ones_own_have_any_unit_and_no_memories() -> None:
    formulas = {"time": "macs/10**9", "macs": "d**2"}
    space = sc.Space(d=range(1, 4001))
    assert sc.count(formulas, space, ["time <= 5 ms"]) == 2236  # the root of 5 million
    assert sc.count(formulas, space, ["macs <= 5 M and time <= 0.005"]) == 2236
    with pytest.raises(sc.SpaceError, match="'fits': fits asks for the memories of a device: give a table of costs"):
        sc.count(formulas, space, ["fits"])


TOML = """
network = {{ table = "mcunet_in1", set = {{ r = "r" }} }}
where = ["fits and model_size <= 1 MiB"]
minimize = "latency"
show = ["latency", "model_size"]
{}
[axes]
r = {{ multiples_of = 16, from = 96, to = 320 }}
"""


def test_a_file_of_a_space_names_its_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "space.toml"
    path.write_text(TOML.format('device = "stm32f746"\ndtype = "int8"'))
    assert main(["sweep", str(path), "--format", "json"]) == 0
    (best, *_) = json.loads(capsys.readouterr().out)["configurations"]
    seconds = sc.latency(sc.models.mcunet_in1(r=best["r"]), "stm32f746", "int8").seconds
    assert Fraction(best["latency"]) == number(seconds)
    path.write_text(TOML.format('devise = "stm32f746"'))
    assert main(["sweep", str(path)]) == 2
    assert "unknown key 'devise': did you mean device?" in capsys.readouterr().err
    path.write_text(TOML.format(""))
    assert main(["sweep", str(path)]) == 2
    assert "need a device" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("params < 3 M", "is decided at a point: put it in a budget without over"),
        ("params <= 3 ms", "'params <= 3 ms' compares a count with seconds"),
        ("parms <= 3", "unknown name 'parms' in 'parms <= 3': did you mean params"),
        ("latency <= 3 s", "latency needs a device: symcost devices lists them"),
        ("params", "cannot read 'params' as a condition"),
    ],
)
def test_a_budgets_condition_that_cannot_be_held_is_one_line(where: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "symcost.toml"
    path.write_text(
        f"[models.x]\nmodel = 'x'\n[[models.x.budgets]]\nwhere = '{where}'\nat = {{ n = 1 }}\nover = {{ d = '1..9' }}\n"
    )
    with pytest.raises(sc.SymcostError, match=message):
        assert_budget(NET, "x", path)


def test_a_budgets_condition_is_proved_over_ranges_or_refuted(tmp_path: Path) -> None:
    path = tmp_path / "symcost.toml"
    head = "[models.x]\nmodel = 'x'\n[[models.x.budgets]]\nat = { n = 1 }\nover = { d = '1..9' }\n"
    path.write_text(f"{head}where = 'macs >= params and params <= 400'\n")
    assert_budget(NET, "x", path)  # 27 d + d + 2 d + 10 d + 10 at d = 9
    path.write_text(f"{head}where = ['macs >= params', 'params <= 369']\n")
    with pytest.raises(AssertionError, match="params <= 369"):
        assert_budget(NET, "x", path)


def test_a_claim_names_any_quantity() -> None:
    for name, value in (("transcendentals_xla", "0"), ("weight_bytes", "243,860,896"), ("peak_bytes", "1,763,712")):
        (finding,) = audit([Claim(2, "alexnet", name, value)])
        assert finding.right
