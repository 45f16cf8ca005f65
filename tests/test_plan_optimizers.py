"""What an optimizer keeps on one device of a plan: every size of its state as the size of the parameter that it is."""

from __future__ import annotations

from typing import Any

import jax
import optax
import pytest
from jax.sharding import AbstractMesh, NamedSharding
from jax.sharding import PartitionSpec as P
from test_plans import Perceptron

import symcost as sc

SHARD = {"inputs/0": ("data",), "**/up/kernel": ("data", "model"), "**/down/kernel": ("model", "data")}
PLAN = sc.Plan({"data": "X", "model": "Y"}, SHARD)
AT = {"B": 16384, "d": 512, "F": 256, "X": 8, "Y": 4}
OPTIMIZERS = {
    "adam": optax.adam(1e-3), "momentum": optax.sgd(0.1, momentum=0.9), "lion": optax.lion(1e-3), "adagrad": optax.adagrad(0.1),
    "lamb": optax.lamb(0.1), "adafactor": optax.adafactor(1e-3), "clipped": optax.chain(optax.clip(1.0), optax.yogi(0.1)),
}  # fmt: skip


@pytest.fixture(scope="module")
def trained() -> sc.CostTable:
    return sc.trace(lambda d, F: Perceptron(d, F), "float32[B,d]", mode="train", plan=PLAN)


def on_device(optimizer: Any) -> int:
    """Bytes of the shards of what the optimizer makes for whole parameters, each laid along the sizes that it keeps of them."""
    mesh = AbstractMesh((AT["X"], AT["Y"]), ("data", "model"))
    up, down = jax.ShapeDtypeStruct((512, 256), "float32"), jax.ShapeDtypeStruct((256, 512), "float32")
    axes = {512: "data", 256: "model"}
    state = jax.eval_shape(optimizer.init, {"up": {"kernel": up}, "down": {"kernel": down}})

    def size(leaf: Any) -> int:
        lies = NamedSharding(mesh, P(*(axes.get(length) for length in leaf.shape)))
        shape = lies.shard_shape(leaf.shape)
        return leaf.dtype.itemsize * int(jax.numpy.prod(jax.numpy.array(shape)) if shape else 1)

    return sum(map(size, jax.tree.leaves(state)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_is_cut_as_its_parameters(name: str, trained: sc.CostTable) -> None:
    """Adafactor keeps rows and columns from 128 on, of the whole parameter: a device has 64 of each here."""
    formula = sc.training_memory(trained, OPTIMIZERS[name], least=128).optimizer
    there = sc.training_memory(trained.subs(**AT), OPTIMIZERS[name]).optimizer
    assert sc.evaluate(formula, AT) == there == on_device(OPTIMIZERS[name])


@pytest.mark.campaign
def test_rows_and_columns_of_equal_sizes_are_told_apart_by_their_place() -> None:
    square = sc.trace(lambda d: Perceptron(d, d), "float32[B,d]", mode="train", plan=PLAN)
    X, Y, d = sc.symbols("X Y d")
    there = {name: size for name, size in AT.items() if name != "F"}
    kept = sc.training_memory(square, OPTIMIZERS["adafactor"], least=128).optimizer
    assert sc.equal(kept, 8 * d / X + 8 * d / Y + 12)
    with pytest.raises(
        sc.SymcostError, match=r"keeps 512 numbers for a parameter of shape \(512, 512\), two of whose sizes"
    ):
        sc.training_memory(square.subs(**there), OPTIMIZERS["adafactor"])
    even = square.subs(**there | {"X": 4})
    assert sc.training_memory(even, OPTIMIZERS["adafactor"]).optimizer == 4 * 4 * 512 // 4 + 12
