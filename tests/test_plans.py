"""Programs cut over a mesh: closed forms of one device, equal to what XLA's partitioner and its compiler make of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
import sympy
from effort import needs, rows
from flax import nnx

import symcost as sc
from symcost.costs.mesh.collectives import Kind
from symcost.hlo.counting.collectives import collectives
from symcost.hlo.explaining.arrays import arrays, totals
from symcost.hlo.reading.groups import axes_of
from symcost.hlo.reading.parse import parse
from symcost.tracing.mesh.asking.partition import compiled, partitioned
from symcost.tracing.program.given import make_model

MESH = {"data": "X", "model": "Y"}


class Perceptron(nn.Module):
    """A block of a transformer without its attention."""

    d: int
    F: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: Any) -> Any:
        up, down = (nn.Dense(size, use_bias=False, name=name, dtype=self.dtype)
                    for size, name in ((self.F, "up"), (self.d, "down")))  # fmt: skip
        return x + down(nn.gelu(up(x)))


class Attention(nn.Module):
    """Causal attention whose heads are an axis of its kernels."""

    d: int
    H: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: Any) -> Any:
        def dense(sizes: Any, name: str, axis: Any = -1) -> Any:
            return nn.DenseGeneral(sizes, axis=axis, use_bias=False, name=name, dtype=self.dtype)

        q, k, v = (dense((self.H, self.d // self.H), name)(x) for name in "qkv")
        weights = nn.softmax(jnp.einsum("bthc,bshc->bhts", q, k))
        return dense(self.d, "o", (-2, -1))(jnp.einsum("bhts,bshc->bthc", weights, v))


class Block(nn.Module):
    """A block of a transformer, as ``nn.scan`` calls it."""

    d: int
    H: int
    F: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: Any, _: Any) -> Any:
        first, second = (nn.RMSNorm(name=name, dtype=self.dtype) for name in ("first", "second"))
        x = x + Attention(self.d, self.H, self.dtype, name="attention")(first(x))
        return Perceptron(self.d, self.F, self.dtype, name="mlp")(second(x)), None


class Transformer(nn.Module):
    """Layers one after the other, in one loop."""

    d: int
    H: int
    F: int
    L: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: Any) -> Any:
        scanned = nn.scan(Block, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.L)
        return scanned(self.d, self.H, self.F, self.dtype, name="layers")(x, None)[0]


class Convolutional(nn.Module):
    """A convolutional network with statistics of the batch."""

    c: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.relu(
            nn.BatchNorm(use_running_average=False, name="norm")(nn.Conv(self.c, (3, 3), strides=2, name="stem")(x))
        )
        return nn.Dense(10, name="head")(x.mean((1, 2)))


class OnNnx(nnx.Module):
    """The perceptron in nnx."""

    def __init__(self, d: int, F: int) -> None:
        rngs = nnx.Rngs(0)
        self.up = nnx.Linear(d, F, use_bias=False, rngs=rngs)
        self.down = nnx.Linear(F, d, use_bias=False, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return x + self.down(jax.nn.gelu(self.up(x)))


def perceptron(d: int, F: int) -> nn.Module:
    return Perceptron(d, F)


def stacked(d: int, F: int, L: int) -> nn.Module:
    return nn.Sequential([Perceptron(d, F) for _ in range(L)])


def transformer(d: int, H: int, F: int, L: int) -> nn.Module:
    return Transformer(d, H, F, L)


def convolutional(c: int) -> nn.Module:
    return Convolutional(c)


def on_nnx(d: int, F: int) -> nnx.Module:
    return OnNnx(d, F)


TENSOR = {
    "**/q/kernel": (None, None, "model"), "**/k/kernel": (None, None, "model"), "**/v/kernel": (None, None, "model"),
    "**/o/kernel": (None, "model"), "**/up/kernel": (None, None, "model"), "**/down/kernel": (None, "model"),
}  # fmt: skip
SHARDED = {"inputs/0": ("data",), "**/up/kernel": ("data", "model"), "**/down/kernel": ("model", "data")}
CASES: Mapping[str, tuple[Any, str, Any, sc.Plan, dict[str, int]]] = {
    "tensor": (transformer, "float32[B,T,d]", "forward", sc.Plan({"model": "Y"}, TENSOR),
               {"B": 2, "T": 16, "d": 8192, "H": 64, "F": 512, "L": 3, "Y": 4}),
    "data": (convolutional, "float32[n,r,r,3]", "train", sc.Plan({"data": "X"}, {"inputs/0": ("data",)}),
             {"n": 16, "r": 20, "c": 16, "X": 4}),
    "sharded": (perceptron, "float32[B,d]", "train", sc.Plan(MESH, SHARDED), {"B": 4096, "d": 512, "F": 256, "X": 4, "Y": 2}),
    "nnx": (on_nnx, "float32[B,d]", "train", sc.Plan(MESH, SHARDED), {"B": 4096, "d": 512, "F": 256, "X": 2, "Y": 4}),
    "sequence": (perceptron, "bfloat16[B,T,d]", "forward", sc.Plan({"sequence": "S"}, {"inputs/0": (None, "sequence")}),
                 {"B": 2, "T": 64, "d": 16, "F": 32, "S": 8}),
}  # fmt: skip


@pytest.fixture(scope="module")
def planned() -> Mapping[str, sc.CostTable]:
    """Each case, traced when it is first asked for."""

    class Traced(dict[str, sc.CostTable]):
        def __missing__(self, name: str) -> sc.CostTable:
            model, spec, mode, plan, _ = CASES[name]
            self[name] = sc.trace(model, spec, mode=mode, plan=plan)
            return self[name]

    return Traced()


@pytest.mark.parametrize("name", rows(CASES, {"data", "nnx"}))
def test_bytes_by_kind_are_those_of_the_compiled_program(name: str, planned: Mapping[str, sc.CostTable]) -> None:
    model, spec, mode, plan, point = CASES[name]
    costs = planned[name]
    said: dict[Kind, Any] = {}
    for (kind, _), size in costs.subs(**point).communication.items():
        said[kind] = said.get(kind, 0) + size
    made = compiled(make_model(model, (spec,), mode=mode), plan, point)
    assert said == collectives(made)
    assert all(isinstance(size, int) for size in said.values())


@pytest.mark.parametrize("name", rows(("tensor", "data", "sharded"), {"data"}))
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "the compiler of TPUs"))])
def test_a_verdict_compares_the_bytes_of_each_kind(name: str, target: str, planned: Mapping[str, sc.CostTable]) -> None:
    """What a compiler changes is named to the byte; on CPUs it changes nothing here."""
    point = CASES[name][4]
    verdict = sc.verify(planned[name], at=point, targets=[target])
    assert verdict, str(verdict)
    sent = {each.metric: each for each in verdict.checks if " bytes along " in each.metric}
    said = {f"{kind} bytes along {' and '.join(axes)}": size
            for (kind, axes), size in planned[name].subs(**point).communication.items()}  # fmt: skip
    assert {metric: each.ours - named(each.because) for metric, each in sent.items()} == dict.fromkeys(sent, 0) | said
    assert any(each.because for each in sent.values()) is ((name, target) == ("sharded", "tpu-v5e"))


def named(because: str) -> int:
    """The bytes that a check counts on our side by name."""
    return sum(int(part.split(" ")[0].replace(",", "")) for part in because.split("; ") if part)


def test_a_verdict_takes_the_mesh_from_the_plan(planned: Mapping[str, sc.CostTable]) -> None:
    with pytest.raises(sc.SymcostError, match="mesh and shard are the plan's of this table: leave them out"):
        sc.verify(planned["tensor"], at=CASES["tensor"][4], targets=[], mesh={"data": 2})


def test_tensor_parallel_layers_reduce_twice_a_layer(planned: Mapping[str, sc.CostTable]) -> None:
    """Scaling book, chapter on training: an all-reduce behind each of attention and feed-forward, of ``B T d`` numbers."""
    B, T, d, L, Y = sc.symbols("B T d L Y")
    rows = planned["tensor"].collectives
    assert [(row.kind, row.axes, row.path, row.times) for row in rows] == [
        ("all-reduce", ("model",), "layers/attention/o", L), ("all-reduce", ("model",), "layers/mlp/down", L)
    ]  # fmt: skip
    assert {(row.bytes, row.size) for row in rows} == {(4 * B * T * d, Y)}


def test_one_device_holds_and_computes_its_share(planned: Mapping[str, sc.CostTable]) -> None:
    costs = planned["sharded"]
    d, F, X, Y = sc.symbols("d F X Y")
    assert sc.equal(costs.per_device.params * X * Y, costs.params)
    assert sc.equal(costs.per_device.macs * X * Y, costs.macs)
    assert costs.per_device.params == 2 * d * F / (X * Y)


@pytest.mark.campaign
def test_gradients_are_reduced_over_the_batch(planned: Mapping[str, sc.CostTable]) -> None:
    costs = planned["data"]
    c = sc.symbols("c")[0]
    ((kind, axes),) = costs.communication
    assert (kind, axes) == ("all-reduce", ("data",))
    # the loss, kernels of stem and head, the stem's bias, mean and mean of squares, and three sums of the norm backward
    assert sc.equal(costs.communication[kind, axes], 4 * (1 + 27 * c + 10 * c + c + 2 * c + 3 * c))


def test_one_device_keeps_its_share_for_the_backward_pass(planned: Mapping[str, sc.CostTable]) -> None:
    """Each array as XLA's partitioner lays it; zeros, which ReLU's gradient reads and nobody stores, are none of it."""
    whole, device = planned["sharded"].residuals, planned["sharded"].per_device.residuals
    assert sc.equal(sympy.expand((device - 8) * sc.parse("X*Y")), sympy.expand(whole - 8))
    with pytest.raises(sc.SymcostError, match="residuals exist only for training"):
        _ = planned["tensor"].per_device.residuals


@pytest.mark.campaign
def test_one_device_keeps_maps_whose_sides_are_rounded_up(planned: Mapping[str, sc.CostTable]) -> None:
    c, n, r, X = sc.symbols("c n r X")
    side = sympy.ceiling(r / 2)
    assert sc.equal(planned["data"].per_device.residuals, (9 * c * n * side**2 + 4 * c * n) / X + 24 * c)


def test_nothing_is_sent_where_nothing_meets(planned: Mapping[str, sc.CostTable]) -> None:
    assert planned["sequence"].collectives == ()


def test_bounds_and_divisors_are_conditions(planned: Mapping[str, sc.CostTable]) -> None:
    costs = planned["tensor"]
    domain = costs.per_device.domain
    assert domain is not None
    assert {"H % Y == 0", "F % Y == 0"} <= set(domain.conditions())
    assert {evidence.word for evidence in domain.evidence.values()} == {"bounded"}
    point = CASES["tensor"][4]
    with pytest.raises(sc.DomainError, match="H/Y is a size and must be an integer"):
        _ = costs.subs(**{**point, "H": 66}).per_device
    with pytest.raises(sc.DomainError, match=r"d=1048576 is beyond what was tried, .*partitioner was asked.*upto="):
        _ = costs.subs(**{**point, "d": 1048576}).collectives
    assert costs.subs(**{**point, "H": 66}).macs > 0, "the model's own form holds there"


class Experts(nn.Module):
    """Tokens in equal shares to experts, with a constraint inside that names an axis of the mesh."""

    F: int
    E: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        up = self.param("up", nn.initializers.normal(), (self.E, x.shape[-1], self.F))
        down = self.param("down", nn.initializers.normal(), (self.E, self.F, x.shape[-1]))
        shares = jax.lax.with_sharding_constraint(x, jax.sharding.PartitionSpec("expert"))
        return jnp.einsum("ecf,efd->ecd", nn.relu(jnp.einsum("ecd,edf->ecf", shares, up)), down)


def experts(F: int, E: int) -> nn.Module:
    return Experts(F, E)


def test_constraints_inside_a_model_are_followed() -> None:
    """Inputs cut by tokens meet experts that are cut by number: an all-to-all each device's share of the tokens."""
    plan = sc.Plan({"expert": "Y"}, {"inputs/0": (None, "expert"), "params/*": ("expert",)})
    costs = sc.trace(experts, "float32[E,c,d]", plan=plan)
    E, c, d, Y = sc.symbols("E c d Y")
    assert costs.communication == {("all-to-all", ("expert",)): 4 * E * c * d / Y}


