"""Memory and energy: the lectures' figures, mixed precision, caches of decoders, training with real optimizers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flax.linen as nn
import jax
import optax
import pytest
import sympy

import symcost as sc
from symcost.estimate.bytes.decode import decoding, kv_cache
from symcost.estimate.bytes.optimizer import optimizer_state
from symcost.models.catalog import reference


# EfficientML.ai lecture 2: AlexNet has 244 MB in float32 and 61 MB in int8, 440,928 activations at the peak.
def test_alexnet_as_the_lectures_count_it() -> None:
    alexnet = sc.models.alexnet()
    assert sc.model_size(alexnet, 32, convention="textbook") == 243818624
    assert sc.model_size(alexnet, 8, convention="textbook") == 60954656
    assert sc.memory(alexnet, "int8", rule="textbook").activations == 440928
    assert sc.memory(alexnet, rule="textbook").activations == 4 * 440928


def test_weights_may_have_widths_of_their_own() -> None:
    alexnet = sc.models.alexnet()
    found = sc.memory(alexnet, "float16", weights={"": 8, "fc6": 4})
    assert found.weights == alexnet.params - (37748736 + 4096) // 2
    assert sc.memory(alexnet, "float16", weights="int8").weights == alexnet.params
    assert found.total == found.weights + found.activations
    with pytest.raises(sc.SymcostError, match="unknown rule of activations 'live': use liveness, textbook"):
        sc.memory(alexnet, rule="live")


# M. Horowitz, ISSCC 2014, figure 1.1.9, picojoules at 45 nm.
HOROWITZ = {"add": {"int8": "0.03", "int32": "0.1", "float16": "0.4", "float32": "0.9"},
            "multiply": {"int8": "0.2", "int32": "3.1", "float16": "1.1", "float32": "3.7"},
            "word": {"register": "1", "sram": "5", "dram": "640"}}  # fmt: skip


def test_the_energy_table_is_the_published_one() -> None:
    table = sc.device("horowitz-45nm").energies
    assert table is not None
    for group, values in HOROWITZ.items():
        expected = {name: Fraction(value) / 10**12 for name, value in values.items()}
        assert getattr(table, group) == expected


def test_energy_of_a_linear_layer_by_hand() -> None:
    found = sc.energy(sc.table(sc.Linear(8, bias=False), (1, 4)))
    assert found.compute == sympy.Rational(32 * 46, 10 * 10**12)  # 32 multiplies and adds, 3.7 + 0.9 pJ
    assert found.movement == sympy.Rational((32 + 4 + 8) * 640, 10**12)
    assert found.joules == found.compute + found.movement
    near = sc.energy(sc.table(sc.Linear(8, bias=False), (1, 4)), levels={"activations": "sram"})
    assert near.movement == sympy.Rational(32 * 640 + 12 * 5, 10**12)
    narrow = sc.energy(sc.table(sc.Linear(8, bias=False), (1, 4)), dtype="int8")
    assert narrow.compute == sympy.Rational(32 * 23, 100 * 10**12)
    assert narrow.movement == sympy.Rational(44 * 160, 10**12)


def test_data_movement_dominates_as_the_lectures_say() -> None:
    found = sc.energy(sc.models.mobilenet_v2())
    assert found.movement > 10 * found.compute


def test_energy_by_power_is_power_times_time() -> None:
    table = sc.models.resnet18()
    found = sc.energy(table, "jetson-agx-orin", "int8")
    assert found.joules == 60 * sc.latency(table, "jetson-agx-orin", "int8").seconds
    with pytest.raises(sc.SymcostError, match="does not tell computing from moving: use a device with an energy table"):
        _ = found.compute


BAD_ENERGY = [
    (dict(dtype="bfloat16"), "device horowitz-45nm has no published energy to add in bfloat16: there are int8, int32"),
    (dict(levels={"activations": "l2"}), "has no memory level 'l2': there are register, sram, dram"),
    (dict(levels={"biases": "dram"}), "levels names 'biases': use weights and activations"),
    (dict(on="google-tpu-v5e", dtype="bfloat16"), "device google-tpu-v5e: no power is published"),
]


@pytest.mark.parametrize(("options", "message"), BAD_ENERGY, ids=[message for _, message in BAD_ENERGY])
def test_energies_that_are_not_known(options: dict[str, object], message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        sc.energy(sc.models.alexnet(), **options)  # type: ignore[arg-type]


CACHES = [
    # Kwon et al., PagedAttention, arXiv:2309.06180, section 3: 800 KB a token of OPT-13B, 2 x 5120 x 40 x 2 bytes.
    ("gpt2", dict(d=5120, H=40, L=40, V=50272, N_max=2050), 819200),
    # Touvron et al., arXiv:2302.13971, table 2: 32 layers of width 4096, float16.
    ("llama", dict(H_kv=32, d_f=11008, V=32000), 2 * 32 * 4096 * 2),
    # Grattafiori et al., arXiv:2407.21783, table 3: Llama 3 8B, 32 layers, 8 heads of keys and values of 128.
    ("llama", {}, 2 * 32 * 8 * 128 * 2),
    # Brown et al., arXiv:2005.14165, table 2.1: GPT-3 175B, 96 layers of width 12288.
    ("gpt2", dict(d=12288, H=96, L=96, N_max=2048), 2 * 96 * 12288 * 2),
]


@pytest.mark.parametrize(("name", "sizes", "bytes_"), CACHES)
def test_bytes_of_the_cache_for_one_token(name: str, sizes: dict[str, int], bytes_: int) -> None:
    found = kv_cache(decoding(reference(name).net(**sizes)), "float16")
    assert found == bytes_ * sympy.Mul(*sc.symbols("M n"))
    assert kv_cache(decoding(reference(name).net(**sizes), M=2048, n=3), "float16") == bytes_ * 2048 * 3


def test_the_cache_of_a_traced_step_is_what_its_caller_says() -> None:
    def step(x: Any, cache: Any) -> Any:
        return x @ cache["k"].swapaxes(1, 2), cache["v"]

    cache = {"k": "bfloat16[n,M,d]", "v": "int8[n,M,d]"}
    costs = sc.trace_function(step, "bfloat16[n,1,d]", cache)
    n, M, d = sc.symbols("n M d")
    assert kv_cache(costs, caches="inputs/1/*") == 3 * n * M * d
    assert kv_cache(costs.subs(n=2, M=8, d=4), "float32", caches=["inputs/1/k"]) == 256
    with pytest.raises(sc.SymcostError, match="caches='inputs/2' fits no array of the program"):
        kv_cache(costs, caches="inputs/2")
    with pytest.raises(sc.SymcostError, match="of a traced step say which of its arrays they are"):
        kv_cache(costs)


PARAMETERS = [
    # github.com/openai/gpt-2 and the published checkpoints: 124M and 1558M parameters.
    ("gpt2", {}, 124439808),
    ("gpt2", dict(d=1600, H=25, L=48), 1557611200),
    ("llama", dict(H_kv=32, d_f=11008, V=32000), 6738415616),  # the published LLaMA 7B checkpoint
    ("llama", {}, 8030261248),  # the published Llama 3 8B checkpoint
]


@pytest.mark.parametrize(("name", "sizes", "params"), PARAMETERS)
def test_parameters_of_language_models(name: str, sizes: dict[str, int], params: int) -> None:
    assert reference(name)(**sizes).params == params


def test_gpt3_trains_with_the_published_operations_per_token() -> None:
    """Brown et al., arXiv:2005.14165, appendix D: 174,600M parameters, 6 FLOPs for each and token, 3.14e23 in all."""
    gpt3 = reference("gpt2")(d=12288, H=96, L=96, N_max=2048)
    assert round(gpt3.params / 10**8) == 1746
    assert round(6 * gpt3.params * 300 * 10**9 / 10**21) == 314


def test_forward_operations_per_token_are_twice_the_weights_and_attention() -> None:
    """Chowdhery et al., PaLM, arXiv:2204.02311, appendix B: 6 N + 12 L H Q T to train a token, a third of it forward."""
    d, L, N = sc.symbols("d L N")
    table = reference("gpt2")(d=d, L=L, N=N, H=1, n=1)
    blocks = 12 * L * d**2
    head = 50257 * d
    assert sc.equal(table.total("textbook").flops, N * (2 * (blocks + head) + 4 * L * N * d))


def test_decoding_needs_the_macs_of_one_token() -> None:
    step = decoding(reference("gpt2").net())
    prefill = reference("gpt2")(N=1, n="n")
    assert step.subs(M=1, n=2).total("textbook").macs == prefill.subs(n=2).total("textbook").macs
    # Per token, decoding moves every weight: it waits for memory where prefill computes.
    chip = "nvidia-a100-sxm-80gb"
    assert sc.latency(step.subs(M=512, n=1), chip, "bfloat16", model="whole").bound == "memory"
    assert sc.latency(reference("gpt2")(N=1024, n=8), chip, "bfloat16", model="whole").bound == "compute"


def test_the_first_token_of_a_sequence_keeps_its_keys_and_values_too() -> None:
    """Nothing is joined to them: a length of 1 is where the formula in the length says, also beside windows."""
    net = sc.Sequential(whole=sc.Attention(8, 2), window=sc.Attention(8, 2, M=16, causal=True))
    tokens = sc.Sequential(embedding=sc.Embedding(100, 64), layers=net)
    lengths = decoding(tokens, M="M", n=3)
    for M in (1, 2):
        step = decoding(tokens, M=M, n=3)
        assert sc.kv_cache(step) == sc.kv_cache(lengths.subs(M=M)) == 3 * 2 * (M + 16) * 2 * 8 * 2
        assert step.total("full") == lengths.subs(M=M).total("full")
        assert not step.symbols


def test_decoding_takes_a_table_of_layers_and_refuses_a_traced_one() -> None:
    assert decoding(reference("gpt2")(), M=9).macs == decoding(reference("gpt2").net(), M=9).macs
    with pytest.raises(
        sc.SymcostError, match=r"trace one step with its keys and values as inputs.*this is a CostTable"
    ):
        decoding(sc.trace_function(lambda x: x, "float32[n,8]"))  # type: ignore[arg-type]


def test_a_traced_step_with_its_cache_as_inputs_is_the_layers_step() -> None:
    """One query against ``M`` keys and values of width ``d``: 2 M d MACs, and the cache is what enters."""
    step = sc.trace_function(
        lambda q, k, v: jax.nn.softmax(q @ k.swapaxes(1, 2)) @ v, "float32[n,1,d]", "float32[n,M,d]", "float32[n,M,d]"
    )
    M, d, n = sc.symbols("M d n")
    assert sc.equal(step.macs, 2 * M * d * n)
    layers = [row for row in decoding(reference("gpt2").net(d="d", H=1, L=1)).rows if row.op in ("scores", "context")]
    assert sc.equal(sum(row.cost.macs for row in layers), step.macs)


def test_no_cache_without_attention() -> None:
    with pytest.raises(sc.SymcostError, match="has no attention that could keep keys and values"):
        decoding(sc.Linear(4))
    with pytest.raises(
        sc.SymcostError, match="keeps no keys and values by itself: of layers make one of a decoding step"
    ):
        kv_cache(sc.models.alexnet())


class Net(nn.Module):
    """Two layers and a norm, rematerialised or not."""

    d: int
    remat: bool = False
    policy: object = None

    @nn.compact
    def __call__(self, x):
        block = nn.remat(Block, policy=self.policy) if self.remat else Block
        return block(self.d)(x)


class Block(nn.Module):
    """What may be computed again."""

    d: int

    @nn.compact
    def __call__(self, x):
        x = nn.tanh(nn.Dense(self.d)(x))
        return nn.Dense(x.shape[-1])(nn.tanh(x))


class Deep(nn.Module):
    """Blocks of which a symbol gives the number."""

    L: int
    d: int

    @nn.compact
    def __call__(self, x):
        for _ in range(self.L):
            x = x + nn.Dense(self.d)(x)
        return x


def _is_kernel(path: tuple[jax.tree_util.DictKey, ...], _: object) -> bool:
    return path[-1].key == "kernel"


OPTIMIZERS = {
    "sgd": optax.sgd(0.1), "momentum": optax.sgd(0.1, momentum=0.9), "adam": optax.adam(1e-3),
    "adamw": optax.adamw(1e-3), "lion": optax.lion(1e-3), "adafactor": optax.adafactor(1e-3),
    "clipped": optax.chain(optax.clip_by_global_norm(1.0), optax.rmsprop(1e-3)),
    "masked": optax.masked(optax.trace(0.9), lambda tree: jax.tree_util.tree_map_with_path(_is_kernel, tree)),
    "labelled by path": optax.multi_transform(
        {True: optax.adam(1e-3), False: optax.sgd(0.1, momentum=0.9)},
        lambda tree: jax.tree_util.tree_map_with_path(_is_kernel, tree)),
    "labelled": optax.multi_transform({"adam": optax.adam(1e-3), "none": optax.set_to_zero()}, {"Block_0": {
        "Dense_0": {"kernel": "adam", "bias": "none"}, "Dense_1": {"kernel": "none", "bias": "adam"}}}),
    "accumulated": optax.MultiSteps(optax.adamw(1e-3), every_k_schedule=4),
}  # fmt: skip


def _allocated(optimizer: optax.GradientTransformation, d: int, dtype: str = "float32") -> int:
    """Bytes of the state that optax makes for the module's own parameters."""
    with jax.enable_x64(dtype == "float64"):
        params = jax.eval_shape(Net(d).init, jax.random.key(0), jax.numpy.ones((1, 200)))["params"]
        params = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, dtype), params)
        return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(jax.eval_shape(optimizer.init, params)))


