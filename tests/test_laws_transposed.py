"""Transposed convolutions have one rule at every stride, on every road, and under every transformation of jax.

Every input element meets every tap: ``n c_i c_o k_h k_w h_i w_i``. The axes here are those of the convolution that is
transposed: ``out`` elements go in and ``size`` come out.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from itertools import product
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
import sympy
from conv_case import products, specs, with_gradients
from effort import by_turns
from flax import nnx
from jax import lax
from jax.lax import conv_transpose

import symcost as sc
from symcost.hlo import analyse
from symcost.tracing.program.given import make_model
from symcost.tracing.program.roles import roles_marked

LAYERS = {1: sc.ConvTranspose1d, 2: sc.ConvTranspose2d, 3: sc.ConvTranspose3d}
N, C_I, C_O = 2, 3, 4
Axis = tuple[int, int, int, int, int, int]
"""``h_i``, ``k``, ``s``, ``d``, ``p`` and the output padding."""


def every_axis() -> list[Axis]:
    """Every combination of kernel, stride, dilation, padding and output padding that leaves an output."""
    kinds = product((1, 2, 3, 4), (1, 2, 3), (1, 2), (0, 1), (0, 1, 2))
    axes = [(2 + index % 5, *kind) for index, kind in enumerate(kinds) if kind[4] < kind[1]]
    return [axis for axis in axes if length(axis) > 0]


def length(axis: Axis) -> int:
    """``(h_i - 1)s + d(k - 1) + 1 + output padding - 2p``."""
    h, k, s, d, p, more = axis
    return (h - 1) * s + d * (k - 1) + 1 + more - 2 * p


def cropped(axis: Axis) -> int:
    """(input element, tap) pairs that fall beside the output: element ``i`` and tap ``t`` meet at ``i s + t d - p``."""
    h, k, s, d, p, _ = axis
    return sum(not 0 <= i * s + t * d - p < length(axis) for i, t in product(range(h), range(k)))


AXES = every_axis()
CASES = [tuple(AXES[(index + step) % len(AXES)] for step in (0, 29, 71)[: 1 + index % 3]) for index in range(len(AXES))]


@pytest.mark.parametrize("part", [pytest.param(part, marks=by_turns(part, 0, 4)) for part in range(4)])
def test_layers_flax_and_lax_count_every_transposed_convolution_by_one_rule(part: int) -> None:
    for axes in CASES[part::4]:
        rank = len(axes)
        h, k, s, d, p, more = (tuple(each) for each in zip(*axes, strict=True))
        pads = [(d * (k - 1) - p, d * (k - 1) - p + more) for _, k, _, d, p, more in axes]
        layer = LAYERS[rank](c_o=C_O, k=k, s=s, p=p, output_padding=more, d=d, bias=False)
        spec = f"float32[{N},{','.join(map(str, h))},{C_I}]"
        kernel = f"float32[{','.join(map(str, k))},{C_I},{C_O}]"
        options: dict[str, Any] = {
            "kernel_size": k,
            "strides": s,
            "padding": pads,
            "kernel_dilation": d,
            "use_bias": False,
        }
        roads = {
            "table": sc.table(layer, (N, C_I, *h)),
            "twin": sc.trace(sc.build(layer), spec, referee=False),
            "linen": sc.trace(nn.ConvTranspose(C_O, **options), spec, referee=False),
            "nnx": sc.trace(lambda: nnx.ConvTranspose(C_I, C_O, **options, rngs=nnx.Rngs(0)), spec, referee=False),  # noqa: B023
            "lax": sc.trace_function(lambda x, w: lax.conv_transpose(x, w, s, pads, d), spec, kernel),  # noqa: B023
        }
        macs = N * C_I * C_O * math.prod(k) * math.prod(h)
        inside = N * C_I * C_O * math.prod(axis[0] * axis[1] - cropped(axis) for axis in axes)
        for name, costs in roads.items():
            found = costs.total("full")
            assert (found.macs, found.padding_macs) == (macs, macs - inside), f"{name} of {axes}"
            assert costs.total("textbook").macs == macs, f"{name} of {axes}"
            assert costs.total("xla").macs == inside, f"{name} of {axes}"


@pytest.mark.parametrize("padding", ["VALID", "SAME", ((1, 2), (0, 3))], ids=str)
@pytest.mark.parametrize("strides", [(1, 1), (1, 3), (2, 2), (3, 1)], ids=str)
@pytest.mark.parametrize("options", [{}, {"transpose_kernel": True}, {"use_consistent_padding": True},
                                     {"rhs_dilation": (2, 1)}], ids=str)  # fmt: skip
def test_gradients_of_a_transposed_convolution_have_its_products(padding: Any, strides: Any, options: Any) -> None:
    # 2 images of 5 x 6 elements, 3 x 2 taps, 3 channels in and out: 2*5*6 * 3*2 * 3*3
    def convolve(x: jax.Array, w: jax.Array) -> jax.Array:
        return lax.conv_transpose(x, w, strides, padding, **options)

    costs = sc.trace_function(with_gradients(convolve), *specs(((2, 5, 6, 3), (3, 2, 3, 3))))
    counted = products(costs)
    assert [macs for macs, _ in counted] == [3240] * 3
    assert len(set(counted)) == 1


# -- networks ------------------------------------------------------------------------------------------------------
def test_training_a_strided_transposed_convolution_is_two_forward_passes() -> None:
    # forward: 2 images of 8 x 12 elements, each meets 2 x 2 taps of 32 by 64 channels: 2*8*12 * 4 * 32*64 = 1,572,864;
    # the kernel's gradient is as much, the input needs none
    module, spec = nn.ConvTranspose(64, (2, 2), strides=(2, 2)), "float32[2,8,12,32]"
    assert sc.trace(module, spec).macs == 1_572_864
    for convention in ("full", "textbook", "xla"):  # nothing is cropped
        assert sc.trace(module, spec, mode="train").total(convention).macs == 3_145_728


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_transposed_convolution_costs_the_same_at_every_stride(stride: int) -> None:
    # 1 x 20 elements, each meets 5 x 5 taps: 500
    module = nn.ConvTranspose(1, (5, 5), strides=(stride, stride), padding="VALID")
    assert sc.trace(module, "float32[1,1,20,1]").macs == 500


class UNet(nn.Module):
    """Down by pooling and up by transposed convolutions, with the map of each level beside it."""

    width: int
    up: tuple[int, int]
    levels: int = 1

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        beside = []
        for level in range(self.levels):
            x = nn.relu(nn.Conv(self.width * 2**level, (3, 3))(x))
            beside.append(x)
            x = nn.max_pool(x, (2, 2), (2, 2))
        x = nn.relu(nn.Conv(self.width * 2**self.levels, (3, 3))(x))
        for level in reversed(range(self.levels)):
            x = nn.ConvTranspose(self.width * 2**level, self.up, strides=(2, 2))(x)
            x = nn.relu(nn.Conv(self.width * 2**level, (3, 3))(jnp.concatenate([x, beside[level]], -1)))
        return nn.Conv(5, (1, 1))(x)


@pytest.mark.parametrize("up", [(2, 2), pytest.param((3, 3), marks=pytest.mark.campaign)], ids=str)
def test_a_unet_in_training_is_three_forward_passes_less_one_gradient(up: tuple[int, int]) -> None:
    def make(width: int) -> nn.Module:
        return UNet(width, up)

    forward, train = (sc.trace(make, "float32[n,8*h,8*h,3]", mode=mode) for mode in ("forward", "train"))
    # of the image no gradient is needed: 64h^2 n outputs, 9 taps, 3 channels in
    assert sympy.expand(3 * forward.macs - train.macs - sc.parse("64*h**2*n * 9 * 3*width")) == 0
    point = {"n": 1, "h": 2, "width": 4}
    ours = train.subs(**point).total("xla")
    program = make_model(make, ("float32[n,8*h,8*h,3]",), mode="train").at(point)
    theirs = analyse(jax.jit(program.function).lower(*program.args).compiler_ir("hlo").as_hlo_text())
    assert (ours.flops, ours.transcendentals) == (theirs.flops, theirs.transcendentals)


class Decoder(nnx.Module):
    """The same step in nnx, behind a dense layer, so that the input's gradient is needed too."""

    def __init__(self, rank: int, stride: int, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(3, 4, rngs=rngs)
        self.up = nnx.ConvTranspose(4, 5, (3,) * rank, strides=(stride,) * rank, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.up(jnp.tanh(self.dense(x)))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_training_an_nnx_decoder_counts_the_forward_products_three_times(rank: int, stride: int) -> None:
    costs = sc.trace(lambda: Decoder(rank, stride, nnx.Rngs(0)), f"float32[n,{','.join('hwt'[:rank])},3]", mode="train")
    counted = products(costs)
    places = sympy.prod(sc.symbols("h w t")[:rank])
    assert counted == [counted[0]] * 3
    assert sympy.expand(counted[0][0] - sc.parse("n*4*5") * 3**rank * places) == 0


# -- transformations -----------------------------------------------------------------------------------------------
def plain(x: jax.Array, w: jax.Array) -> jax.Array:
    return lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def strided(x: jax.Array, w: jax.Array) -> jax.Array:
    return lax.conv_general_dilated(x, w, (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def transposed(x: jax.Array, w: jax.Array) -> jax.Array:
    return lax.conv_transpose(x, w, (1, 1), "VALID")


def enlarging(x: jax.Array, w: jax.Array) -> jax.Array:
    return lax.conv_transpose(x, w, (2, 3), "SAME")


def depthwise(x: jax.Array, w: jax.Array) -> jax.Array:
    """Of stride 2 in one direction and 1 in the other, channels first: no word in it says that it is transposed."""
    return lax.conv_general_dilated(
        x, w, (1, 1), ((2, 2), (1, 1)), (2, 1), feature_group_count=4, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


# (function, its MACs): 2 images of 5 x 6 elements, 3 x 2 taps, 4 channels in and out, so 2 * 4*4 * 3*2 = 192 times the
# places: VALID leaves 3 x 5 outputs, SAME with stride 2 and 1 has 3 x 6; the transposed ones have 5 x 6 inputs; the
# depthwise one a quarter of that
BILINEAR: list[tuple[Callable[..., jax.Array], int]] = [
    (plain, 2880), (strided, 3456), (transposed, 5760), (enlarging, 5760), (depthwise, 1440),
]  # fmt: skip
X, W = (2, 5, 6, 4), (3, 2, 4, 4)


def scanned(f: Callable[..., Any]) -> Callable[..., Any]:
    """Three trips."""
    return lambda x, w: lax.scan(lambda c, _: (c + f(x * c, w), None), 1.0, None, length=3)[0]


TRANSFORMS: dict[str, tuple[Callable[[Callable[..., Any]], Callable[..., Any]], int]] = {
    "gradient": (lambda f: jax.value_and_grad(f, (0, 1)), 3),
    "of a jit": (lambda f: jax.value_and_grad(jax.jit(f), (0, 1)), 3),
    "of a remat": (lambda f: jax.value_and_grad(jax.checkpoint(f), (0, 1)), 4),
    "of a custom rule": (lambda f: jax.grad(custom(f), (0, 1)), 3),
    "forward mode": (lambda f: lambda x, w: jax.jvp(f, (x, w), (x, w)), 3),
    "linearised": (lambda f: lambda x, w: jax.linearize(f, x, w)[1](x, w), 3),
    "second derivative": (lambda f: jax.grad(norm(jax.grad(f)), (0, 1)), 6),
    "second of the kernel's": (lambda f: jax.grad(norm(jax.grad(f, 1)), (0, 1)), 6),
    "third derivative": (lambda f: jax.grad(norm(jax.grad(norm(jax.grad(f, 1)))), (0, 1)), 15),
    "hessian times vector": (lambda f: lambda x, w: jax.jvp(jax.grad(f, (0, 1)), (x, w), (x, w)), 9),
    "in a scan": (lambda f: jax.grad(scanned(f), (0, 1)), 3),
    "of a remat in a scan": (lambda f: jax.grad(scanned(jax.checkpoint(f)), (0, 1)), 4),
    "second, in a scan": (lambda f: jax.grad(norm(jax.grad(scanned(f), 1))), 7),
}


def custom(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with a rule of its own that asks jax for the gradients."""
    made = jax.custom_vjp(f)
    made.defvjp(lambda x, w: (f(x, w), (x, w)), lambda kept, g: jax.vjp(f, *kept)[1](g))
    return made


def norm(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: jnp.sum(f(*args) ** 2)


TRANSFORMED = [
    pytest.param(bilinear, macs, transform, id=f"{bilinear.__name__}-{transform}", marks=by_turns(i, j, 2))
    for i, (bilinear, macs) in enumerate(BILINEAR)
    for j, transform in enumerate(TRANSFORMS)
]


@pytest.mark.parametrize(("bilinear", "macs", "transform"), TRANSFORMED)
def test_every_transformation_of_a_convolution_has_its_products(bilinear: Any, macs: int, transform: str) -> None:
    kernel = (*W[:2], 1, W[3]) if bilinear is depthwise else W
    (one,) = products(sc.trace_function(bilinear, *specs((X, kernel))))
    assert one[0] == macs
    apply, number = TRANSFORMS[transform]
    run = apply(lambda x, w: jnp.sum(jnp.tanh(bilinear(x, w))))
    assert products(sc.trace_function(run, *specs((X, kernel)))) == [one] * number


@pytest.mark.parametrize("batched", [(0, None), (None, 0), (0, 0)], ids=str)
@pytest.mark.parametrize(("bilinear", "macs"), BILINEAR[:4], ids=[f.__name__ for f, _ in BILINEAR[:4]])
def test_a_batch_of_convolutions_has_the_products_of_each(bilinear: Any, macs: int, batched: Any) -> None:
    run = jax.vmap(jax.grad(lambda x, w: jnp.sum(jnp.tanh(bilinear(x, w))), (0, 1)), batched)
    shapes = tuple(shape if axis is None else (7, *shape) for shape, axis in zip((X, W), batched, strict=True))
    assert [found for found, _ in products(sc.trace_function(run, *specs(shapes)))] == [7 * macs] * 3


# -- how the role is known -----------------------------------------------------------------------------------------
def test_what_jax_traced_before_counts_no_differently() -> None:
    """jax keeps traces of functions under ``jit`` with their gradients, which carry no scopes when a user ran them."""
    run = jax.value_and_grad(jax.jit(lambda x, w: jnp.sum(jnp.tanh(plain(x, w)))), (0, 1))
    run(jnp.ones(X), jnp.ones(W))
    assert [macs for macs, _ in products(sc.trace_function(run, *specs((X, W))))] == [2880] * 3
    text = jax.jit(run).lower(jnp.ones(X), jnp.ones(W)).as_text(debug_info=True)
    assert "transpose" in text
    assert "gradient of" not in text


def test_a_transposed_convolution_imported_by_its_name_is_one() -> None:
    assert products(sc.trace_function(lambda x, w: conv_transpose(x, w, (1, 1), "VALID"), *specs((X, W)))) == [
        (5760, 0)
    ]


def test_the_primitive_of_jax_is_its_own_afterwards() -> None:
    primitive = lax.conv_general_dilated_p

    def fail() -> None:
        with roles_marked():
            with roles_marked():
                assert "bind" in vars(primitive)
            assert "bind" in vars(primitive)
            raise sc.SymcostError("a model that fails")

    with pytest.raises(sc.SymcostError, match="a model that fails"):
        fail()
    assert "bind" not in vars(primitive)


def test_other_threads_are_left_alone() -> None:
    scopes: list[str] = []

    def elsewhere() -> None:
        closed = jax.make_jaxpr(with_gradients(transposed))(jnp.ones(X), jnp.ones(W))
        scopes.extend(str(eqn.source_info.name_stack) for eqn in closed.jaxpr.eqns)

    with roles_marked():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert any("transpose" in scope for scope in scopes)
    assert not any("gradient of" in scope or "convolution" in scope for scope in scopes)