def test_an_order_of_sizes_that_decides_is_a_condition(planned: Mapping[str, sc.CostTable]) -> None:
    """Of a gradient the partitioner gathers what is smaller: the form is that of one order, and says so."""
    costs = planned["sharded"]
    domain = costs.per_device.domain
    assert domain is not None
    assert "B/X >= F/Y" in domain.conditions()
    point = CASES["sharded"][4]
    with pytest.raises(sc.DomainError, match=r"must hold, or the program is another one \(XLA's partitioner\)"):
        _ = costs.subs(**{**point, "B": 256, "F": 960}).communication
    with pytest.raises(sc.DomainError, match="B/X >= F/Y must hold"):  # B > F, and yet another program
        _ = costs.subs(B=64, d=1024, F=32, X=16, Y=2).communication


@pytest.mark.parametrize("point", [
    dict(B=2, d=2, F=2, X=2, Y=2), dict(B=32, d=16, F=4, X=16, Y=4), dict(B=512, d=32, F=256, X=2, Y=4),
    dict(B=4096, d=16384, F=16, X=8, Y=16),
])  # fmt: skip
def test_the_form_is_that_of_fresh_programs_in_its_whole_domain(
    point: dict[str, int], planned: Mapping[str, sc.CostTable]
) -> None:
    model, spec, mode, plan, _ = CASES["sharded"]
    program = partitioned(make_model(model, (spec,), mode=mode), plan, point)
    sent = {along: size for along, size in planned["sharded"].subs(**point).communication.items() if size}
    assert totals(arrays(program.module, program.mesh)) == sent


