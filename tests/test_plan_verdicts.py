"""Programs cut over meshes, and what compilers make of them: every byte that devices exchange or hold is ours, or has a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from effort import needs, repeated
from flax import nnx
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P
from plan_programs import Dispatched, Routed, stepped, stepped_by_hand
from test_plans import Convolutional, Experts, OnNnx, Perceptron, Transformer

import symcost as sc
from symcost.formulas.symbols import parse

BOTH = ("data", "model")
FULLY_SHARDED = {
    "inputs/0": ("data",), "**/up/kernel": (None, "data"), "**/down/kernel": (None, None, "data"),
    "**/o/kernel": (None, None, None, "data"), **{f"**/{name}/kernel": (None, "data") for name in "qkv"},
}  # fmt: skip
TENSOR = {
    "inputs/0": ("data",), "**/up/kernel": (None, None, "model"), "**/down/kernel": (None, "model"), "**/o/kernel": (None, "model"),
    **{f"**/{name}/kernel": (None, None, "model") for name in "qkv"},
}  # fmt: skip
MIXED = {
    "inputs/0": ("data",), "**/up/kernel": (None, "data", "model"), "**/down/kernel": (None, "model", "data"),
    "**/o/kernel": (None, "model", None, "data"), **{f"**/{name}/kernel": (None, "data", "model") for name in "qkv"},
}  # fmt: skip
PLAIN = {"inputs/0": ("data",), "**/up/kernel": BOTH, "**/down/kernel": BOTH[::-1]}
EXPERTS = {"inputs/0": (None, "expert"), "params/*": ("expert",)}
ROUTED = {"params/up": ("expert",), "params/down": ("expert",)}
LAID = {"laid": {"layers_0": BOTH}}
"""Programs that lay what modules give."""
AXES = {"experts": ("expert",), "dispatched": ("expert",), "routed": ("data", "expert")}
"""Of programs that are not cut along both of data and model."""
Made = tuple[Callable[[], Any], str, Mapping[str, Any]]
PROGRAMS: Mapping[str, Made] = {
    "fully sharded": (lambda: Transformer(128, 8, 512, 4), "float32[64,32,128]", FULLY_SHARDED),
    "tensor": (lambda: Transformer(128, 8, 512, 4), "float32[64,32,128]", TENSOR),
    "mixed": (lambda: Transformer(128, 8, 512, 4), "float32[64,32,128]", MIXED),
    "mixed, bfloat16": (lambda: Transformer(128, 8, 512, 4, jnp.bfloat16), "bfloat16[64,32,128]", MIXED),
    "fully sharded, bfloat16": (
        lambda: Transformer(128, 8, 512, 4, jnp.bfloat16),
        "bfloat16[64,32,128]",
        FULLY_SHARDED,
    ),
    "sequence": (lambda: Transformer(128, 8, 512, 4), "float32[16,32,128]", {"inputs/0": (None, "data")}),
    "large": (lambda: Transformer(2048, 16, 8192, 4), "float32[64,256,2048]", MIXED),
    "large, fully sharded": (lambda: Transformer(2048, 16, 8192, 4), "float32[64,256,2048]", FULLY_SHARDED),
    "wide": (lambda: Perceptron(4096, 16384), "float32[16384,4096]", PLAIN),
    "layers": (lambda: nn.Sequential([Perceptron(512, 2048) for _ in range(3)]), "float32[4096,512]", PLAIN),
    "laid": (
        lambda: nn.Sequential([nn.Dense(2048, use_bias=False), nn.gelu, nn.Dense(512, use_bias=False)]),
        "float32[4096,512]",
        {"inputs/0": ("data",)},
    ),
    "perceptron": (lambda: Perceptron(512, 256), "float32[4096,512]", PLAIN),
    "nnx": (lambda: OnNnx(512, 256), "float32[4096,512]", PLAIN),
    "experts": (lambda: Experts(256, 8), "float32[8,64,128]", EXPERTS),
    "routed": (lambda: Routed(16, 64), "float32[16,64,32]", ROUTED | {"inputs/0": ("data",)}),
    "dispatched": (lambda: Dispatched(16, 64), "float32[16,64,32]", ROUTED | {"inputs/0": ("expert",)}),
    "convolutional": (lambda: Convolutional(16), "float32[16,20,20,3]", {"inputs/0": ("data",)}),
}
LIGHT = [
    ("perceptron", "train", (4, 2), "cpu"), ("perceptron", "train", (4, 2), "tpu-v5e"), ("nnx", "train", (2, 4), "tpu-v5p"),
    ("perceptron", "train", (4, 2), "cuda-h100"), ("convolutional", "train", (8,), "tpu-v6e"),
    ("experts", "forward", (8,), "tpu-v5e"), ("convolutional", "train", (4,), "cuda-h100"), ("experts", "train", (8,), "cpu"),
    ("routed", "train", (4, 2), "tpu-v5e"), ("dispatched", "train", (8,), "tpu-v5e"),
    ("dispatched", "train", (8,), "cuda-h100"), ("laid", "train", (4, 2), "tpu-v5e"),
]  # fmt: skip
HEAVY = [
    ("routed", "train", (4, 2), "cpu"),
    *(("mixed", "train", (4, 2), target) for target in ("cpu", "tpu-v5e", "tpu-v5p", "tpu-v6e", "cuda-h100")),
    *(("fully sharded", "train", (8,), target) for target in ("cpu", "tpu-v5e", "tpu-v5p", "tpu-v6e", "cuda-h100")),
    *(("mixed, bfloat16", "train", (4, 2), target) for target in ("cpu", "tpu-v5e", "tpu-v6e")),
    *(("fully sharded, bfloat16", "train", (8,), target) for target in ("cpu", "tpu-v5e")),
    *(("tensor", "train", (4, 2), target) for target in ("cpu", "tpu-v5e", "cuda-h100")),
    *(("sequence", "train", (8,), target) for target in ("cpu", "tpu-v5e", "tpu-v6e", "cuda-h100")),
    *((name, "forward", mesh, "tpu-v5e") for name, mesh in
      (("mixed", (4, 2)), ("fully sharded", (8,)), ("tensor", (4, 2)), ("sequence", (8,)))),
    *((name, "train", (16, 4), target) for name in ("mixed", "tensor") for target in ("tpu-v5e", "tpu-v5p")),
    *(("wide", mode, (4, 4), target) for mode in ("forward", "train") for target in ("tpu-v5e", "tpu-v6e", "cuda-h100")),
    *(("layers", "train", (4, 2), target) for target in ("cpu", "tpu-v5e", "cuda-h100")),
    *(("laid", "train", (4, 2), target) for target in ("cpu", "tpu-v6e", "tpu-v5p")),
    ("experts", "train", (8,), "tpu-v5e"), ("experts", "train", (8,), "cuda-h100"),
    ("routed", "forward", (4, 2), "tpu-v5e"), ("routed", "train", (4, 2), "cuda-h100"),
    *(("dispatched", "forward", (8,), target) for target in ("cpu", "tpu-v5e", "tpu-v6e", "cuda-h100")),
    ("dispatched", "train", (8,), "cpu"), ("dispatched", "train", (8,), "tpu-v5p"),
    ("nnx", "train", (2, 4), "cuda-h100"), ("convolutional", "train", (8,), "cpu"),
    ("large", "train", (16, 16), "tpu-v5e"), ("large, fully sharded", "train", (64,), "tpu-v5e"),
    ("mixed", "train", (32, 8), "tpu-v5e"), ("mixed", "train", (64, 8), "tpu-v5p"), ("perceptron", "train", (64, 8), "tpu-v5p"),
]  # fmt: skip
REPEATED = [
    *(("mixed", "train", (4, 2), target) for target in ("tpu-v5p", "tpu-v6e")),
    *(("fully sharded", "train", (8,), target) for target in ("cpu", "tpu-v5p")),
    *(("mixed, bfloat16", "train", (4, 2), target) for target in ("cpu", "tpu-v6e")),
    ("fully sharded, bfloat16", "train", (8,), "cpu"),
    ("tensor", "train", (4, 2), "cpu"), ("sequence", "train", (8,), "tpu-v6e"), ("tensor", "forward", (4, 2), "tpu-v5e"),
    ("fully sharded", "forward", (8,), "tpu-v5e"), ("mixed", "train", (16, 4), "tpu-v5e"),
    ("tensor", "train", (16, 4), "tpu-v5p"), ("mixed", "train", (32, 8), "tpu-v5e"),
    *(("wide", "forward", (4, 4), target) for target in ("tpu-v6e", "cuda-h100")), ("wide", "train", (4, 4), "tpu-v6e"),
    ("large, fully sharded", "train", (64,), "tpu-v5e"), ("layers", "train", (4, 2), "cpu"),
    ("laid", "train", (4, 2), "tpu-v5p"), ("dispatched", "train", (8,), "cpu"),
    *(("dispatched", "forward", (8,), target) for target in ("tpu-v5e", "cuda-h100")),
]  # fmt: skip
"""Of these: the program is asked of another compiler, or the compiler about another cut of it."""
PACKAGE = {"tpu": "libtpu", "cuda": "jax_cuda12_plugin"}
Row = tuple[str, str, tuple[int, ...], str]


def marked(row: Row) -> Any:
    """A row as a parameter: skipped where its compiler is absent, left to the campaign where it takes long."""
    platform = row[-1].partition("-")[0]
    absent = [needs(PACKAGE[platform], f"a program for {row[-1]}")] if platform in PACKAGE else []
    name = f"{row[0]}, {row[1]}, {'x'.join(map(str, row[2]))}, {row[3]}"
    long = repeated("for another compiler or cut") if row in REPEATED else [pytest.mark.campaign] * (row in HEAVY)
    return pytest.param(*row, id=name, marks=[*absent, *long])


@pytest.mark.parametrize(
    ("name", "mode", "mesh", "target"), [marked(row) for row in (*LIGHT, *HEAVY)]
)  # fmt: skip
def test_every_byte_that_devices_exchange_is_ours_or_has_a_name(
    name: str, mode: Any, mesh: tuple[int, ...], target: str
) -> None:
    model, spec, shard = PROGRAMS[name]
    plan = sc.Plan(dict(zip(AXES.get(name, BOTH), mesh, strict=False)), shard, constraint=LAID.get(name, {}))
    costs = sc.trace(model, spec, mode=mode, plan=plan)
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)
    held = {check.metric.partition(" on a device")[0]: check for check in verdict.checks if check.level == 3}
    assert len(held) > 3, "what is exchanged, and what is held"
    for what in ("arguments", "results"):
        check = held[f"bytes of {what}"]
        assert check.limits is None
        assert check.ours == check.theirs == verdict.targets[0].memory[what] > 0
    assert held["bytes of temporaries"].limits == (0, held["bytes of temporaries"].ours)


def test_the_guide_lists_all_of_them() -> None:
    text = (Path(__file__).parents[1] / "examples" / "pod.md").read_text().partition("## 10.")[2]
    told = []
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| program"):
            name, mode, asked = (part.strip() for part in line.strip("|").split("|"))
            for mesh, _, targets in (each.partition(": ") for each in asked.split("; ")):
                shape = tuple(map(int, mesh.split("x")))
                told += [(name.partition(":")[0], mode, shape, target) for target in targets.split(", ")]
    assert sorted(told) == sorted((*LIGHT, *HEAVY))
    assert {*REPEATED} < {*HEAVY}
    assert len(told) == len({*told}) >= 30


def by_hand(x: Any, up: Any, down: Any) -> Any:
    """A perceptron as every device runs it: kernels gathered along the batch's axis, sums scattered along the other."""

    def device(x: Any, up: Any, down: Any) -> Any:
        hidden = jax.nn.relu(x @ jax.lax.all_gather(up, "data", tiled=True))
        return jax.lax.psum_scatter(hidden @ down, "model", scatter_dimension=1, tiled=True)

    specs = P("data"), P("data", "model"), P("model")
    return jax.shard_map(device, in_specs=specs, out_specs=P("data", "model"))(x, up, down)


