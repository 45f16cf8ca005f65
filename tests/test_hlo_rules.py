"""Every opcode's rule against XLA's count of the same HLO text; what has no rule is an error, never zero."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any

import jax
import pytest
from jaxlib import _hlo, _jax  # pyright: ignore[reportAttributeAccessIssue]

from symcost.hlo import HloError, analyse, parse, pointer_of
from symcost.hlo.counting.rules import ELEMENTWISE, FREE, LEAF, REGION, TRANSCENDENTAL

# What the rows below may use: arrays, a token, two regions and a fused computation.
PRELUDE = """
  x = f32[6] parameter(0)
  i = s32[6] parameter(1)
  c = c64[6] parameter(2)
  p = pred[6] parameter(3)
  m = f32[4,6] parameter(4)
  u = u64[2] parameter(5)
  a = f32[2,4,4] parameter(6)
  b = f32[2,3,4] parameter(7)
  img = f32[2,7,6,4] parameter(8)
  ker = f32[3,2,2,6] parameter(9)
  at = s32[2,1] parameter(10)
  rows = f32[2,6] parameter(11)
  d = f32[<=6] parameter(12)
  experts = f32[3,6,5] parameter(13)
  src = f32[2,3] parameter(14)
  z = f32[] constant(0)
  n = s32[] constant(1)
  t = token[] after-all()
