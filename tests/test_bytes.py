"""Bytes by the model's own number types: storage, memory, time and energy as traced, and what overrides it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
from flax import nnx

import symcost as sc
from symcost.costs.dtypes import BITS, arithmetic, bits_of, item_bytes, wider
from symcost.estimate.bytes.optimizer import optimizer_state
from symcost.estimate.questions.estimate import estimate
from symcost.estimate.time.work import kernels
from symcost.gates.audit.claims import Claim
from symcost.gates.audit.judge import audit
from symcost.gates.budgets.check import against
from symcost.gates.budgets.read import read
from symcost.report.formats import csv
from symcost.report.formats.json import document
from symcost.report.subjects import estimates

C_I, C_O = 64, 32


class Stored(nn.Module):
    """A kernel in the type that it is stored in beside scales of another."""

    dtype: Any
    scale: Any = jnp.float32
    c_o: int = C_O

    @nn.compact
    def __call__(self, x: Any) -> Any:
        kernel = self.param("kernel", lambda key: jnp.zeros((C_I, self.c_o), self.dtype))
        scale = self.param("scale", lambda key: jnp.ones((self.c_o,), self.scale))
        return (x @ kernel.astype(x.dtype)) * scale.astype(x.dtype)


class Int8(nn.Module):
    """Integers multiplied as integers, their sums scaled."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        kernel = self.param("kernel", lambda key: jnp.zeros((C_I, C_O), jnp.int8))
        scale = self.param("scale", lambda key: jnp.ones((C_O,), jnp.float32))
        dimensions = (((1,), (0,)), ((), ()))
        return jax.lax.dot_general(x, kernel, dimensions, preferred_element_type=jnp.int32) * scale


class Mixed(nn.Module):
    """Layers in bfloat16 around a norm in float32."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        half: dict[str, Any] = {"dtype": jnp.bfloat16, "param_dtype": jnp.bfloat16}
        x = nn.Dense(64, name="a", **half)(x)
        return nn.Dense(8, name="b", **half)(nn.LayerNorm(dtype=jnp.float32, name="norm")(x))


class Nnx(nnx.Module):
    """An nnx layer with parameters of a type."""

    def __init__(self, dtype: Any, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(C_I, C_O, param_dtype=dtype, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.linear(x)


# Bits of the formats: OCP Microscaling Formats 1.0, section 5.3, for the small floats.
STORED = [
    (jnp.int2, 2), (jnp.uint2, 2), (jnp.int4, 4), (jnp.uint4, 4), (jnp.float4_e2m1fn, 4), (jnp.int8, 8), (jnp.uint8, 8),
    (jnp.float8_e4m3fn, 8), (jnp.float8_e5m2, 8), (jnp.bfloat16, 16), (jnp.float16, 16), (jnp.float32, 32), (bool, 8),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "bits"), STORED, ids=lambda value: getattr(value, "__name__", value))
def test_every_leaf_is_stored_in_its_own_type(dtype: Any, bits: int) -> None:
    costs = sc.trace(Stored(dtype), f"float32[n,{C_I}]")
    assert sc.model_size(costs) == C_I * C_O * bits // 8 + 4 * C_O
    assert sc.memory(costs).weights == sc.model_size(costs)


@pytest.mark.parametrize("name", [n for n in dir(ml_dtypes) if n.startswith(("int", "uint", "float", "bfloat"))])
def test_every_small_type_of_jax_has_a_width(name: str) -> None:
    try:
        info = ml_dtypes.finfo(name)
    except ValueError:
        info = ml_dtypes.iinfo(getattr(ml_dtypes, name))
    assert bits_of(name) == info.bits
    assert item_bytes(name) == 1 or info.bits >= 16


@pytest.mark.parametrize("name", ["float64", "float32", "int64", "uint32", "int16", "bool", "complex64", "complex128"])
def test_types_of_numpy_have_its_width(name: str) -> None:
    assert bits_of(name) == 8 * np.dtype(name).itemsize == 8 * item_bytes(name)


def test_a_compiler_counts_a_byte_for_what_storage_packs() -> None:
    """``xla``'s bytes accessed take one byte for an int4; storage takes half."""
    costs = sc.trace(Stored(jnp.int4), f"float32[n,{C_I}]").subs(n=1)
    convert = next(row for row in costs.rows if row.op == "convert_element_type")
    assert convert.cost.bytes_read == C_I * C_O
    assert sc.model_size(costs) == C_I * C_O // 2 + 4 * C_O


