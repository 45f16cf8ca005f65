"""Building Flax modules: names, numbers, the registry, and a forward pass that runs."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

import symcost as sc
from symcost.layers.twins.base import twin


def test_a_built_network_is_a_linen_module_that_runs() -> None:
    net = sc.Sequential(conv=sc.Conv2d(c_o="c", k=3, p=1), relu=sc.ReLU(), body=sc.Repeat(sc.Residual(sc.BatchNorm()), "L"),
                        gap=sc.GlobalAvgPool(), head=sc.Linear(10))  # fmt: skip
    module = sc.build(net, c=4, L=2)
    assert isinstance(module, nn.Module)
    variables = module.init(jax.random.key(0), jnp.zeros((2, 8, 8, 3)))
    assert set(variables["params"]) == {"conv", "body", "head"}
    assert set(variables["params"]["body"]) == {"block_0", "block_1"}
    assert module.apply(variables, jnp.ones((2, 8, 8, 3))).shape == (2, 10)


def test_repetitions_have_parameters_of_their_own() -> None:
    module = sc.build(sc.Repeat(sc.Linear(3), 2))
    params = module.init(jax.random.key(0), jnp.zeros((1, 3)))["params"]
    first, second = (params[f"block_{index}"]["Dense_0"]["kernel"] for index in range(2))
    assert not (first == second).all()


def test_attention_with_a_cache_sees_its_keys() -> None:
    module = sc.build(sc.Attention(H=2, M=5))
    variables = module.init(jax.random.key(0), jnp.zeros((1, 1, 8)))
    assert variables["cache"]["keys"]["stored"].shape == (1, 4, 2, 4)


def test_a_mask_hides_what_comes_later() -> None:
    module = sc.build(sc.Attention(H=2, causal=True, rotary=True))
    x = jax.random.normal(jax.random.key(1), (1, 6, 8))
    variables = module.init(jax.random.key(0), x)
    whole, start = module.apply(variables, x), module.apply(variables, x.at[:, 3:].set(0.0))
    assert jnp.allclose(whole[:, :3], start[:, :3])
    assert not jnp.allclose(whole[:, 3:], start[:, 3:])


@pytest.mark.campaign
def test_routing_takes_the_best_experts() -> None:
    """With as many experts as there are, routed and dense mixtures are the same sum."""
    dense, routed = sc.build(sc.MoE(E=3, d_f=4)), sc.build(sc.MoE(E=3, d_f=4, k=3))
    x = jax.random.normal(jax.random.key(1), (2, 5, 6))
    variables = jax.jit(dense.init)(jax.random.key(0), x)
    assert jnp.allclose(jax.jit(dense.apply)(variables, x), jax.jit(routed.apply)(variables, x), atol=1e-5)


def test_adaptive_pooling_takes_unequal_windows() -> None:
    x = jnp.arange(5.0).reshape(1, 5, 1, 1)
    out = sc.build(sc.AdaptiveAvgPool2d((2, 1))).apply({}, x)
    assert out.ravel().tolist() == [1.0, 3.0]  # of 0, 1, 2 and of 2, 3, 4


def test_a_second_twin_of_a_layer_is_an_error() -> None:
    sc.build(sc.Linear(1))
    with pytest.raises(sc.ShapeError, match="Linear already has a twin: remove one of the two"):
        twin(sc.Linear)(lambda layer, x: x)