@pytest.fixture(scope="module")
def trained() -> sc.CostTable:
    return sc.trace(lambda d: Net(d), "float32[n,200]", mode="train")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_state_is_what_the_optimizer_allocates(name: str, trained: sc.CostTable) -> None:
    """The closed form against what is allocated, above 128 and, where there is one form for all sizes, below."""
    least = 128 if name == "adafactor" else 1
    formula = optimizer_state(trained, OPTIMIZERS[name], least=least)
    for d in (2, 64, 127, 128, 256, 300):
        if d >= least:
            assert sc.evaluate(formula, {"d": d}) == _allocated(OPTIMIZERS[name], d)


@pytest.mark.parametrize("d", [64, 127, 128])
def test_an_optimizer_that_treats_small_sizes_otherwise_needs_the_sizes(d: int, trained: sc.CostTable) -> None:
    with pytest.raises(sc.SymcostError, match="has not one form for all sizes from 1 on: give every size a number"):
        optimizer_state(trained, OPTIMIZERS["adafactor"])
    assert optimizer_state(trained.subs(d=d), OPTIMIZERS["adafactor"]) == _allocated(OPTIMIZERS["adafactor"], d)


@pytest.mark.parametrize(("dtype", "stored"), [("bfloat16", "bfloat16"), ("tensorfloat32", "float32"),
                                               ("float8", "float8_e4m3fn"), ("float64", "float64")])  # fmt: skip