def test_an_odd_number_of_nibbles_is_half_a_byte_more() -> None:
    costs = sc.trace(lambda d: Stored(jnp.int4, jnp.int4, d), f"float32[n,{C_I}]")
    assert sc.equal(sc.model_size(costs), sc.parse(f"({C_I} + 1)*d/2"))
    assert sc.model_size(costs.subs(d=3, n=1)) == Fraction(3 * (C_I + 1), 2)
    assert sc.model_size(costs) == sc.model_size(costs, bits=4)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float32, jnp.float16])
def test_nnx_parameters_have_their_own_type(dtype: Any) -> None:
    costs = sc.trace(lambda: Nnx(dtype, nnx.Rngs(0)), f"float32[n,{C_I}]")
    assert sc.model_size(costs) == jnp.dtype(dtype).itemsize * (C_I * C_O + C_O)


def test_alike_layers_of_unlike_types_are_not_merged() -> None:
    """The first and last of L blocks in float32, those between them in bfloat16."""

    class Deep(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: Any) -> Any:
            for i in range(self.L):
                kind = jnp.float32 if i in (0, self.L - 1) else jnp.bfloat16
                x = nn.Dense(8, param_dtype=kind, name=f"block_{i}")(x)
            return x

    costs = sc.trace(lambda L: Deep(L), "float32[n,8]", at_least={"L": 2})
    assert sc.equal(sc.model_size(costs), sc.parse("72*(2*4 + (L - 2)*2)"))
    for L in (2, 3, 9):
        assert sc.model_size(costs.subs(L=L)) == 72 * (8 + 2 * (L - 2))


def test_a_family_that_grows_is_summed_by_type() -> None:
    """Kernels of i rows in bfloat16 with biases in float32: sums of unlike blocks, each in its own type."""

    class Grows(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: Any) -> Any:
            for i in range(self.L):
                kernel = self.param(f"kernel_{i}", lambda key, c: jnp.zeros((c, 4), jnp.bfloat16), x.shape[-1])
                bias = self.param(f"bias_{i}", lambda key: jnp.zeros((4,), jnp.float32))
                x = jnp.concatenate([x, x @ kernel.astype(x.dtype) + bias], -1)
            return x

    costs = sc.trace(lambda L: Grows(L), "float32[n,8]")
    for L in (1, 4, 11):
        assert sc.model_size(costs.subs(L=L)) == sum(2 * 4 * (8 + 4 * i) + 4 * 4 for i in range(L))


def test_memory_is_as_traced_and_says_so() -> None:
    costs = sc.trace(Mixed(), "bfloat16[n,32]")
    found = sc.memory(costs)
    assert found.weights == 2 * (33 * 64 + 65 * 8) + 4 * 128
    assert found.activations == costs.peak("liveness", "bytes")
    assert found.types == "bfloat16 and float32 params, bfloat16 and float32 activations: as traced"
    given = sc.memory(costs, "int8")
    assert (given.weights, given.activations, given.types) == (costs.params, costs.peak(), "int8: as given")
    both = sc.memory(costs, weights="int4")
    assert both.weights == Fraction(costs.params, 2)
    assert both.activations == found.activations
    assert both.types == "int4 params: as given; bfloat16 and float32 activations: as traced"


def test_layers_have_no_types_and_are_taken_as_float32() -> None:
    costs = sc.models.alexnet()
    found = sc.memory(costs)
    assert (found.weights, found.activations) == (4 * costs.params, 4 * costs.peak())
    assert found.types == "float32: assumed, the table says no number types"
    assert "int8: assumed" in str(sc.fits(costs, "tiny-ai"))


