"""Latency: the lectures' formula by hand, laws between the three models, what bounds a layer, errors."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flax.linen as nn
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc
from symcost.estimate.time.latency import latency
from symcost.estimate.time.work import kernels

ROUND = sc.Device(
    name="round", source="round numbers, to compute by hand", peak={"float32": 10**9, "int8": 4 * 10**9}, power=2,
    memories=(sc.MemoryLevel(name="ram", size=10**9, bandwidth=10**8, holds=("weights", "activations")),),
)  # fmt: skip
n, c = sc.symbols("n c")


def test_the_lectures_formula_on_alexnet_by_hand() -> None:
    """EfficientML.ai lecture 2: T = max(operations / peak, model size / bandwidth + activations / bandwidth)."""
    found = latency(sc.models.alexnet(), ROUND, model="whole")
    assert found.compute == sympy.Rational(2 * 724406816, 10**9)
    activations = (
        2 * 932264 - 150528 - 1000
    )  # every tensor is written once and read once: but the input, but the output
    assert found.memory == sympy.Rational(4 * (60954656 + activations), 10**8)
    assert found.seconds == max(found.compute, found.memory)
    assert found.bound == "memory"


def test_a_linear_layer_by_hand() -> None:
    found = latency(sc.table(sc.Linear(8, bias=False), (n, 4)), ROUND)
    (step,) = found.steps
    assert step.compute == 64 * n / sympy.Integer(10**9)
    assert step.memory == (4 * 32 + 4 * 12 * n) / sympy.Integer(10**8)
    assert step.moved == 128 + 48 * n
    assert sympy.simplify(step.intensity - 64 * n / (128 + 48 * n)) == 0
    assert found.value(n=2) == Fraction(224, 10**8)
    assert found.bound == "memory"  # for every batch: 48 n bytes at a tenth of the speed of 64 n operations


def test_int8_and_narrow_weights_move_less() -> None:
    table = sc.table(sc.Linear(8, bias=False), (1, 4))
    assert latency(table, ROUND, "int8").memory == sympy.Rational(32 + 12, 10**8)
    assert latency(table, ROUND, "int8", weights="int4").memory == sympy.Rational(16 + 12, 10**8)


@pytest.mark.parametrize("model", ["whole", "roofline", "fused"])
def test_mixed_precision_moves_each_layer_in_its_own_width(model: str) -> None:
    """By hand: 32 and 24 weights of 8 and 4 bits; a pass in float32 moves what int8 and int4 leave of them less."""
    net = sc.table(sc.Sequential(a=sc.Linear(8, bias=False), b=sc.Linear(3, bias=False)), (1, 4))
    wide, mixed = (latency(net, ROUND, model=model, weights=w) for w in (None, {"": 8, "b": 4}))
    assert wide.memory - mixed.memory == sympy.Rational(4 * 56 - 32 - 24 // 2, 10**8)
    assert latency(net, ROUND, model=model, weights=4).memory == latency(net, ROUND, model=model, weights="int4").memory
    joules = [sc.energy(net, model=model, weights=w).movement for w in (None, {"": 8, "b": 4})]
    assert joules[0] - joules[1] == (4 * 56 - 32 - 24 // 2) * sympy.Rational(640, 4 * 10**12)
    assert (
        joules[1]
        == sc.energy(sc.trace(sc.build(net.net), "float32[1,4]"), model=model, weights={"": 8, "b": 4}).movement
    )


def test_elementwise_chains_go_through_memory_once() -> None:
    net = sc.Residual(sc.Sequential(sc.Conv2d(c_o=3, k=3, p=1, bias=False), sc.BatchNorm(), sc.ReLU()))
    apart, together = (kernels(sc.table(net, (1, 3, 8, 8)), model) for model in ("roofline", "fused"))
    assert [kernel.op for kernel in apart] == ["conv2d", "batch_norm", "relu", "add"]
    (one,) = together
    assert one.op == "conv2d + batch_norm + relu + add"
    assert one.operations == sum(kernel.operations for kernel in apart)
    assert (one.read, one.written) == (2 * 192, 192)  # the input, and again beside the block
    assert sum(kernel.read for kernel in apart) == 5 * 192


def test_a_lookup_reads_what_it_gives_and_not_its_table() -> None:
    (found,) = kernels(sc.table(sc.Embedding(V=50257, d=768), (1, 10)), "roofline")
    assert (found.weights, found.read, found.written) == (7680, 10, 7680)


def test_a_tied_table_is_read_by_the_product_that_shares_it() -> None:
    net = sc.TiedEmbedding(100, 8, sc.LayerNorm())
    layers, traced = sc.table(net, (n, 5)), sc.trace(sc.build(net), "int32[n,5]")
    for table in (layers, traced):
        head = kernels(table, "roofline")[-1]
        assert sc.equal(head.weights + head.read, 800 + 40 * n)


def test_training_takes_about_three_times_the_operations_of_inference() -> None:
    net = sc.build(sc.Sequential(sc.Linear(64), sc.ReLU(), sc.Linear(64)))
    forward, training = (sc.trace(net, "float32[32,64]", mode=mode) for mode in ("forward", "train"))
    ratio = latency(training, ROUND).compute / latency(forward, ROUND).compute
    assert 2 < ratio < 3  # the first layer needs no gradient of its input


def test_launch_overhead_counts_every_kernel_and_its_repetitions() -> None:
    table = sc.table(sc.Repeat(sc.Sequential(sc.Linear(4), sc.ReLU()), 3), (1, 4))
    bare, loaded = (latency(table, ROUND, overhead=seconds) for seconds in (0, "1e-3"))
    assert loaded.seconds - bare.seconds == sympy.Rational(6, 1000)
    assert latency(table, ROUND, overhead="1e-3", model="fused").overhead == sympy.Rational(3, 1000)
    assert latency(table, ROUND, model="whole").overhead == 0


def test_efficiency_is_a_share_or_a_curve_over_size() -> None:
    table = sc.table(sc.Linear(8, bias=False), (1, 4))
    full = latency(table, ROUND).compute
    assert latency(table, ROUND, efficiency="0.25").compute == 4 * full
    assert (
        latency(table, ROUND, efficiency=sc.Saturating("0.5", 64)).compute == 4 * full
    )  # 64 operations: half of a half


KIND_NETS = {
    "product": (sc.Conv2d(c_o=64, k=1, s=2, bias=False), (1, 64, 8, 8)),
    "convolution": (sc.Conv2d(c_o=64, k=3, p=1, bias=False), (1, 64, 8, 8)),
    "grouped": (sc.DepthwiseConv2d(k=3, p=1, bias=False), (1, 64, 8, 8)),
    "other": (sc.ReLU(), (1, 64, 8, 8)),
}


@pytest.mark.parametrize("kind", KIND_NETS)
def test_every_kind_of_kernel_takes_the_rates_measured_for_it(kind: str) -> None:
    """By hand: operations, bytes of weights and of activations over their rates, and the overhead, in one sum."""
    net, x = KIND_NETS[kind]
    host = sc.Device(
        name="host", source="measured", peak={"float32": 10**9}, memories=ROUND.memories,
        measured={kind: sc.Rates(operations=10**6, weights=10**3, activations=10**4, overhead="1e-3")},
    )  # fmt: skip
    table = sc.table(net, x)
    (kernel,) = kernels(table, "roofline")
    assert kernel.kind == kind
    by_hand = (
        sympy.Rational(kernel.operations, 10**6)
        + sympy.Rational(4 * kernel.weights, 10**3)
        + sympy.Rational(4 * (kernel.read + kernel.written), 10**4)
        + sympy.Rational(1, 1000)
    )
    assert latency(table, host).seconds == by_hand
    assert latency(table, host, overhead=0).seconds == by_hand - sympy.Rational(1, 1000)
    assert latency(table, host, efficiency=1).seconds == latency(table, ROUND).seconds
    if kind != "other":  # of which there is no formula of the whole model
        assert latency(table, host, model="whole").seconds == latency(table, ROUND, model="whole").seconds
    others = sc.Device(name="o", source="m", peak=host.peak, memories=host.memories, measured={"batched": sc.Rates()})
    assert latency(table, others).seconds == latency(table, ROUND).seconds


def test_products_of_two_activations_are_a_kind_of_their_own() -> None:
    table = sc.table(sc.Attention(2), (1, 6, 8))
    kinds = {kernel.op: kernel.kind for kernel in kernels(table, "roofline")}
    assert (kinds["scores"], kinds["context"], kinds["softmax"]) == ("batched", "batched", "other")


def test_throughput_is_the_batch_over_the_latency() -> None:
    """EfficientML.ai lecture 2: 50 ms an image are 20 images a second, four together in 100 ms are 40."""
    slow, batched = (
        sc.Device(name="d", source="lecture", peak={"float32": peak}, memories=[
            sc.MemoryLevel(name="m", bandwidth=10**15, holds=("weights", "activations"))])
        for peak in (20 * 128, 40 * 128)
    )  # fmt: skip
    table = sc.table(sc.Linear(8, bias=False), (n, 8))
    assert sc.latency(table, slow).value(n=1) == Fraction(50, 1000)
    assert sc.throughput(table, slow).subs("n", 1) == 20
    assert sc.latency(table, batched).value(n=4) == Fraction(100, 1000)
    assert sc.throughput(table.subs(n=4), batched) == 40
    assert sc.throughput(sc.table(sc.Linear(8, bias=False), (4, 8)), batched, batch=4) == 40


def test_mfu_of_a_published_run() -> None:
    """Narayanan et al., arXiv:2104.04473, abstract: 502 petaFLOP/s on 3072 A100 are 52 % of their peak."""
    found = sc.mfu(502 * 10**15, 1, "nvidia-a100-sxm-80gb", devices=3072)
    assert found.share == Fraction(502 * 10**15, 3072 * 312 * 10**12)
    assert round(100 * found.share) == 52


small = st.integers(1, 6)


@settings(max_examples=40, deadline=None)
@given(width=small, depth=small, batch=small, k=st.sampled_from([1, 3]))
def test_the_three_models_are_in_order(width: int, depth: int, batch: int, k: int) -> None:
    """One maximum of sums is at most a sum of maxima, and fusing never moves more."""
    block = sc.Sequential(sc.Conv2d(c_o=width, k=k, p=k // 2, bias=False), sc.BatchNorm(), sc.ReLU())
    table = sc.table(
        sc.Sequential(sc.Conv2d(c_o=width, k=3, p=1), sc.Repeat(sc.Residual(block), depth)), (batch, 3, 8, 8)
    )
    whole, roofline, fused = (latency(table, ROUND, model=m).seconds for m in ("whole", "roofline", "fused"))
    assert whole <= fused <= roofline


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 40), width=st.integers(1, 40))
def test_a_formula_is_what_it_is_at_each_point(size: int, width: int) -> None:
    net = sc.Sequential(sc.Linear(c), sc.ReLU(), sc.Linear(3))
    symbolic = latency(sc.table(net, (n, 5)), ROUND).value(n=size, c=width)
    assert symbolic == latency(sc.table(net.subs(c=width), (size, 5)), ROUND).value()


def test_layers_and_their_traced_twin_move_the_same() -> None:
    net = sc.Sequential(sc.Linear(16), sc.ReLU(), sc.Linear(4))
    traced, layers = sc.trace(sc.build(net), "float32[n,8]"), sc.table(net, (n, 8))
    for model in ("whole", "fused"):
        assert sc.equal(latency(traced, ROUND, model=model).memory, latency(layers, ROUND, model=model).memory)
        assert sc.equal(latency(traced, ROUND, model=model).compute, latency(layers, ROUND, model=model).compute)


BAD = [
    (dict(on="gpu"), "unknown device 'gpu'"),
    (dict(dtype="int9"), "unknown number type 'int9'"),
    (dict(dtype="bfloat16"), "device round has no published peak for bfloat16: there are peaks for float32, int8"),
    (dict(model="best"), "unknown model of latency 'best': use whole, roofline, fused"),
    (dict(efficiency=0), "efficiency=0 must be a share of the peak"),
    (dict(efficiency="fast"), "efficiency=fast must be a share of the peak"),
    (dict(overhead=-1), "overhead=-1 must be seconds, 0 or more"),
    (dict(weights={"": 8, "fc": 4}), "bits names the layer 'fc', which is not there: did you mean"),
    (dict(weights=0), "bits=0 must be an integer of at least 1"),
    (dict(costs=sc.Linear(3)), "a Linear is no table of costs: make one by sc.table or sc.trace"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_is_one_line(options: dict[str, object], message: str) -> None:
    given = {"costs": sc.models.alexnet(), "on": ROUND, **options}
    with pytest.raises(sc.SymcostError, match=message):
        latency(**given)  # type: ignore[arg-type]


def test_a_symbol_left_free_is_named_where_a_number_is_needed() -> None:
    found = latency(sc.models.alexnet(n="n"), ROUND)
    with pytest.raises(sc.SymcostError, match=r"the latency needs a number for n: give n=\.\.\."):
        found.value()
    for point, message in (
        ({"n": 1.5}, r"n=1\.5 is outside the domain: n must be a positive integer"),
        ({"n": 0}, "n=0 is outside the domain"),
        ({"n": 1, "q": 2}, "unknown symbol 'q': the symbols here are n"),
    ):
        for asked in (found, sc.energy(sc.models.alexnet(n="n"))):
            with pytest.raises(sc.SymcostError, match=message):
                asked.value(**point)
    with pytest.raises(sc.SymcostError, match=r"batch='b' is neither a number nor a symbol of the table \(n\)"):
        sc.throughput(sc.models.alexnet(n="n"), ROUND, batch="b")


@pytest.mark.parametrize(("work", "time", "devices"), [(1, 0, 1), (1, "x", 1), (-1, 1, 1), (1, 1, 0), (10**18, 1, 1)])
def test_mfu_refuses_what_is_no_measurement(work: int, time: object, devices: int) -> None:
    with pytest.raises(sc.SymcostError):
        sc.mfu(work, time, ROUND, "float32", devices)


@pytest.mark.parametrize(
    ("options", "assumed"),
    [
        ({}, "full peak, launch of 2.7 us a kernel"),
        ({"overhead": 0}, "ideal: full peak, no launch cost"),
        ({"efficiency": "0.4"}, "40 % of the peak, launch of 2.7 us a kernel"),
        ({"overhead": "5e-6"}, "full peak, launch of 5 us a kernel"),
        (
            {"efficiency": sc.Saturating("0.5", 1000), "overhead": "5e-6"},
            "share of the peak as given, launch of 5 us a kernel",
        ),
    ],
)
def test_a_latency_says_what_it_assumes(options: dict[str, object], assumed: str) -> None:
    found = latency(sc.models.resnet18(), "nvidia-a100-sxm-80gb", **options)  # type: ignore[arg-type]
    assert str(found).endswith(f"on nvidia-a100-sxm-80gb (roofline, float32); {assumed}")
    assert repr(found) == f"<Latency {found}>"


def test_a_latency_is_printed_with_its_unit() -> None:
    found = str(latency(sc.models.resnet50(), "nvidia-a100-sxm-80gb", overhead=0))
    assert found.startswith("539.4 us, bound by compute, on nvidia-a100-sxm-80gb")
    symbolic = latency(sc.models.resnet50(n="n", r="r"), "nvidia-a100-sxm-80gb")
    assert len(repr(symbolic)) < 200
    assert " + … s on nvidia-a100-sxm-80gb" in str(symbolic)


def test_elementwise_programs_have_no_time_by_the_formula_of_products() -> None:
    """They take time, which is not nothing: the formula that knows of products alone says that it knows none."""
    costs = sc.table(sc.ReLU(), (4, 8))
    with pytest.raises(sc.SymcostError, match="this program has none: take roofline or fused"):
        sc.latency(costs, "nvidia-l4", "float16", model="whole")
    assert sc.latency(costs, "nvidia-l4", "float16", model="fused").value() > 0


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.RMSNorm])
def test_a_chain_of_elementwise_operations_reads_as_much_by_its_formula_as_at_a_point(norm: Any) -> None:
    """A row's scale is spread over it: what is smaller than the result is found, and never taken off what else is read."""
    costs, at = sc.trace(norm, "float32[n,d]", referee=False), {"n": 394, "d": 384}
    formula, point = (latency(table, "nvidia-a100-sxm-80gb", model="fused") for table in (costs, costs.subs(**at)))
    assert formula.value(**at) == point.seconds
    assert [sc.evaluate(step.kernel.read, at) for step in formula.steps] == [step.kernel.read for step in point.steps]
