"""Kernels that JAX itself ships count the products that they compute."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import pytest
from jax.experimental.pallas.ops.tpu import flash_attention, paged_attention, ragged_paged_attention
from jax.experimental.pallas.ops.tpu.matmul import matmul
from jax.experimental.pallas.ops.tpu.megablox import gmm
from jax.experimental.pallas.ops.tpu.megablox.gmm import tgmm
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel, splash_attention_mask

import symcost as sc
from symcost.formulas.symbols import parse

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # jax 0.12 has them for the last time
    from jax.experimental.pallas.ops.gpu import (
        attention,
        decode_attention,
        layer_norm,
        ragged_dot_mgpu,
        rms_norm,
        softmax,
    )

Spec = tuple[str, ...]


# -- jax's own kernels ------------------------------------------------------------------------------------------
def flash(causal: bool = False) -> Callable[..., Any]:
    """Attention on a TPU."""
    return lambda q, k, v: flash_attention.flash_attention(q, k, v, causal=causal)


def splash(q: Any, k: Any, v: Any) -> Any:
    """Attention with masks known while tracing; here with none."""
    mask = splash_attention_mask.MultiHeadMask([splash_attention_mask.FullMask((512, 512)) for _ in range(4)])
    return splash_attention_kernel.make_splash_mha(mask, head_shards=1, q_seq_shards=1)(q, k, v)


def mha(causal: bool = False) -> Callable[..., Any]:
    """Attention on a GPU."""
    return lambda q, k, v: attention.mha(q, k, v, None, causal=causal)


def paged(q: Any, k: Any, v: Any, lengths: Any, pages: Any) -> Any:
    """Decoding on a TPU with keys and values in pages."""
    return paged_attention.paged_attention(q, k, v, lengths, pages, pages_per_compute_block=4)


def ragged(q: Any, pages: Any, lengths: Any, indices: Any, starts: Any, number: Any) -> Any:
    """The same for requests of several lengths."""
    return ragged_paged_attention.ragged_paged_attention(
        q, pages, lengths, indices, starts, number, num_kv_pages_per_block=4, num_queries_per_block=16
    )


def of_all(function: Callable[..., Any], arguments: int) -> Callable[..., Any]:
    """Gradients in all arguments."""
    return jax.grad(lambda *a: function(*a).sum(), tuple(range(arguments)))


F32, BF16, INT = "float32", "bfloat16", "int32"
HEADS: Spec = ("float32[1,4,512,128]",) * 3  # 4 heads of 512 places
ONE = 4 * 512 * 512 * 128  # the scores of all of them; weighting the values takes as many
GPU: Spec = ("float32[2,512,4,64]",) * 3
GPU_ONE = 2 * 4 * 512 * 512 * 64
OWN: dict[str, tuple[Callable[..., Any], Spec, str]] = {
    "flash attention": (flash(), HEADS, f"2*{ONE}"),
    # every block of the square is counted, as its estimate does: a bound
    "causal flash attention": (flash(causal=True), HEADS, f"2*{ONE}"),
    # forward, scores once more for the keys' and values' gradients with their two products and one to come back
    "gradients of flash attention": (of_all(flash(), 3), HEADS, f"(2 + 4 + 3)*{ONE}"),
    "splash attention": (splash, ("float32[4,512,128]",) * 3, f"2*{ONE}"),
    "product in blocks": (
        lambda x, y: matmul(x, y, block_shape=(128, 128), block_k=128), ("float32[512,256]", "float32[256,384]"),
        "512*256*384"),
    "GPU attention": (mha(), GPU, f"2*{GPU_ONE}"),
    # 4 x 2 x 4 blocks of 128 queries, each as often as there are blocks of 128 keys before it
    "causal GPU attention": (mha(causal=True), GPU, "trips_loop*4*2*4*2*128*128*64"),
    # forward; backward in blocks of 32, scores and a product back for each of the two loops, one more for each gradient
    "gradients of GPU attention": (of_all(mha(), 3), GPU, f"(2 + 4 + 3)*{GPU_ONE}"),
    "layer norm": (layer_norm.layer_norm, ("float32[2,64,512]", "float32[512]", "float32[512]"), "0"),
    "rms norm": (rms_norm.rms_norm, ("float32[2,64,512]", "float32[512]", "float32[512]"), "0"),
    "gradients of layer norm": (
        of_all(layer_norm.layer_norm, 3), ("float32[2,64,512]", "float32[512]", "float32[512]"), "0"),
    "softmax": (softmax.softmax, ("float32[2,64,512]",), "0"),
    # 2 x 1 x 16 splits of the keys, 16 heads in a block, two products of a block of 64 keys and 64 channels a trip
    "decoding with one key head": (
        decode_attention.mqa, ("float32[2,16,64]", "float32[2,1024,64]", "float32[2,1024,64]"),
        "trips_loop*2*16*2*16*64*64"),
    # grouped products: how many tiles are visited depends on the groups; each row of the first meets one group
    "grouped product": (gmm, ("float32[512,256]", "float32[8,256,384]", "int32[8]"), "512*256*384"),
    "small grouped product": (gmm, ("float32[256,128]", "float32[4,128,128]", "int32[4]"), "256*128*128"),
    "transposed grouped product": (tgmm, ("float32[256,512]", "float32[512,384]", "int32[8]"), "512*256*384"),
    # on each of 132 processors a loop over tiles of 128 x 128, in it 512/64 products of tensor cores
    "grouped product on tensor cores": (
        lambda x, y, sizes: ragged_dot_mgpu.ragged_dot(
            x, y, group_sizes=sizes, block_m=128, block_n=128, block_k=64, max_concurrent_steps=2, grid_block_n=1),
        ("float16[512,512]", "float16[4,512,512]", "int32[4]"), "trips_loop*132*8*128*128*64"),
    # a block of 4 pages of 16 keys, 4 heads of 16/4 queries and 128 channels, two products
    "paged attention": (
        paged, ("float32[8,16,128]", "float32[4,64,16,128]", "float32[4,64,16,128]", "int32[8]", "int32[8,8]"),
        "trips_loop*8*4*2*4*64*128"),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_jax_s_own_kernels_count_their_products(name: str) -> None:
    function, specs, macs = OWN[name]
    costs = sc.trace_function(function, *specs)
    assert sc.equal(costs.macs, parse(macs))
    assert sc.equal(costs.total("textbook").flops, 2 * parse(macs))


def test_paged_attention_of_several_lengths_names_the_loops_whose_length_it_does_not_say() -> None:
    specs = ("float32[128,8,128]", "float32[64,16,8,128]", "int32[8]", "int32[8,8]", "int32[9]", "int32[1]")
    costs = sc.trace_function(ragged, *specs)
    assert {str(s) for s in costs.macs.free_symbols} == {"trips_loop", "trips_loop_2"}
    # at 8 places, for 4 key heads two products: 16 queries of 2 heads, 4 pages of 16 keys, 128 channels
    assert sc.equal(costs.macs, parse("trips_loop*trips_loop_2*8*4*2*32*64*128"))


def test_flash_attention_in_closed_form_has_the_two_products_of_attention() -> None:
    costs = sc.trace_function(flash(), *["float32[b,h,s,128]"] * 3, steps={"s": 128})
    assert sc.equal(costs.macs, parse("2*b*h*s**2*128"))
    assert sc.equal(costs.total("xla").flops, parse("514*b*h*s**2"))  # what jax's estimate says


def test_the_gradients_of_a_kernel_stand_in_the_backward_phase() -> None:
    costs = sc.trace_function(of_all(flash(), 3), *HEADS)
    by_phase = {group.name: group.total().macs for group in costs.by_phase()}
    assert by_phase == {"forward": 2 * ONE, "backward": 7 * ONE}