HAND = {"inputs/0": ("data",), "inputs/1": BOTH, "inputs/2": ("model",)}


def test_a_program_written_for_every_device_is_traced_as_it_is() -> None:
    specs = "float32[B,d]", "float32[d,F]", "float32[F,d]"
    costs = sc.trace_function(by_hand, *specs, plan=sc.Plan({"data": "X", "model": "Y"}, HAND))
    B, d, F, X, Y = sc.symbols("B d F X Y")
    gather, scatter = costs.collectives
    assert (gather.kind, gather.axes, gather.size, gather.bytes, gather.times) == (
        "all-gather",
        ("data",),
        X,
        4 * F * d / Y,
        1,
    )
    assert (scatter.kind, scatter.axes, scatter.size, scatter.bytes) == ("reduce-scatter", ("model",), Y, 4 * B * d / X)
    assert sc.equal(costs.per_device.macs * X * Y, costs.macs)


PAIR = {"inputs/0": ("data",), "params/up": BOTH, "params/down": ("model",)}


class Explicit(nn.Module):
    """A perceptron that says itself how its arrays lie: its first kernel is gathered along the batch's axis."""

    d: int
    F: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        made = nn.initializers.lecun_normal()
        up, down = self.param("up", made, (self.d, self.F)), self.param("down", made, (self.F, self.d))
        up = jax.sharding.reshard(up, P(None, "model"))
        hidden = nn.relu(jnp.einsum("bd,df->bf", x, up, out_sharding=P("data", "model")))
        return jnp.einsum("bf,fd->bd", hidden, down, out_sharding=P("data", None))