def test_the_state_follows_the_number_type(dtype: str, stored: str, trained: sc.CostTable) -> None:
    found = sc.training_memory(trained, OPTIMIZERS["adam"], dtype=dtype).optimizer
    assert sc.evaluate(found, {"d": 64}) == _allocated(OPTIMIZERS["adam"], 64, stored)


def test_a_module_that_a_symbol_repeats_keeps_its_state_each_time() -> None:
    costs = sc.trace(lambda L, d: Deep(L, d), "float32[n,d]", mode="train")
    assert sc.equal(optimizer_state(costs, OPTIMIZERS["momentum"]), sc.parse("4*L*(d**2 + d)"))
    with pytest.raises(sc.SymcostError, match=r"arrays that belong to no one parameter, and a module .* is repeated"):
        optimizer_state(costs.subs(L=2, d=8, n=1), optax.flatten(OPTIMIZERS["momentum"]))


BAD_STATES = [
    (dict(optimizer="adam"), "optimizer='adam' has no init: give an optax transformation"),
    (dict(optimizer=optax.adam(1e-3), dtype="float33"), "unknown number type 'float33'"),
    (dict(optimizer=optax.adam(1e-3), dtype="int4"), "parameters in int4 are no arrays of JAX"),
    (dict(optimizer=optax.adam(1e-3), least=0), "least=0 must be a positive integer"),
    (
        dict(optimizer=optax.multi_transform({"a": optax.sgd(0.1)}, {"x": "a"})),
        "init fails on the model's parameters: ",
    ),
]