def test_types_outlive_substitution_and_files(tmp_path: Path) -> None:
    costs = sc.trace(Mixed(), "bfloat16[n,32]")
    costs.save(tmp_path / "mixed.json")
    loaded = sc.load(tmp_path / "mixed.json")
    for one in (loaded, loaded.subs(n=4), costs.subs(n=4)):
        assert [(row.dtype, row.in_dtypes) for row in one.rows] == [(row.dtype, row.in_dtypes) for row in costs.rows]
        assert sc.model_size(one) == sc.model_size(costs)
    assert sc.latency(loaded, "nvidia-a100-sxm-80gb").seconds == sc.latency(costs, "nvidia-a100-sxm-80gb").seconds
    kernel = next(row for row in document(costs)["rows"] if row["op"] == "param kernel")
    assert kernel["dtype"] == "bfloat16"
    assert ',"[32,64]",bfloat16,' in csv.render(costs)


def without_types(found: dict[str, Any]) -> dict[str, Any]:
    """A document as format 1 had it."""
    for row in found["rows"]:
        for key in ("dtype", "in_dtypes", "written"):
            row.pop(key, None)
    return {**found, "format": 1}


def test_an_older_file_loads_and_is_taken_as_float32(tmp_path: Path) -> None:
    import json

    from symcost.costs.saved.format import digest

    costs = sc.trace(Mixed(), "bfloat16[n,32]")
    found = without_types(document(costs))
    (tmp_path / "old.json").write_text(json.dumps({**found, "digest": digest(found)}))
    loaded = sc.load(tmp_path / "old.json")
    assert sc.model_size(loaded) == 4 * costs.params
    assert sc.memory(loaded).types == "float32: assumed, the table says no number types"


A100, TPU = "nvidia-a100-sxm-80gb", "google-tpu-v5e"
PEAKS = [
    (lambda: sc.trace(nn.Dense(64, param_dtype=jnp.bfloat16, dtype=jnp.bfloat16), "bfloat16[128,64]"), A100, "bfloat16"),
    (lambda: sc.trace(nn.Dense(64), "float32[128,64]"), A100, "float32"),
    (lambda: sc.trace(Int8(), f"int8[128,{C_I}]"), A100, "int8"),
    (lambda: sc.trace(Mixed(), "bfloat16[128,32]"), TPU, "bfloat16"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "device", "dtype"), PEAKS, ids=[row[2] + " on " + row[1] for row in PEAKS])
def test_the_models_own_type_picks_the_peak(make: Callable[[], Any], device: str, dtype: str) -> None:
    costs = make()
    found = sc.latency(costs, device)
    assert found.dtype == dtype
    assert found.types.endswith("as traced")
    peak = sc.device(device).operations(dtype)
    products = [step for step in found.steps if step.kernel.macs]
    assert products
    for step in products:
        assert Fraction(int(step.compute.p), int(step.compute.q)) == Fraction(int(step.kernel.operations)) / peak


def test_bytes_that_move_are_those_of_the_operands() -> None:
    """A bfloat16 layer of 64 x 64 on 128 rows: half of what float32 moves, kernel by kernel."""
    half = sc.trace(nn.Dense(64, param_dtype=jnp.bfloat16, dtype=jnp.bfloat16), "bfloat16[128,64]")
    full = sc.trace(nn.Dense(64), "float32[128,64]")
    for model in ("whole", "roofline", "fused"):
        moved = [sum(step.moved for step in sc.latency(c, A100, "float32", model=model).steps) for c in (half, full)]
        own = [sum(step.moved for step in sc.latency(c, A100, model=model).steps) for c in (half, full)]
        assert moved[0] == moved[1] == own[1] == 2 * own[0]


def test_a_table_of_one_type_is_the_same_as_that_type_given() -> None:
    costs = sc.trace(nn.Sequential([nn.Dense(16), nn.gelu, nn.LayerNorm(), nn.Dense(4)]), "float32[n,8]")
    for model in ("whole", "roofline", "fused"):
        assert sc.latency(costs, A100, model=model).seconds == sc.latency(costs, A100, "float32", model=model).seconds
        assert sc.energy(costs, model=model).joules == sc.energy(costs, "horowitz-45nm", "float32", model=model).joules