class ExplicitOnNnx(nnx.Module):
    """The same in nnx."""

    def __init__(self, d: int, F: int, rngs: nnx.Rngs) -> None:
        self.up, self.down = nnx.Param(jnp.zeros((d, F))), nnx.Param(jnp.zeros((F, d)))

    def __call__(self, x: jax.Array) -> jax.Array:
        up = jax.sharding.reshard(self.up[...], P(None, "model"))
        hidden = nn.relu(jnp.einsum("bd,df->bf", x, up, out_sharding=P("data", "model")))
        return jnp.einsum("bf,fd->bd", hidden, self.down[...], out_sharding=P("data", None))


@pytest.mark.parametrize("made", [
    pytest.param(Explicit, id="linen"),
    pytest.param(lambda d, F: ExplicitOnNnx(d, F, nnx.Rngs(0)), id="nnx", marks=pytest.mark.campaign),
])  # fmt: skip
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program"))])
def test_a_program_of_explicit_axes_is_traced_as_it_is(made: Any, target: str) -> None:
    """What the types of its arrays say is the program: the mesh has explicit axes where it asks for them."""
    plan = sc.Plan({"data": "X", "model": "Y"}, PAIR)
    costs = sc.trace(lambda d, F: made(d, F), "float32[B,d]", plan=plan, mode="train")
    B, d, F, X, Y = sc.symbols("B d F X Y")
    assert sc.equal(costs.per_device.macs * X * Y, costs.macs)
    assert costs.communication == {
        ("all-gather", ("data",)): 4 * d * F / Y,
        ("all-reduce", ("model",)): 4 * B * d / X,
        ("all-reduce", ("data",)): 4 + 8 * d * F / Y,  # the loss, and the gradients of both kernels
    }
    verdict = sc.verify(costs, at=dict(B=64, d=128, F=256, X=4, Y=2), targets=[target])
    assert verdict, str(verdict)


