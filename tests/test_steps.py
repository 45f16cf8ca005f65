"""Steps of sharded programs: the rooflines of the scaling book as crossovers, pipelines, tokens, prices and shares of memory."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import flax.linen as nn
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import symcost as sc

B, D, F, N, X, Y = sc.symbols("B D F N X Y")
V5P = "tpu-v5p"


def fsdp(**more: Any) -> sc.DeviceWork:
    """The forward pass of an MLP whose weights are gathered: chapter training, "fully-sharded data parallelism"."""
    rows = [sc.Collective(kind="all-gather", axes=("X",), size=X, bytes=2 * D * F, times=2)]
    return sc.DeviceWork(flops=4 * B * D * F / X, collectives=rows, devices=X, tokens=B, **more)


def tensor() -> sc.DeviceWork:
    """The same with tensors split: chapter training, "tensor parallelism"."""
    rows = [sc.Collective(kind=kind, axes=("Y",), size=Y, bytes=2 * B * D) for kind in ("all-gather", "reduce-scatter")]
    return sc.DeviceWork(flops=4 * B * D * F / Y, collectives=rows, devices=Y, tokens=B)


def mixed() -> sc.DeviceWork:
    """Both, on ``N = X Y`` chips: chapter training, "mixed FSDP and tensor parallelism"."""
    weights = sc.Collective(kind="all-gather", axes=("X",), size=X, bytes=2 * D * F * X / N, times=2)
    tokens = sc.Collective(kind="all-gather", axes=("Y",), size=N / X, bytes=2 * B * D / X, times=2)
    return sc.DeviceWork(flops=4 * B * D * F / N, collectives=[weights, tokens], devices=N, tokens=B)


def data() -> sc.DeviceWork:
    """The backward pass of an MLP whose gradients are added up: chapter training, "data parallelism"."""
    rows = [sc.Collective(kind="all-reduce", axes=("X",), size=X, bytes=2 * D * F, times=2)]
    return sc.DeviceWork(flops=8 * B * D * F / X, collectives=rows, devices=X, tokens=B)


ROOFLINES = [  # chapter training: C/W of v5p is 2550
    ("FSDP", fsdp, {}, "B", 2550 * X),
    ("FSDP on three axes", fsdp, {"X": sc.MeshAxis(axes=3)}, "B", 850 * X),
    ("data parallelism", data, {}, "B", 2550 * X),
    ("data parallelism over the data center", data, {"X": "dcn"}, "B", 73440 * (X - 1)),
    ("tensor parallelism", tensor, {}, "Y", F / 2550),
    ("tensor parallelism on two axes", tensor, {"Y": sc.MeshAxis(axes=2)}, "Y", F / 1275),
]


@pytest.mark.parametrize(("work", "places", "name", "at"), [r[1:] for r in ROOFLINES], ids=[r[0] for r in ROOFLINES])
def test_where_communication_overtakes_computing(work: Any, places: Any, name: str, at: Any) -> None:
    found = sc.step_time(work(), V5P, places=places, hops=False)
    assert sc.crossover(found.compute, found.total_communication, name).at == at


def test_the_best_degree_of_fsdp_is_where_both_communications_are_equal() -> None:
    """``X_opt = sqrt(B/F M_X/M_Y N)``, and from ``B/N = 4 alpha^2/(M_X M_Y F)`` on computing hides both."""
    places = {"X": sc.MeshAxis(axes=2), "Y": sc.MeshAxis(axes=1)}
    found = sc.step_time(mixed(), V5P, places=places, hops=False)
    best = sc.crossover(found.communication["X"], found.communication["Y"], "X").at
    assert sympy.simplify(best - sympy.sqrt(2 * B * N / F)) == 0
    sent = sympy.simplify(found.total_communication.subs(X, best))
    assert sc.crossover(found.compute**2, sent**2, "B").at == 4 * 2550**2 * N / (2 * F)


def test_a_sweep_over_meshes_finds_the_best_degree() -> None:
    """The nearest powers of two to ``sqrt(2 B N/F)``, 547 of 4096 chips."""
    found = sc.step_time(mixed(), V5P, places={"X": sc.MeshAxis(axes=2)}, hops=False)
    space = sc.Space(B=[2**20], D=[8192], F=[28672], N=[4096], X=[2**power for power in range(13)])
    best = sc.sweep({"step": found.seconds}, space, minimize="step", top=1).rows[0]
    assert best["X"] == 512
    assert Fraction(str(best["step"])) == found.value(B=2**20, D=8192, F=28672, N=4096, X=512)


def test_steps_between_slices_wait_for_the_data_center() -> None:
    """Chapter training, "scaling between pods": what 8960 chips send over 6.25 GB/s each is 2 V/(2 slices)."""
    row = sc.Collective(kind="all-reduce", axes=("slices",), size=2, bytes=6250 * 10**6)
    found = sc.step_time(sc.DeviceWork(collectives=[row]), V5P, places={"slices": "dcn"})
    assert found.communication == {"dcn": 1}


@given(
    flops=st.integers(0, 10**16), moved=st.integers(0, 10**13), sent=st.lists(st.integers(0, 10**12), max_size=4),
    stages=st.integers(1, 8), microbatches=st.integers(1, 32),
)  # fmt: skip
def test_what_happens_at_once_takes_the_least_and_what_follows_the_most(
    flops: int, moved: int, sent: list[int], stages: int, microbatches: int
) -> None:
    rows = [sc.Collective(kind="all-reduce", axes=(f"a{i % 3}",), size=4, bytes=each) for i, each in enumerate(sent)]
    work = sc.DeviceWork(flops=flops, bytes=moved, collectives=rows, devices=64, tokens=8192)
    options: dict[str, Any] = dict(stages=stages, microbatches=microbatches)
    times = [sc.step_time(work, V5P, overlap=each, **options) for each in ("all", "compute", "none")]
    seconds = [found.value() for found in times]
    assert seconds == sorted(seconds)
    busy = Fraction(str(times[0].busy))
    assert seconds[0] == busy * (microbatches + stages - 1) / microbatches
    if seconds[2]:
        assert all(0 <= found.mfu <= 1 for found in times if found.value())


def test_bubbles_of_a_pipeline() -> None:
    """Narayanan et al., arXiv:2104.04473, section 2.2: (p - 1)/m and (p - 1)/(v m) of the ideal time."""
    p, m, v = sc.symbols("p m v")
    share = sc.pipeline_bubble(p, m, v)
    assert sympy.simplify(share / (1 - share) - (p - 1) / (v * m)) == 0
    assert sc.pipeline_bubble(1, 5) == 0
    plain, piped = (
        sc.step_time(fsdp(), V5P, hops=False, overlap="none", **more) for more in ({}, dict(stages=4, microbatches=12))
    )
    assert sympy.simplify(piped.seconds / plain.seconds) == sympy.Rational(15, 12)
    with pytest.raises(sc.SymcostError, match="microbatches=0 must be a positive integer"):
        sc.pipeline_bubble(4, 0)


def test_tokens_utilisation_and_price_follow_from_the_seconds() -> None:
    work = sc.DeviceWork(flops=459 * 10**12, devices=8, tokens=1000, model_flops=459 * 10**12 * 3 // 4)
    found = sc.step_time(work, V5P, efficiency="0.5")
    assert (found.seconds, found.tokens_per_second, found.mfu) == (2, 500, sympy.Rational(3, 8))
    assert found.cost_per_token("4.2") == sympy.Rational(42, 10) * 8 * 2 / 3600 / 1000
    assert found.cost_per_token("price") == sc.parse("price") * 8 * 2 / 3600 / 1000
    assert (
        str(found)
        == "2 s a step, bound by compute, on google-tpu-v5p x 8 (bfloat16); bfloat16 assumed: the work says no number "
        "types, 50 % of the peak, overlap: compute"
    )
    assert repr(found) == f"<StepTime {found}>"


def test_a_step_in_symbols_has_a_value_at_a_point() -> None:
    found = sc.step_time(fsdp(), V5P)
    assumed = "bfloat16 assumed: the work says no number types, full peak, X as rings, overlap: compute"
    assert str(found).endswith(f"s a step on google-tpu-v5p x X (bfloat16); {assumed}")
    point = dict(B=2**21, D=8192, F=28672, X=1024)
    assert found.value(**point) == Fraction(4 * 2**21 * 8192 * 28672, 1024 * 459 * 10**12) * Fraction(
        2550 * 1024, 2**21
    )
    with pytest.raises(sc.SymcostError, match="the time of a step needs a number for X: give X="):
        found.value(**{name: size for name, size in point.items() if name != "X"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(work=3), r"a int is no work of a device: give a table of costs, or DeviceWork\(flops="),
        (dict(overlap="some"), "unknown overlap 'some': use compute, all, none"),
        (dict(efficiency=2), r"efficiency=2 must be a share of the peak in \(0, 1\]"),
        (dict(efficiency=sc.Saturating("0.5", 9)), "a step has one share of the peak for all of its kernels"),
        (dict(dtype="int4"), "device google-tpu-v5p has no published peak for int4"),
        (dict(stages=0), "stages=0 must be a positive integer or a formula"),
        (dict(on="stm32f746", dtype="int8"), "device stm32f746: no network between several of them is published"),
    ],
)
def test_what_is_no_step_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        sc.step_time(**{"work": fsdp(), "on": V5P, **given})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(flops=-1), "flops=-1 must be 0 or more: give its amount"),
        (dict(bytes="x +"), "x +"),
        (dict(devices=0), "devices=0 must be a positive integer"),
        (dict(collectives=3), "collectives=3 must be a list of them"),
        (dict(tokens="-1"), "tokens=-1 must be 0 or more"),
    ],
)
def test_work_is_checked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message.replace("+", r"\+")):
        sc.DeviceWork(**given)


def test_the_work_of_a_table_is_its_products_and_what_it_moves() -> None:
    d, n = sc.symbols("d n")
    mlp = sc.table(sc.Sequential(up=sc.Linear(4 * d, bias=False), act=sc.GELU(), down=sc.Linear(d, bias=False)), (n, d))
    work = sc.DeviceWork.of(mlp, passes=3, devices=4, tokens=4 * n, dtype="bfloat16")
    assert work.flops == work.model_flops == 3 * 2 * 8 * n * d**2
    assert work.bytes == sympy.expand(3 * 2 * (8 * d**2 + n * d + 2 * 4 * n * d + n * d)), "weights, and four tensors"
    found = sc.step_time(work, "h100")
    assert found.compute == 48 * n * d**2 / sympy.Integer(989400000000000)
    assert found.memory == sympy.expand(work.bytes / sympy.Integer(3350000000000))
    assert found.value(n=1, d=64) == Fraction(str(found.memory.subs({n: 1, d: 64})))
    with pytest.raises(sc.SymcostError, match="passes=0 must be a positive integer"):
        sc.DeviceWork.of(mlp, passes=0)


def test_what_is_computed_again_is_work_but_no_part_of_the_utilisation() -> None:
    class Again(nn.Module):
        d: int

        @nn.compact
        def __call__(self, x: Any) -> Any:
            return nn.Dense(3)(nn.remat(nn.Sequential)([nn.Dense(self.d), nn.gelu, nn.Dense(self.d), nn.gelu])(x))

    work = sc.DeviceWork.of(sc.trace(lambda d: Again(d), "float32[n,5]", mode="train"), tokens="n")
    assert sympy.expand(work.flops - work.model_flops).is_positive
    found = sc.step_time(work, "tpu-v5e", dtype="bfloat16")
    assert found.tokens_per_second == sc.parse("n") / found.seconds


def test_tokens_are_needed_for_what_is_told_of_them() -> None:
    found = sc.step_time(sc.DeviceWork(flops=1), V5P)
    with pytest.raises(
        sc.SymcostError, match=r"how many tokens a step has is not known: give tokens, as tokens='B\*T'"
    ):
        _ = found.tokens_per_second


def test_the_step_of_a_traced_plan_follows_from_its_rows(tensor: sc.CostTable) -> None:
    """Data parallelism waits for the gradients below ``C/W`` tokens a chip for each of six products; there are five here."""
    d, F = sc.symbols("d F")
    found = sc.step_time(tensor, V5P, hops=False)
    assert found.compute == tensor.per_device.total("textbook").flops / sympy.Integer(459 * 10**12)
    assert found.work.devices == X * Y
    assert found.communication["model"] == sum(
        2 * row.bytes * row.times for row in tensor.collectives if row.axes == ("model",)
    ) / sympy.Integer(180 * 10**9)
    at = sc.crossover(found.compute, found.communication["data"], "B").at
    assert sympy.simplify(at * d * F / (d * F + Y)) == 2550 * X * 4 / 5, "and the sum of the loss, which is 4 bytes"
    one = sc.step_time(tensor.subs(B=16384, d=8192, F=4096, X=4, Y=2), V5P, hops=False)
    assert one.work.devices == 8
    assert one.value() == found.value(B=16384, d=8192, F=4096, X=4, Y=2)


def test_a_step_is_told_only_where_its_table_holds(tensor: sc.CostTable) -> None:
    found = sc.step_time(tensor, V5P)
    with pytest.raises(
        sc.DomainError, match="B=16383, X=4 is outside the domain: B/X is a size and must be an integer"
    ):
        found.value(B=16383, d=8192, F=4096, X=4, Y=2)
    with pytest.raises(sc.DomainError, match="X=1 is outside the domain"):
        found.value(B=16384, d=8192, F=4096, X=1, Y=2)
    with pytest.raises(sc.DomainError, match="B=16383, X=4 is outside the domain"):
        sc.step_time(tensor.subs(B=16383, d=8192, F=4096, X=4, Y=2), V5P)


def test_a_traced_plan_over_slices_waits_for_both_networks(tensor: sc.CostTable) -> None:
    found = sc.step_time(tensor, V5P, places={"data": "dcn"}, hops=False)
    assert set(found.communication) == {"model", "dcn"}
    row = next(row for row in tensor.collectives if row.axes == ("data",) and row.path == "down")
    assert sc.collective_time(row, V5P, {"data": "dcn"}).bandwidth == sympy.expand(
        2 * row.bytes * (X - 1) / X / 6250000000
    )
    with pytest.raises(
        sc.SymcostError, match='passes=3 says nothing of the collectives of a plan: trace with mode="train"'
    ):
        sc.DeviceWork.of(tensor, passes=3)


def test_axes_of_a_mesh_together_are_no_more_than_the_torus_has() -> None:
    rows = [sc.Collective(kind="all-gather", axes=(axis,), size=4, bytes=1) for axis in ("a", "b", "c")]
    work = sc.DeviceWork(collectives=rows)
    assert len(sc.step_time(work, "tpu-v4").communication) == 3
    with pytest.raises(
        sc.DeviceError, match="a and b and c of the mesh take 3 axes of google-tpu-v5e's ici, which has 2: place"
    ):
        sc.step_time(work, "tpu-v5e")
    assert sc.step_time(work, "tpu-v5e", places={"c": "dcn"}).seconds > 0


def test_the_memory_of_a_traced_plan_is_that_of_a_device(tensor: sc.CostTable) -> None:
    import optax

    d, F = sc.symbols("d F")
    found = sc.training_memory(tensor, optax.adam(1e-3), moments="traced")
    assert (found.params, found.gradients, found.optimizer) == (4 * d * F / Y, 4 * d * F / Y, 8 * d * F / Y + 4)
    assert found.residuals == tensor.per_device.residuals
    assert sympy.expand((found.residuals - 4) * X * Y - tensor.residuals + 4) == 0, "every array is cut, but the sum"
    split = sc.training_memory(tensor, optax.adam(1e-3), moments="traced", shards=sc.Shards(optimizer="X", residuals=2))
    assert split.optimizer == sympy.ceiling(8 * d * F / (X * Y) + 4 / X)
    assert split.params == found.params
    assert split.residuals == sympy.ceiling(sympy.expand(found.residuals / 2))


class Net(nn.Module):
    """A layer to train."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(self.d)(x)