def test_layers_of_no_loop_are_counted() -> None:
    plan = sc.Plan({"model": "Y"}, {"**/up/kernel": (None, "model"), "**/down/kernel": ("model",)})
    costs = sc.trace(stacked, "float32[B,d]", plan=plan)
    B, d, L = sc.symbols("B d L")
    assert costs.communication == {("all-reduce", ("model",)): 4 * B * d * L}


@pytest.mark.parametrize(
    ("mesh", "shard", "told"),
    [
        ({}, {}, 'mesh={} must name axes and their sizes, as {"data": "X", "model": 8}'),
        ({"data": 0}, {}, "the axis 'data' of the mesh has size 0: give a positive integer or a symbol"),
        ({"data": "X", "model": "X"}, {}, "two axes of the mesh have the size X: give each a symbol of its own"),
        ({"data": 2}, {"inputs/0": "data"}, "shard gives 'inputs/0' 'data': give the axes of its dimensions, as (\"data\", None)"),
        ({"data": 2}, {"inputs/0": ("date",)}, "shard cuts 'inputs/0' along 'date', which the mesh lacks: did you mean data?"),
        ({"data": 2}, {"inputs/0": ("data", "data")},
         "shard cuts 'inputs/0' twice along 'data': each axis cuts one dimension of an array"),
        ({"data": 2}, {"inputs/0": (1,)}, "shard gives 'inputs/0' the axis 1: give a name, a tuple of names or None"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_one_line(mesh: Any, shard: Any, told: str) -> None:
    with pytest.raises(sc.SpecError) as problem:
        sc.Plan(mesh, shard)
    assert str(problem.value) == told


@pytest.mark.parametrize(
    ("mesh", "shard", "told"),
    [
        ({"data": 2}, {"input/0": ("data",)},
         "shard='input/0' fits no array of the program: did you mean inputs/0 or rngs/dropout?"),
        ({"data": 2}, {"inputs/0": (None, None, "data")}, "shard gives 3 axes to inputs/0, which has 2 dimensions: give at most 2"),
        ({"data": 2, "model": 2}, {"inputs/0": ("data",)},
         "no array is cut along the axis 'model' of the mesh: shard one along it, or leave the axis out"),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_fit_the_program_is_one_line(mesh: Any, shard: Any, told: str) -> None:
    with pytest.raises(sc.SpecError) as problem:
        sc.trace(perceptron, "float32[B,d]", plan=sc.Plan(mesh, shard))
    assert str(problem.value) == told


def test_a_table_without_a_plan_says_how_to_get_one() -> None:
    costs = sc.table(sc.Linear(c_o=4), (1, 8))
    with pytest.raises(
        sc.SymcostError, match=r"this table knows no mesh of devices: trace with plan=sc.Plan\(mesh, shard\)"
    ):
        _ = costs.collectives


@pytest.mark.parametrize(
    ("groups", "axes", "size"),
    [
        ("replica_groups={{0,2,4,6},{1,3,5,7}}", ("data",), 4),
        ("replica_groups={}", ("data", "model"), 8),
        ("replica_groups=[2,4]<=[4,2]T(1,0)", ("data",), 4),
        ("replica_groups=[4,2]<=[8]", ("model",), 2),
        ("replica_groups=mesh['a'=4,'b'=2] {'b'}", ("model",), 2),
        ("replica_groups=mesh['a'=8] {'a':(4)2}", ("model",), 2),
        ("replica_groups=mesh['a'=8] {'a':(1)4}", ("data",), 4),
        ("replica_groups=mesh['a'=2,'b'=4], device_ids=([4,2]T(1,0)) {'b'}", ("data",), 4),
    ],
)
def test_groups_are_axes_of_the_mesh(groups: str, axes: tuple[str, ...], size: int) -> None:
    text = (
        "HloModule m\nadd {\n  a = f32[] parameter(0)\n  b = f32[] parameter(1)\n  ROOT c = f32[] add(a, b)\n}\n"
        "ENTRY main {\n  x = f32[8]{0} parameter(0)\n"
        f"  ROOT y = f32[8]{{0}} all-reduce(x), channel_id=1, {groups}, to_apply=add\n}}"
    )
    assert axes_of(parse(text).entry.root, {"data": 4, "model": 2}) == (axes, size)
