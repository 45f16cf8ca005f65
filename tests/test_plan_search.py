"""The best plans of so many chips: every one that a search finds is the best of all that there are, tried one by one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import pytest
from effort import rows
from hypothesis import given, settings
from hypothesis import strategies as st
from pod_case import MESH, SIZES, TENSOR, V5P

import symcost as sc
from examples.pod import perceptron
from symcost.cli.main import main
from symcost.estimate.pod.kept import device_memory
from symcost.estimate.questions.quantities import vocabulary
from symcost.estimate.questions.setting import setting
from symcost.sweeps.plans import found as searched

SHARDED = {"inputs/0": ("data",), "**/up/kernel": ("data", "model"), "**/down/kernel": ("model", "data")}
RUNS, STAGES = (1, 3, 8), (0, 1, 2)
OBJECTIVES = ("step_time", "device_bytes", "communication", "step_time/step_batch")
CHIPS = {"tensor": 16, "sharded": 64}
BATCHES = {"tensor": (16384, 49152, 131072), "sharded": (196608, 393216, 1572864)}
"""Inside the conditions of each: the partitioner decides by the order of a device's tokens and features."""


@pytest.fixture(scope="module")
def sharded() -> sc.CostTable:
    """The perceptron with parameters cut along both."""
    return sc.trace(perceptron, "bfloat16[B,d]", plan=sc.Plan(MESH, SHARDED), mode="train")


def one_by_one(
    costs: sc.CostTable, chips: int, batches: Any, runs: Any, stages: Any, room: int | None
) -> list[dict[str, Any]]:
    """Every plan, asked at its own point: nothing of the search is used."""
    found = []
    for x, batch, m in itertools.product(range(1, chips + 1), batches, runs):
        if chips % x or batch % m:
            continue
        try:
            at = costs.subs(**SIZES, B=batch // m, X=x, Y=chips // x)
            step = sc.step_time(at, V5P).value() * m
        except sc.DomainError:
            continue
        told = {"X": x, "step_batch": batch, "microbatches": m, "step_time": step,
                "communication": m * sum(at.communication.values())}  # fmt: skip
        for zero in stages:
            memory = device_memory(at, "adam", zero=zero).total
            if room is None or memory <= room:
                found.append({**told, "zero": zero, "device_bytes": memory})
    return found


@pytest.fixture(scope="module")
def every(request: pytest.FixtureRequest) -> Callable[[str], list[dict[str, Any]]]:
    """All plans of a table, one by one, tried once."""
    return cache(lambda name: one_by_one(request.getfixturevalue(name), CHIPS[name], BATCHES[name], RUNS, STAGES, None))


@pytest.mark.parametrize("minimize", rows(OBJECTIVES, {"device_bytes", "step_time/step_batch"}))
@pytest.mark.parametrize("table", rows(("tensor", "sharded"), {"sharded"}))
def test_the_best_of_all_is_found(table: str, minimize: str, request: pytest.FixtureRequest, every: Any) -> None:
    asked: dict[str, Any] = dict(
        batch=BATCHES[table], microbatches=RUNS, zero=STAGES, given=SIZES, minimize=minimize, top=7
    )
    found = sc.plans(request.getfixturevalue(table), chips=CHIPS[table], device=V5P, **asked)
    every = every(table)
    assert found.count == len(every) > 20
    name, _, per = minimize.partition("/")
    values = sorted(Fraction(str(each[name])) / (each[per] if per else 1) for each in every)
    assert [Fraction(str(each.row[minimize])) for each in found] == values[:7]
    for each in found:
        (same,) = (
            one
            for one in every
            if all(one[key] == each.row[key] for key in ("X", "step_batch", "microbatches", "zero"))
        )
        assert {key: Fraction(str(each.row[key])) for key in same} == {
            key: Fraction(str(value)) for key, value in same.items()
        }


def test_nothing_beats_the_front(tensor: sc.CostTable) -> None:
    every = one_by_one(tensor, 16, (65536,), (1, 2, 4), (0, 1, 2), None)
    found = sc.plans(
        tensor, chips=16, device=V5P, batch=65536, microbatches=(1, 2, 4), zero=(0, 1, 2), given=SIZES, front=True
    )
    both = {(each["step_time"], each["device_bytes"]) for each in every}
    front = {
        one for one in both if not any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in both)
    }
    assert {(Fraction(str(each.row["step_time"])), each.row["device_bytes"]) for each in found.front} == front