@pytest.mark.parametrize(
    ("stage", "bytes_of"),
    [  # Rajbhandari et al., arXiv:1910.02054, figure 1: (2 + 2 + K) P, 4 P + K P/N, 2 P + (2 + K) P/N, (4 + K) P/N
        (0, (4, 4, 8)), (1, (4, 4, "8/64")), (2, (4, "4/64", "8/64")), (3, ("4/64", "4/64", "8/64")),
    ],
)  # fmt: skip
def test_zero_splits_one_part_more_with_each_stage(stage: Any, bytes_of: tuple[Any, ...]) -> None:
    P = 75 * 10**8
    whole = sc.TrainingMemory(params=4 * P, gradients=4 * P, optimizer=8 * P, residuals=0)
    found = whole.sharded(sc.Shards.zero(stage, data=64))
    assert (found.params, found.gradients, found.optimizer) == tuple(ceil(Fraction(each) * P) for each in bytes_of)


def test_the_largest_model_of_plain_data_parallelism() -> None:
    """Chapter training: 10 bytes a parameter, so 9.6e9 parameters on 96 GB; on the 95 GB that are published 9.5e9."""
    P = sc.symbols("P")[0]
    whole = sc.TrainingMemory(params=2 * P, gradients=0, optimizer=8 * P, residuals=0)
    assert sympy.solve(whole.left(V5P), P) == [95 * 10**8]
    assert whole.least_devices(V5P) == sympy.ceiling(P / 9500000000)
    with pytest.raises(sc.DeviceError, match="device horowitz-45nm has no memory for activations"):
        whole.left("horowitz-45nm")