@pytest.mark.campaign
def test_a_loop_over_layers_that_gathers_each_is_what_is_compiled() -> None:
    def layers(x: Any, kernels: Any) -> Any:
        def layer(x: Any, kernel: Any) -> Any:
            return nn.relu(x @ jax.sharding.reshard(kernel, P())), None

        return jax.lax.scan(layer, x, kernels)[0]

    def gradients(x: Any, kernels: Any) -> Any:
        return jax.grad(lambda kernels: layers(x, kernels).sum())(kernels)

    plan = sc.Plan({"data": "X"}, {"inputs/0": ("data",), "inputs/1": (None, "data")})
    costs = sc.trace_function(gradients, "float32[B,d]", "float32[L,d,d]", plan=plan)
    L, d = sc.symbols("L d")
    assert costs.communication[("all-gather", ("data",))] == 8 * L * d**2, "forward, and once more backward"
    assert sc.verify(costs, at=dict(B=64, d=128, L=4, X=8))


@pytest.mark.campaign
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program"))])
def test_gradients_of_microbatches_are_added_up_in_a_loop(target: str) -> None:
    """CPUs gather the kernels once, before it; TPUs reduce once, after it: both have a name."""

    def accumulated(x: Any, up: Any, down: Any) -> Any:
        def loss(kernels: Any, x: Any) -> Any:
            return (nn.gelu(x @ kernels[0]) @ kernels[1]).sum()

        def microbatch(total: Any, x: Any) -> Any:
            return jax.tree.map(jnp.add, total, jax.grad(loss)((up, down), x)), None

        return jax.lax.scan(microbatch, (jnp.zeros_like(up), jnp.zeros_like(down)), x)[0]

    plan = sc.Plan({"data": "X"}, {"inputs/0": (None, "data"), "inputs/1": ("data",), "inputs/2": (None, "data")})
    costs = sc.trace_function(accumulated, "float32[m,B,d]", "float32[d,F]", "float32[F,d]", plan=plan)
    m, d, F = sc.symbols("m d F")
    sent = {kind: size for (kind, _), size in costs.communication.items()}
    assert sent == {"all-gather": 8 * d * F * m, "all-reduce": 8 * d * F * m}
    verdict = sc.verify(costs, at=dict(m=4, B=64, d=128, F=256, X=8), targets=[target])
    assert verdict, str(verdict)
    told = " ".join(check.because for check in verdict.checks)
    assert "-786,432" in told
    assert {"cpu": "before the loop", "tpu-v5e": "after the loop"}[target] in told