def test_the_steps_of_a_form_are_timed_once(tensor: sc.CostTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 7 plans and a front beside them, meshes of 64 x 1 and 1 x 64 among them."""
    timed: list[Any] = []
    monkeypatch.setattr(searched, "step_time", lambda *asked: timed.append(asked[0]) or sc.step_time(*asked))
    plans = sc.plans(tensor, chips=64, device=V5P, batch=65536, given=SIZES, top=7, front=True)
    assert len(plans) == len({each.row["X"] for each in plans}) == 7
    assert len(timed) == len({id(each) for each in timed}) == 3


def test_what_has_no_room_is_no_plan(tensor: sc.CostTable) -> None:
    room = 400 * 10**6
    every = one_by_one(tensor, 16, (65536,), (1, 4), (0, 1), room)
    found = sc.plans(tensor, chips=16, device=V5P, batch=65536, microbatches=(1, 4), zero=(0, 1), given=SIZES,
                     where=[f"device_bytes <= {room}"])  # fmt: skip
    assert 0 < found.count == len(every)
    assert found.best.costs.per_device.params == 2 * SIZES["d"] * SIZES["F"] // found.best.at["Y"]


def test_a_plan_fits_until_its_largest_batch(tensor: sc.CostTable) -> None:
    found = sc.plans(tensor, chips=16, device=V5P, batch=16384, given={"d": 65536, "F": 4096})
    most = found.largest_batch()
    at = {name: value for name, value in most.at.items() if name != "B"}
    kept = [device_memory(tensor.subs(B=size, **at), "adam").total for size in (most.value, most.value // 2, 12288)]
    assert kept[0] <= 95 * 10**9
    assert kept == sorted(kept, reverse=True)
    assert "the first one fits with every B <= " in str(found)
    assert "certified monotone" in str(found)


def test_a_plan_with_an_axis_of_one_device_has_a_largest_batch_too(tensor: sc.CostTable) -> None:
    found = sc.plans(tensor, chips=16, device=V5P, batch=16384, given={"d": 65536, "F": 4096}, top=9)
    alone = [place for place, each in enumerate(found) if 1 in (each.at["X"], each.at["Y"])]
    assert alone
    for place in alone:
        mesh, most = found.found[place].at, found.largest_batch(place).value
        assert most % mesh["X"] == 0
        assert device_memory(tensor.subs(**{**mesh, "B": most}), "adam").total <= 95 * 10**9
        with pytest.raises(sc.DomainError):  # the largest that was compared: more would fit
            device_memory(tensor.subs(**{**mesh, "B": most + mesh["X"]}), "adam")


@pytest.mark.campaign
def test_tables_and_numbers_of_chips_are_compared_with_each_other(tensor: sc.CostTable, sharded: sc.CostTable) -> None:
    asked: dict[str, Any] = dict(
        device=V5P, batch=196608, microbatches=(1, 3), given=SIZES, minimize="device_bytes", top=3
    )
    both = sc.plans({"tensors": tensor, "both": sharded}, chips=(16, 64), **asked)
    alone = [sc.plans(each, chips=chips, **asked) for each in (tensor, sharded) for chips in (16, 64)]
    assert both.count == sum(each.count for each in alone)
    assert [each.row["device_bytes"] for each in both] == sorted(
        row["device_bytes"] for each in alone for row in each.rows
    )[:3]
    assert {each.row["plan"] for each in both} <= {"tensors", "both"}
    assert {each.variant.name for each in both if each.at["B"] == 196608} <= {"both"}, (
        "outside of the other one's conditions"
    )


@pytest.mark.campaign
def test_a_model_is_traced_with_every_plan_of_every_variant() -> None:
    def model(d: int, F: int, deep: bool = False) -> Any:
        block = perceptron(d, F)
        return nn.Sequential([block, perceptron(d, F)]) if deep else block

    found = sc.plans(model, "bfloat16[B,d]", plan={"tensors": sc.Plan(MESH, TENSOR)}, vary={"deep": [False, True]}, chips=16,
                     device=V5P, batch=65536, given=SIZES, top=20)  # fmt: skip
    assert {each.row["plan"] for each in found} == {"tensors, deep=False", "tensors, deep=True"}
    assert found.best.row["plan"] == "tensors, deep=False"


@pytest.mark.campaign
@settings(deadline=None, max_examples=8)
@given(chips=st.sampled_from([4, 6, 16, 36]), batch=st.integers(40, 300).map(lambda k: 512 * k), m=st.integers(1, 6))
def test_counts_are_those_of_enumeration(tensor: sc.CostTable, chips: int, batch: int, m: int) -> None:
    found = sc.plans(tensor, chips=chips, device=V5P, batch=batch, microbatches=m, given=SIZES)
    assert found.count == len(one_by_one(tensor, chips, (batch,), (m,), (0,), None))


def test_quantities_of_a_device_are_the_tables_own(tensor: sc.CostTable) -> None:
    at = dict(SIZES, B=32768, X=4, Y=2)
    there, names = tensor.subs(**at), vocabulary(tensor)
    asked = setting(tensor, {"device": V5P, "optimizer": "adam", "microbatches": 3})
    right = {
        "devices": 8, "device_params": there.per_device.params, "device_macs": there.per_device.macs,
        "device_flops": there.per_device.flops, "device_state": 0, "device_bytes": device_memory(there, "adam").total,
        "step_time": 3 * sc.step_time(there, V5P).value(), "communication": 3 * sum(there.communication.values()),
        "communication_all_reduce": 3 * sum(there.communication.values()), "communication_all_gather": 0,
        "communication_along_data": 3 * there.communication["all-reduce", ("data",)],
    }  # fmt: skip
    for name, value in right.items():
        assert sc.evaluate(names[name](asked), at) == value, name
    conditions = [f"{name} <= {value} and {name} >= {value}" for name, value in right.items() if name != "step_time"]
    space = sc.Space({name: [value] for name, value in at.items()})
    assert sc.count(tensor, space, conditions, optimizer="adam", microbatches=3) == 1


def test_of_a_forward_pass_times_alone_are_told() -> None:
    plan = sc.Plan(MESH, TENSOR)
    costs = sc.trace(perceptron, "bfloat16[B,d]", plan=plan)
    asked: dict[str, Any] = {"chips": 8, "device": V5P, "batch": 16384, "given": SIZES}
    for more in ({}, {"fits": False, "front": True}):
        with pytest.raises(
            sc.SymcostError, match=r'traced with mode="train": of a forward pass ask for the times alone, fits=F'
        ):
            sc.plans(costs, **asked, **more)
    found = sc.plans(costs, **asked, fits=False)
    for each in found:
        assert "device_bytes" not in each.row
        assert each.row["step_time"] == sc.step_time(each.costs, V5P).value()


def test_outside_the_devices_domain_there_is_no_number(tensor: sc.CostTable) -> None:
    space = sc.Space(d=[4096], F=[4096], B=range(65401, 65601), X=[4], Y=[4])
    assert sc.count(tensor, space, "params >= 1") == 200, "the whole program runs anywhere"
    assert sc.count(tensor, space, "communication >= 1") == sum(
        size % 4 == 0 and size <= 65536 for size in range(65401, 65601)
    )


def test_zero_shares_what_the_data_axes_have_copies_of(tensor: sc.CostTable, sharded: sc.CostTable) -> None:
    """arXiv:1910.02054, figure 1: with N copies ``2 P + 2 P + K P/N`` of stage 1, ``2 P + (2 + K) P/N`` of stage 2."""
    at = dict(SIZES, B=32768, X=4, Y=2)
    P = 2 * SIZES["d"] * SIZES["F"] // 2
    kept = [device_memory(tensor.subs(**at), "adam", zero=stage) for stage in (0, 1, 2)]
    assert [(each.params, each.gradients, each.optimizer) for each in kept] == [
        (2 * P, 2 * P, 8 * P + 4), (2 * P, 2 * P, 2 * P + 4), (2 * P, P // 2, 2 * P + 4)
    ]  # fmt: skip
    cut = [device_memory(sharded.subs(**{**at, "B": 196608}), "adam", zero=stage).total for stage in (0, 2)]
    assert cut[0] == cut[1], "nothing has copies there"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"chips": 0}, "the axis chips has the value 0: every value must be a positive integer"),
    ({"device": "tpu-v9"}, "unknown device 'tpu-v9'"),
    ({"batch": None}, "a step has B examples: give how many, as batch=1024 or batch=range(256, 4097, 256)"),
    ({"given": {"d": 4096}}, "plans need values for F: give them, as given={'F': ...}"),
    ({"given": {**SIZES, "Q": 3}}, "given has 'Q', which is no symbol of the table: they are B, d, F, X, Y"),
    ({"given": {**SIZES, "B": 3}}, "given has B, which counts the examples of a run: give batch, those of a step"),
    ({"zero": 3}, "zero=3 cuts parameters, which is a plan of its own: shard them along the axis of the data"),
    ({"zero": 4}, "zero=4 must be 0, 1 or 2"),
    ({"optimizer": "adm"}, "unknown optimizer 'adm': did you mean adam"),
    ({"minimize": "step_tme"}, "unknown name 'step_tme' in 'step_tme': did you mean step_time"),
    ({"where": "step_time <= 5 MB"}, "compares seconds with bytes"),
    ({"top": 0}, "top=0 must be a positive integer: the number of plans to keep"),
    ({"verify": -1}, "verify=-1 must be 0 or a positive integer: the number of plans to compile"),
    ({"vary": {"remat": [True]}}, "vary is of a model that is traced: these are costs already, leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), REFUSED)
def test_what_is_no_question_is_one_line(wrong: dict[str, Any], message: str, tensor: sc.CostTable) -> None:
    with pytest.raises(sc.SymcostError) as problem:
        sc.plans(tensor, **{"chips": 64, "device": V5P, "batch": 65536, "given": SIZES, **wrong})
    assert message in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        (
            sc.models.gpt2(d="d"),
            "this table has no plan of a mesh: trace with plan=sc.Plan(mesh, shard)",
        ),
        ({"a": sc.models.gpt2(d="d")}, "'a' of the costs has no plan of a mesh"),
        ({}, "costs={} has no table: give one, or several by name"),
        (3, "3 is no table of costs and no model"),
        (perceptron, "plan=None is no plan: give sc.Plan(mesh, shard), or several by name"),
    ],
)
def test_what_has_no_plan_is_one_line(costs: Any, message: str) -> None:
    with pytest.raises(sc.SpaceError) as problem:
        sc.plans(costs, chips=4, device=V5P)
    assert message in str(problem.value)


@pytest.mark.parametrize(
    "name", ["step_time", "communication", "device_bytes", "devices", "device_params", "communication_all_gather"]
)
def test_without_a_plan_a_quantity_of_a_device_says_so(name: str) -> None:
    with pytest.raises(
        sc.SymcostError, match=r"this table knows no mesh of devices: trace with plan=sc.Plan\(mesh, shard\)"
    ):
        sc.count(sc.models.gpt2(d="d"), sc.Space(d=[64]), f"{name} <= 5", device=V5P)


@pytest.mark.usefixtures("traced_once")
def test_the_verb_prints_what_the_function_finds(
    tensor: sc.CostTable, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    typed = ["plans", "examples.pod:perceptron", "bfloat16[B,d]", "--mode", "train", "--mesh", "data=X", "--mesh", "model=Y",
             "--shard", "inputs/0=data", "--shard", "**/up/kernel=-,model", "--shard", "**/down/kernel=model", "--chips", "16",
             "--device", V5P, "--batch", "32768..65536*32768", "--at", "d=4096", "--at", "F=4096", "--zero", "0,1"]  # fmt: skip
    assert main([*typed, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = sc.plans(tensor, chips=16, device=V5P, batch=(32768, 65536), given=SIZES, zero=(0, 1))
    assert told["plans"] == [
        {name: value if isinstance(value, int) else str(value) for name, value in row.items()} for row in found.rows
    ]
    assert told["feasible"] == found.count
    assert main([*typed, "--where", "device_bytes <= 1 kB"]) == 1
    assert "no plan of " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ([], "plans are of so many chips: give --chips 256"),
        (["--chips", "64"], "plans are for a device: give --device tpu-v5e; symcost devices lists them"),
        (
            ["--chips", "x", "--device", V5P],
            "--chips 'x' must be integers of at least 1 between commas, as --chips 1,2",
        ),
        (
            ["--chips", "4", "--device", V5P, "--target", "cpu"],
            "--target cpu is for --verify K: give how many plans to compile",
        ),
        (["--chips", "4", "--device", V5P, "--batch", "8"], "this table has no plan of a mesh"),
    ],
)
def test_the_verb_refuses_in_one_line(typed: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plans", "gpt2", *typed]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_plans_on_arrays_are_those_of_the_table(tensor: sc.CostTable) -> None:
    evaluate = tensor.compile("device_bytes", "communication")
    columns: dict[str, Any] = {"B": [16384, 32768, 65536], "X": [4, 8, 16], "Y": [2, 4, 8], "d": 4096, "F": 2048}
    found = evaluate(**columns)
    for row in range(3):
        there = tensor.subs(**{name: each if isinstance(each, int) else each[row] for name, each in columns.items()})
        assert found["device_bytes"][row] == sc.training_memory(there).total
        assert found["communication"][row] == sum(there.communication.values())
    assert found["device_bytes"].dtype == "int64"
    with pytest.raises(sc.DomainError, match=r"row 1: .*B/X is a size and must be an integer"):
        evaluate(**{**columns, "B": [16384, 32769, 65536]})


@pytest.mark.campaign
def test_the_best_are_compiled_and_a_plan_that_cannot_be_says_why(tensor: sc.CostTable) -> None:
    """The figures of XLA are withdrawn where a program converts a number in more elements than its compiler computes away."""

    def shifted(d: int) -> Any:
        return nn.Sequential([lambda x: x + jnp.full(x.shape, 0.1).astype(x.dtype), nn.Dense(d, use_bias=False)])

    found = sc.plans(tensor, chips=8, device=V5P, batch=16384, given=SIZES, verify=1)
    assert bool(found.verdicts[0]), str(found.verdicts[0])
    costs = sc.trace(shifted, "bfloat16[B@data,c]", plan=sc.Plan({"data": "X"}), mode="train")
    told = sc.plans(costs, chips=4, device=V5P, batch=16384, given={"d": 1024, "c": 256}, verify=1)
    assert not told.verdicts[0]
    assert "plan 1: not compiled: the xla figures are withdrawn" in " ".join(str(told).split())