def test_the_memory_of_training_is_split_exactly() -> None:
    import optax

    costs = sc.trace(lambda d: Net(d), "float32[n,c]", mode="train")
    whole = sc.training_memory(costs, optax.adam(1e-3))
    found = sc.training_memory(costs, optax.adam(1e-3), shards=sc.Shards.zero(3, data="X", model=2))
    assert found.params == sympy.ceiling(sympy.expand(whole.params / (2 * X)))
    point = dict(n=3, c=5, d=7, X=4)
    for part in ("params", "gradients", "optimizer", "residuals"):
        total = sc.evaluate(getattr(whole, part), point)
        assert sc.evaluate(getattr(found, part), point) == -(-total // 8), part
    assert sc.evaluate(found.total, point) == sum(
        -(-sc.evaluate(getattr(whole, part), point) // 8) for part in ("params", "gradients", "optimizer", "residuals")
    )
    assert whole.sharded(sc.Shards()) == whole


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sc.Shards(params=0), "params=0 must be a positive integer or a formula"),
        (lambda: sc.Shards(optimizer="1/2"), "optimizer=1/2 must be a positive integer"),
        (lambda: sc.Shards.zero(4, data=2), "stage=4 of ZeRO must be 0, 1, 2 or 3: 3 is FSDP"),
        (lambda: sc.Shards.zero(True, data=2), "stage=True of ZeRO must be 0, 1, 2 or 3"),
    ],
)
def test_shards_are_checked(make: Any, message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        make()


def test_what_a_step_waits_for_is_told() -> None:
    step = sc.step_time(fsdp(), V5P, hops=False)
    assert step.bound == "depends"
    gather = step.work.collectives[0].map(lambda each: sympy.sympify(each).subs(X, 64))
    told = [
        sc.step_time(sc.DeviceWork(flops=4 * tokens * D * F, collectives=[gather]), V5P, hops=False).bound
        for tokens in (2549, 2551)
    ]
    assert told == ["X", "compute"], "2550 tokens a chip"
    assert sc.step_time(sc.DeviceWork(flops=1, bytes=10**9), V5P).bound == "memory"


def test_a_step_is_in_the_number_types_of_its_program() -> None:
    """Of products in float32 and in bfloat16 each at its own peak; bytes of a type that is given are of that type."""

    def two(x: Any, y: Any) -> Any:
        return (x @ x) + (y @ y).astype("float32")

    costs = sc.trace_function(two, "float32[n,n]", "bfloat16[n,n]")
    h100, n = sc.device("h100"), sc.parse("n")
    found = sc.step_time(costs, "h100", tokens="n")
    rates = {name: sympy.Rational(int(h100.operations(name))) for name in ("float32", "bfloat16")}
    assert found.compute == 2 * n**3 / rates["float32"] + 2 * n**3 / rates["bfloat16"]
    assert found.assumed.startswith("float32 and bfloat16 as traced, full peak")
    assert found.tokens_per_second == n / found.seconds
    given = sc.step_time(costs, "h100", "bfloat16")
    assert given.compute == 4 * n**3 / rates["bfloat16"]
    assert given.memory.subs("n", 64) < found.memory.subs("n", 64)
    assert "at the peak of bfloat16: none of float32 is published" in sc.step_time(costs, V5P).assumed
    with pytest.raises(sc.DeviceError, match="no published peak for float32"):
        sc.step_time(costs, V5P, "float32")
    with pytest.raises(sc.SymcostError, match="are not the FLOPs of the work"):
        sc.DeviceWork(flops=3, types={"float32": 2})