"""
ADD = "add {\n a = f32[] parameter(0)\n b = f32[] parameter(1)\n ROOT c = f32[] add(a, b)\n}\n"
GE = ADD.replace("add {", "ge {").replace("f32[] add(a, b)", "pred[] compare(a, b), direction=GE")
VADD = ADD.replace("f32[]", "f32[6]").replace("add {", "vadd {")
INTO = (
    "update_window_dims={1}, inserted_window_dims={0}, scatter_dims_to_operand_dims={0},"
    " index_vector_dim=1, to_apply=add"
)
FUSED = f"""fused {{
  p = f32[4,6] parameter(0)
  i = s32[2,1] parameter(1)
  e = f32[4,6] add(p, p)
  u = f32[2,6] parameter(2)
  ROOT s = f32[4,6] scatter(e, i, u), {INTO}
}}
"""
PAIR = "replica_groups={{0,1}}"
STATS = "(f32[2,4,4], f32[4], f32[4])"


def elementwise() -> dict[str, str]:
    """One row for each opcode of one result element per operand element."""
    kinds = [
        ("abs ceil copy floor negate round-nearest-afz round-nearest-even sign", "f32[6]", "x"),
        ("acos acosh asin asinh atanh cbrt cosh cosine erf exponential exponential-minus-one", "f32[6]", "x"),
        ("log log-plus-one logistic rsqrt sine sinh sqrt tan tanh opt-barrier", "f32[6]", "x"),
        ("add atan2 divide maximum minimum multiply power remainder subtract", "f32[6]", "x, x"),
        ("and mulhi or shift-left shift-right-arithmetic shift-right-logical xor", "s32[6]", "i, i"),
        ("count-leading-zeros not popcnt", "s32[6]", "i"),
        ("imag real", "f32[6]", "c"),
        ("bitcast-convert convert", "f32[6]", "i"),
        ("is-finite", "pred[6]", "x"),
        ("complex", "c64[6]", "x, x"),
        ("clamp", "f32[6]", "x, x, x"),
        ("select", "f32[6]", "p, x, x"),
    ]
    return {op: f"{shape} {op}({args})" for ops, shape, args in kinds for op in ops.split()}


# Each row: instructions separated by `;`, the last one unnamed and the root.
ROWS = {
    **elementwise(),
    "compare": "pred[6] compare(x, x), direction=LT",
    "reduce-precision": "f32[6] reduce-precision(x), exponent_bits=5, mantissa_bits=3",
    "dot": "f32[2,4] dot(rows, m), lhs_contracting_dims={1}, rhs_contracting_dims={1}",
    "batched-dot": "f32[2,4,3] dot(a, b), lhs_batch_dims={0}, rhs_batch_dims={0},"
    " lhs_contracting_dims={2}, rhs_contracting_dims={2}",
    "ragged-dot": "g = s32[3] constant({1, 1, 2});"
    " f32[4,5] ragged-dot(m, experts, g), lhs_contracting_dims={1},"
    " rhs_contracting_dims={1}, lhs_ragged_dims={0}, rhs_group_dims={0}",
    "ragged-contraction": "g = s32[3] constant({1, 1, 2});"
    " w = f32[6,5] slice(m2), slice={[0:6], [0:5]};"
    " f32[3,4,5] ragged-dot(m, w, g), lhs_contracting_dims={1}, rhs_contracting_dims={0},"
    " lhs_ragged_dims={1}",
    "convolution": "f32[2,4,3,6] convolution(img, ker), dim_labels=b01f_01io->b01f, feature_group_count=2,"
    " window={size=3x2 stride=2x2 pad=1_1x0_1 rhs_reversal=1x1}",
    "fft": "c64[6] fft(c), fft_type=FFT, fft_length={6}",
    "sort": "f32[4,6] sort(m), dimensions={1}, to_apply=ge",
    "topk": "(f32[2], s32[2]) topk(x), k=2, largest=true",
    "triangular-solve": "f32[2,3,4] triangular-solve(a, b), left_side=false, lower=true, transpose_a=NO_TRANSPOSE",
    "cholesky": "f32[2,4,4] cholesky(a), lower=true",
    "map": "f32[6] map(x, x), dimensions={0}, to_apply=add",
    "reduce": "f32[4] reduce(m, z), dimensions={1}, to_apply=add",
    "reduce-window": "f32[4,3] reduce-window(m, z), window={size=2x3 stride=1x2 pad=0_1x0_1}, to_apply=add",
    "reduce-window-broadcast": "f32[4,6] reduce-window(m, z), window={size=1x11 pad=0_0x5_5}, to_apply=add",
    "reduce-window-almost": "f32[4,6] reduce-window(m, z), window={size=1x9 pad=0_0x4_4}, to_apply=add",
    "select-and-scatter": "f32[4,6] select-and-scatter(m, src, z), window={size=2x2 stride=2x2}, select=ge,"
    " scatter=add",
    "scatter": f"f32[4,6] scatter(m, at, rows), {INTO}",
    "gather": "f32[2,6] gather(m, at), offset_dims={1}, collapsed_slice_dims={0}, start_index_map={0},"
    " index_vector_dim=1, slice_sizes={1,6}",
    "rng": "f32[6] rng(z, z), distribution=rng_uniform",
    "rng-bit-generator": "(u64[2], u32[6]) rng-bit-generator(u), algorithm=rng_philox",
    "rng-get-and-update-state": "u64[1] rng-get-and-update-state(), delta=4096",
    "all-reduce": "(f32[6], f32[4,6]) all-reduce(x, m), replica_groups={}, to_apply=add",
    "all-reduce-start": "s = f32[6] all-reduce-start(x), replica_groups={}, to_apply=add; f32[6] all-reduce-done(s)",
    "all-gather": f"f32[12] all-gather(x), {PAIR}, dimensions={{0}}",
    "all-gather-start": f"s = (f32[6], f32[12]) all-gather-start(x), {PAIR}, dimensions={{0}};"
    " f32[12] all-gather-done(s)",
    "reduce-scatter": f"f32[3] reduce-scatter(x), {PAIR}, dimensions={{0}}, to_apply=add",
    "all-to-all": f"f32[6] all-to-all(x), {PAIR}, dimensions={{0}}",
    "ragged-all-to-all": f"o = s64[2] convert(u); f32[6] ragged-all-to-all(x, x, o, o, o, o), {PAIR}",
    "collective-permute": "f32[6] collective-permute(x), source_target_pairs={{0,1}}",
    "collective-permute-start": "s = (f32[6], f32[6]) collective-permute-start(x),"
    " source_target_pairs={{0,1}};"
    " f32[6] collective-permute-done(s)",
    "collective-broadcast": f"f32[6] collective-broadcast(x), {PAIR}",
    "ids": "k = u32[] partition-id(); l = u32[] replica-id(); u32[] add(k, l)",
    "copy-start": "s = (f32[6], f32[6], u32[]) copy-start(x); f32[6] copy-done(s)",
    "infeed": "(f32[6], token[]) infeed(t)",
    "outfeed": "token[] outfeed(x, t), outfeed_shape=f32[6]{0}",
    "send": "s = (f32[6], u32[], token[]) send(x, t), channel_id=1; token[] send-done(s), channel_id=1",
    "recv": "s = (f32[6], u32[], token[]) recv(t), channel_id=1; (f32[6], token[]) recv-done(s), channel_id=1",
    "domain": 'q = f32[6] add-dependency(x, t); f32[6] domain(q), domain={kind="sharding",'
    " entry={replicated},"
    " exit={replicated}}",
    "dynamic-sizes": "g = s32[] get-dimension-size(d), dimensions={0};"
    " e = f32[<=6] set-dimension-size(d, g), dimensions={0}; f32[<=6] add(e, e)",
    "dynamic-reshape": "f32[<=6] dynamic-reshape(x, n)",
    "batch-norm-training": f"g = f32[4] constant({{1,1,1,1}});"
    f" {STATS} batch-norm-training(a, g, g), epsilon=0.1, feature_index=2",
    "batch-norm-inference": "g = f32[4] constant({1,1,1,1});"
    " f32[2,4,4] batch-norm-inference(a, g, g, g, g), epsilon=0.1, feature_index=2",
    "batch-norm-grad": f"g = f32[4] constant({{1,1,1,1}});"
    f" {STATS} batch-norm-grad(a, g, g, g, a), epsilon=0.1, feature_index=2",
    "layout": "k = f32[12] concatenate(x, x), dimensions={0}; l = f32[12] reverse(k), dimensions={0};"
    " o = f32[3,4] reshape(l); q = f32[4,3] transpose(o), dimensions={1,0}; v = f32[12] bitcast(q);"
    " w = f32[14] pad(v, z), padding=1_1; f32[3,14] broadcast(w), dimensions={1}",
    "slices": "k = f32[2,6] slice(m), slice={[0:2], [0:6]}; l = f32[1,6] dynamic-slice(k, n, n),"
    " dynamic_slice_sizes={1,6}; f32[4,6] dynamic-update-slice(m, l, n, n)",
    "tuple": "k = s32[6] iota(), iota_dimension=0; l = (s32[6], f32[6]) tuple(k, x);"
    " f32[6] get-tuple-element(l), index=1",
    "async": "s = ((f32[6], f32[6]), f32[6], s32[]) async-start(x, x), calls=vadd;"
    " q = ((f32[6], f32[6]), f32[6], s32[]) async-update(s); f32[6] async-done(q)",
    "async-call": "s = ((f32[6], f32[6]), f32[6], s32[]) call-start(x, x), to_apply=vadd; f32[6] call-done(s)",
    "async-leaf": "s = ((f32[6]), f32[6], s32[]) exponential-start(x); f32[6] exponential-done(s)",
    "async-scatter": f"s = ((f32[6]), f32[3]) reduce-scatter-start(x), {PAIR}, dimensions={{0}}, to_apply=add;"
    " f32[3] reduce-scatter-done(s)",
    "async-exchange": f"s = ((f32[6]), f32[6]) all-to-all-start(x), {PAIR}, dimensions={{0}}; f32[6] all-to-all-done(s)",
    "async-custom-call": 's = ((f32[6]), f32[6], s32[]) custom-call-start(x), custom_call_target="one";'
    " f32[6] custom-call-done(s)",
    "custom-calls": 'k = f32[6] custom-call(x), custom_call_target="one";'
    ' l = f32[6] custom-call(k), custom_call_target="two"; f32[6] add(l, l)',
    "annotation": 'k = f32[6] custom-call(x), custom_call_target="Sharding"; f32[6] add(k, k)',
    "dead-code": "k = f32[6] tanh(x); l = f32[6] add(x, k); f32[6] copy(x)",
    "fusion": "f32[4,6] fusion(m, at, rows), kind=kLoop, calls=fused",
    "custom-fusion": "f32[4,6] fusion(m, at, rows), kind=kCustom, calls=fused",
    "stochastic-convert": "k = u32[6] convert(i); s8[6] stochastic-convert(x, k)",
    "scaled-dot": "q = f8e4m3fn[4,32] constant({...}); w = f8e4m3fn[32,7] constant({...});"
    " k = f32[4,1] constant({...}); l = f32[1,7] constant({...});"
    " f32[4,7] scaled-dot(q, w, k, l), lhs_contracting_dims={1}, rhs_contracting_dims={0}",
}
# Not in every XLA that we support: skipped where XLA cannot read them.
RECENT = {
    "scaled-dot",
    "mulhi",
    "ragged-all-to-all",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atanh",
    "cosh",
    "sinh",
}


def module_text(row: str) -> str:
    lines = [part.strip() for part in row.split(";")]
    prelude = PRELUDE + ("  m2 = f32[8,6] parameter(15)\n" if "m2" in row else "")
    named = "".join(f"  {line}\n" for line in lines[:-1])
    return f"HloModule m\n{ADD}{GE}{VADD}{FUSED}ENTRY main {{{prelude}{named}  ROOT r = {lines[-1]}\n}}\n"


@lru_cache
def client() -> Any:
    return jax.devices("cpu")[0].client


@pytest.mark.parametrize("name", ROWS)
def test_count_of_an_opcode_is_xlas(name: str) -> None:
    text = module_text(ROWS[name])
    try:
        module = _hlo.hlo_module_from_text(text)
    except jax.errors.JaxRuntimeError:
        if name not in RECENT:
            raise
        pytest.skip("this XLA does not know the opcode")
    xla, ours = _jax.hlo_module_cost_analysis(client(), module), analyse(text)
    flops, trans = (xla.get(key) or 0 for key in ("flops", "transcendentals"))
    assert (ours.float32.flops, ours.float32.transcendentals) == (flops, trans)
    assert (ours.flops, ours.transcendentals) == (flops + row_custom_calls(name), trans)


@pytest.mark.parametrize("name", ["all-gather-start", "async-leaf", "async-scatter", "async-exchange"])
def test_bytes_of_what_runs_beside_others_are_xlas(name: str) -> None:
    text = module_text(ROWS[name])
    xla = _jax.hlo_module_cost_analysis(client(), _hlo.hlo_module_from_text(text))
    assert analyse(text, pointer=pointer_of(version("jaxlib"))).float32.bytes == xla["bytes accessed"]


def row_custom_calls(name: str) -> int:
    """XLA takes -1 for each custom call, the exact count nothing."""
    return ROWS[name].count("custom_call_target")


def test_every_rule_has_a_row() -> None:
    texts = map(module_text, ROWS.values())
    seen = {i.opcode for text in texts for c in parse(text).computations.values() for i in c.instructions}
    assert set(LEAF) | set(REGION) <= seen
    assert not any((ELEMENTWISE & TRANSCENDENTAL, FREE & ELEMENTWISE, FREE & TRANSCENDENTAL, set(LEAF) & set(REGION)))


def test_unknown_opcode_is_an_error_naming_opcode_and_instruction() -> None:
    for row in ("f32[6] frobnicate(x)", "s = (f32[6]) frobnicate-start(x); f32[6] frobnicate-done(s)"):
        with pytest.raises(HloError, match=r"opcode 'frobnicate(-start)?' of instruction '[rs]' has no rule: add one"):
            analyse(module_text(row))


def test_custom_calls_are_listed_and_add_nothing_to_the_exact_count() -> None:
    cost = analyse(module_text(ROWS["custom-calls"]))
    assert (cost.flops, cost.unknown, cost.float32.flops) == (6, ("one", "two"), 6 - 2)


def test_annotations_are_not_unknown_custom_calls() -> None:
    assert analyse(module_text(ROWS["annotation"])).unknown == ()


def test_count_beyond_int64_stays_an_exact_int() -> None:
    huge = "k = f32[4000000000,4000000000] broadcast(z), dimensions={}; f32[4000000000,4000000000] add(k, k)"
    assert analyse(module_text(huge)).flops == 16 * 10**18