def test_operations_beside_products_without_a_peak_are_timed_as_the_products(tmp_path: Path) -> None:
    """TPUs publish no float32: the norm's operations take the products' peak, the bytes stay float32."""
    found = sc.latency(sc.trace(Mixed(), "bfloat16[128,32]"), TPU)
    norm = next(step for step in found.steps if step.kernel.name == "norm mul")
    assert norm.kernel.dtype == "float32"
    assert norm.compute == sc.parse("1") * norm.kernel.operations / int(sc.device(TPU).operations("bfloat16"))


def test_float32_without_a_peak_is_timed_at_that_of_bfloat16_as_plans_are() -> None:
    """Bytes stay float32, and a line says so; the type itself, asked for by name, is refused by both."""
    told = "at the peak of bfloat16: none of float32 is published"
    traced = sc.trace(nn.Dense(4), "float32[n,8]")
    found, step = sc.latency(traced, TPU), sc.step_time(traced, TPU)
    assert found.compute == sc.latency(traced, TPU, "bfloat16").compute
    assert found.memory == 2 * sc.latency(traced, TPU, "bfloat16").memory
    assert told in found.assumed
    assert told in step.assumed
    layers = sc.table(sc.Linear(4), (16, 8))
    assert told in sc.latency(layers, TPU).assumed
    assert sc.fits(traced.subs(n=16), TPU)
    for ask in (sc.latency, sc.step_time):
        with pytest.raises(sc.DeviceError, match="device google-tpu-v5e has no published peak for float32: there are"):
            ask(traced, TPU, "float32")


def test_a_product_in_a_type_without_a_peak_is_an_error() -> None:
    wide = sc.trace_function(jnp.matmul, "int16[n,8]", "int16[8,4]")
    for ask in (sc.latency, sc.step_time):
        with pytest.raises(sc.DeviceError, match="device google-tpu-v5e has no published peak for int16: there are"):
            ask(wide, TPU)


def test_energy_is_of_the_models_own_types() -> None:
    """Horowitz, ISSCC 2014: 0.2 + 0.03 pJ for an int8 MAC; 640 pJ for 32 bits of DRAM."""
    found = sc.energy(sc.trace(Int8(), f"int8[1,{C_I}]"))
    assert found.dtype == "int8"
    product = next(step for step in found.steps if step.kernel.macs)
    picojoule = sc.parse("1/1000000000000")
    assert product.compute == C_I * C_O * sc.parse("23/100") * picojoule
    assert product.movement == (8 * C_I * C_O + 8 * C_I + 32 * C_O) * 20 * picojoule
    with pytest.raises(sc.DeviceError, match="no published energy to add in bfloat16"):
        sc.energy(sc.trace(Mixed(), "bfloat16[1,32]"))


def test_an_int8_model_fits_a_microcontroller_by_its_own_bytes() -> None:
    costs = sc.trace(Int8(), f"int8[n,{C_I}]").subs(n=1)
    found = sc.fits(costs, "stm32f746")
    assert found
    assert found.dtype == "int8"
    sram, flash = found.limits
    assert flash.needed == C_I * C_O + 4 * C_O
    assert sram.needed == costs.peak("liveness", "bytes")
    assert str(found).splitlines()[-1] == "int8 and float32 params, int32 activations: as traced"
    half = sc.trace(nn.Dense(4, dtype=jnp.bfloat16), "bfloat16[1,8]")
    with pytest.raises(sc.DeviceError, match="no published peak for bfloat16"):
        sc.fits(half, "stm32f746")


def test_an_estimate_says_its_types() -> None:
    costs = sc.trace(Mixed(), "bfloat16[n,32]").subs(n=8)
    shown = estimates.text(estimate(costs, "mixed", TPU), 120)
    assert "bfloat16 and float32 params, bfloat16 and float32 activations: as traced" in shown
    assert '"types": "bfloat16 and float32 params' in estimates.json(estimate(costs, "mixed", TPU))
    assert "number types" not in estimates.text(estimate(costs, "mixed", TPU, "bfloat16"))