def test_a_mesh_of_explicit_axes_around_is_the_plans() -> None:
    """Nothing in the program asks for them; what lies along a contraction is one line of JAX's."""
    plan = sc.Plan({"data": "X"}, {"inputs/0": ("data",)})
    split = sc.Plan({"data": "X"}, {"inputs/0": (None, "data"), "inputs/1": ("data",)})
    specs = "float32[B,d]", "float32[d,F]"
    with jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((2,), ("data",), axis_types=(AxisType.Explicit,))):
        costs = sc.trace_function(jnp.matmul, *specs, plan=plan)
        with pytest.raises(sc.SymcostError, match="Contracting dimensions are sharded and it is ambiguous"):
            sc.trace_function(jnp.matmul, *specs, plan=split)
    assert costs.per_device.macs == costs.macs / sc.symbols("X")[0]
    assert not costs.communication


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.campaign), "bfloat16"])
@pytest.mark.parametrize("target", [
    "cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program")),
    pytest.param("cuda-h100", marks=[needs("jax_cuda12_plugin", "a GPU's program"), pytest.mark.campaign]),
])  # fmt: skip
def test_a_program_written_for_every_device_is_what_is_compiled(target: str, dtype: str) -> None:
    """CPUs send bfloat16 as float32: that is named as well."""
    specs = [f"{dtype}[{sizes}]" for sizes in ("64,32", "32,64", "64,32")]
    costs = sc.trace_function(by_hand, *specs, plan=sc.Plan({"data": 4, "model": 2}, HAND))
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)


SHARED = {"inputs/0": ("data",), "inputs/2/*": ("data",), "inputs/3/*": ("data",)}