@pytest.mark.parametrize(("options", "message"), BAD_STATES, ids=[message for _, message in BAD_STATES])
def test_a_state_that_cannot_be_asked_for_is_one_line(
    options: dict[str, object], message: str, trained: sc.CostTable
) -> None:
    with pytest.raises(sc.SymcostError, match=message) as problem:
        sc.training_memory(trained, **options)  # type: ignore[arg-type]
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("remat", "policy", "expected"),
    [
        (
            False,
            None,
            "16*d*n",
        ),  # of both tanh the result and what it lacks of 1, in float32; the input is the caller's
        (True, None, "0"),
        (True, jax.checkpoint_policies.dots_saveable, "4*d*n"),  # the first product; the second is needed by nothing
    ],
)
def test_a_remat_policy_says_what_is_kept(remat: bool, policy: object, expected: str) -> None:
    costs = sc.trace(lambda d: Net(d, remat, policy), "float32[n,200]", mode="train")
    assert sc.equal(sc.training_memory(costs).residuals, sc.parse(expected))


def test_training_memory_adds_up_and_remat_keeps_less(trained: sc.CostTable) -> None:
    found = sc.training_memory(trained, OPTIMIZERS["adam"])
    assert found.params == found.gradients == sympy.expand(4 * trained.params)
    assert sc.equal(found.total, found.params + found.gradients + found.optimizer + found.residuals)
    assert sc.training_memory(trained, gradients="bfloat16").gradients * 2 == found.params
    less = sc.trace(lambda d: Net(d, remat=True), "float32[n,200]", mode="train")
    kept, all_ = (sc.training_memory(t).residuals for t in (less, trained))
    assert sc.evaluate(kept, {"n": 8, "d": 512}) < sc.evaluate(all_, {"n": 8, "d": 512})


def test_training_memory_says_what_it_needs() -> None:
    with pytest.raises(sc.SymcostError, match='trace with mode="train"'):
        sc.training_memory(sc.models.alexnet())
    with pytest.raises(sc.SymcostError, match="declares no parameters with shapes: trace the model"):
        optimizer_state(sc.models.alexnet(), optax.adam(1e-3))