def test_the_type_of_a_kernel_is_the_widest_of_its_operands() -> None:
    costs = sc.trace_function(lambda a, b: a @ b, "bfloat16[8,8]", "float32[8,8]")
    assert [kernel.dtype for kernel in kernels(costs, "roofline") if kernel.macs] == ["float32"]
    assert wider("int32", "float16") == wider("float16", "int32") == "float16"
    assert arithmetic("float8_e5m2fnuz") == "float8"
    assert {arithmetic(name) for name in BITS} <= {*BITS}


def trained(dtype: Any) -> Any:
    return sc.trace(nn.Dense(16, param_dtype=dtype, dtype=jnp.bfloat16), "bfloat16[n,8]", mode="train")


def test_gradients_have_the_parameters_types_and_the_optimizer_keeps_float32() -> None:
    costs = trained(jnp.bfloat16)
    params = 16 * 8 + 16
    found = sc.training_memory(costs, optax.adam(1e-3))
    assert (found.params, found.gradients, found.optimizer) == (2 * params, 2 * params, 8 * params + 4)
    assert found.types == "bfloat16 params, bfloat16 and float32 activations: as traced"  # the loss is in float32
    assert sc.training_memory(costs, optax.adam(1e-3), moments="traced").optimizer == 4 * params + 4
    given = sc.training_memory(costs, optax.adam(1e-3), dtype="float32", gradients="bfloat16")
    assert (given.params, given.gradients, given.optimizer) == (4 * params, 2 * params, 8 * params + 4)
    assert optimizer_state(costs, optax.adam(1e-3), "traced") == 4 * params + 4


def budget(folder: Path, costs: Any, lines: str) -> list[Any]:
    path = folder / "symcost.toml"
    path.write_text(f'[models.x]\nmodel = "x"\n[[models.x.budgets]]\n{lines}\n')
    (model,) = read(path).models
    return against(model.budgets[0], costs, "x")


OWN = C_I * C_O + 4 * C_O
BUDGETS = {
    "as traced": ("", OWN, "int8 and float32 params, int32 activations: as traced"),
    "by option": ('dtype = "float32"', 4 * (C_I * C_O + C_O), ""),
    "by bits": ("bits = 4", (C_I * C_O + C_O) // 2, ""),
}


@pytest.mark.parametrize("row", BUDGETS)
def test_a_budget_is_on_the_models_own_bytes(row: str, tmp_path: Path) -> None:
    options, size, note = BUDGETS[row]
    costs = sc.trace(Int8(), f"int8[n,{C_I}]")
    (found,) = budget(tmp_path, costs, f"model_size = '{size} B'\nat = {{ n = 1 }}\n{options}")
    assert found
    assert (found.value, found.margin, found.note) == (size, 0, note)
    (beyond,) = budget(tmp_path, costs, f"model_size = '{size - 1} B'\nat = {{ n = 1 }}\n{options}")
    assert not beyond


def test_training_bytes_of_a_budget_are_those_of_training_memory(tmp_path: Path) -> None:
    costs = trained(jnp.bfloat16)
    (found,) = budget(tmp_path, costs, 'training_bytes = "1 MB"\noptimizer = "adam"\nat = { n = 4 }')
    assert found.value == sc.training_memory(costs.subs(n=4), optax.adam(1e-3)).total


def test_solve_and_sweeps_take_the_traced_bytes() -> None:
    costs = sc.trace(lambda d: Stored(jnp.int4, jnp.bfloat16, d), f"bfloat16[n,{C_I}]")  # 34 bytes for each of d
    assert int(sc.solve(costs, "weight_bytes <= 340", largest="d", given={"n": 1})) == 10
    assert int(sc.solve(costs, "weight_bytes <= 340", largest="d", given={"n": 1}, dtype="float32")) == 1
    assert int(sc.count(costs, sc.Space({"d": range(1, 100), "n": 1}), "model_size <= 340")) == 10


def test_a_claim_of_a_size_is_judged_in_the_models_own_types() -> None:
    costs = sc.trace(Stored(jnp.int4), f"float32[1,{C_I}]")
    size = C_I * C_O // 2 + 4 * C_O
    (right,) = audit([Claim(1, "net", "model_size_bytes", str(size))], lambda claim: costs)
    assert right.right