@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program"))])
@pytest.mark.parametrize(("made", "stage", "devices", "sizes"), [
    pytest.param(stepped, 1, "X", ("B", "d", "F"), marks=pytest.mark.campaign), (stepped_by_hand, 2, 8, (64, 128, 256)),
    pytest.param(stepped, 2, 8, ("B", "d", "F"), marks=pytest.mark.campaign),
    pytest.param(stepped_by_hand, 1, 8, (64, 128, 256), marks=pytest.mark.campaign),
])  # fmt: skip
def test_devices_of_the_data_axis_share_the_state_of_the_optimizer(
    made: Any, stage: int, devices: Any, sizes: tuple[Any, Any, Any], target: str
) -> None:
    """ZeRO 1 and 2: gradients are added up, each device moves its part of the kernels, and gathers the others'."""
    B, d, F = sizes
    pair = [f"float32[{d},{F}]", f"float32[{F},{d}]"]
    plan = sc.Plan({"data": devices}, SHARED)
    costs = sc.trace_function(made(stage), f"float32[{B},{d}]", pair, pair, pair, plan=plan)
    kernel = parse(f"{d}*{F}")
    kind = "reduce-scatter" if made is stepped_by_hand and stage == 2 else "all-reduce"
    assert costs.communication == {(kind, ("data",)): 8 * kernel, ("all-gather", ("data",)): 8 * kernel}
    states = [row for row in costs.per_device.rows if row.op.startswith(("input 2", "input 3"))]
    assert len(states) == 4
    assert all(sc.equal(row.out[0] * row.out[1], kernel / parse(f"{devices}")) for row in states)
    at = {name: value for name, value in dict(B=64, d=128, F=256, X=8).items() if name in costs.symbols}
    verdict = sc.verify(costs, at=at, targets=[target])
    assert verdict, str(verdict)


SEQUENCE = {
    **{f"**/{name}": ("data", "model") for name in ("first", "second", "attention", "mlp")},
    **{f"**/{name}": ("data", None, "model") for name in ("q", "k", "v", "up")},
}


@pytest.mark.parametrize("mode", ["forward", pytest.param("train", marks=pytest.mark.campaign)])
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program"))])
def test_a_sequence_lies_along_the_axis_of_the_tensors_between_their_products(target: str, mode: Any) -> None:
    """Megatron's sequence parallelism, by the plan alone: tokens are gathered for a pair of products, and scattered after it."""
    plan = sc.Plan({"data": 4, "model": 2}, TENSOR | {"inputs/0": BOTH}, constraint=SEQUENCE)
    costs = sc.trace(lambda: Transformer(128, 8, 512, 4), "float32[16,32,128]", plan=plan, mode=mode)
    if mode == "forward":  # of 4 layers two pairs each, tokens of 4 devices
        assert costs.communication == dict.fromkeys(
            [("all-gather", ("model",)), ("all-reduce", ("model",))], 2 * 4 * 4 * 32 * 128 * 4
        )
    verdict = sc.verify(costs, targets=[target])
    assert verdict, str(verdict)


class Repeated(nn.Module):
    """Layers that are alike, each with a norm, as many as asked for."""

    width: int
    depth: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.width, name="first")(x)
        for i in range(self.depth):
            x = x + nn.Dense(self.width, name=f"hidden_{i}")(nn.LayerNorm(name=f"norm_{i}")(x))
        return x


@pytest.mark.campaign
@pytest.mark.parametrize("target", ["cpu", pytest.param("tpu-v5e", marks=needs("libtpu", "a TPU's program"))])
def test_a_device_holds_the_arguments_of_every_layer_where_the_depth_is_a_symbol(target: str) -> None:
    costs = sc.trace(
        lambda d, L: Repeated(d, L), "float32[n,512]", plan=sc.Plan({"data": "X"}, {"inputs/0": ("data",)})
    )
    verdict = sc.verify(costs, at={"n": 512, "d": 256, "L": 5, "X": 4}, targets=[target])
    assert verdict, verdict.checks
    (arguments,) = (check for check in verdict.checks if check.metric.startswith("bytes of arguments"))
    assert arguments.ours == arguments.theirs
    if target == "cpu":
        held = 512 * 256 + 256 + 5 * (256 * 256 + 256 + 2 * 256)  # the first layer, five others and their norms
        assert arguments.ours == 4 * (held + 512 // 4 * 512) + 16  # the key of the random stream
