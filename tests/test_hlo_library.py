"""Library calls count what the operations behind them would: convolutions, products, kernels with an estimate."""

from __future__ import annotations

import jax
import pytest

from symcost.hlo import HloCost, HloError, analyse
from symcost.hlo.counting.library import FUSED


def module(result: str, operands: tuple[str, ...], target: str, tail: str) -> str:
    """A module of one custom call."""
    names = [f"p{k}" for k in range(len(operands))]
    lines = [f"  {name} = {shape} parameter({k})" for k, (name, shape) in enumerate(zip(names, operands, strict=True))]
    call = f'  ROOT c = {result} custom-call({", ".join(names)}), custom_call_target="{target}"{tail}'
    return "\n".join(["HloModule m", "ENTRY main {", *lines, call, "}"])


def cost(*args: object) -> HloCost:
    return analyse(module(*args), calls=True)  # type: ignore[arg-type]


WINDOW = ", window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_o01i->b01f"
X, K, Y = "f32[2,5,6,3]{3,2,1,0}", "f32[4,3,3,3]{3,2,1,0}", "f32[2,5,6,4]{3,2,1,0}"
TAPS = (3 * 5 - 2) * (3 * 6 - 2)  # of a window of 3 with padding 1 over 5 and over 6 places
FORWARD = 2 * 3 * 4 * 2 * TAPS
NONE = ', backend_config={"cudnn_conv_backend_config":{"activation_mode":"kNone"}}'
RELU = ', backend_config={"cudnn_conv_backend_config":{"activation_mode":"kRelu"}}'
LEAKY = ', backend_config={"cudnn_conv_backend_config":{"activation_mode":"kLeakyRelu"}}'


@pytest.mark.parametrize(
    ("result", "operands", "target", "config", "flops"),
    [
        (f"({Y}, u8[0]{{0}})", (X, K), "__cudnn$convForward", NONE, FORWARD),
        (f"({X}, u8[0]{{0}})", (Y, K), "__cudnn$convBackwardInput", NONE, FORWARD),
        (f"({K}, u8[0]{{0}})", (X, Y), "__cudnn$convBackwardFilter", NONE, FORWARD),
        (f"({Y}, u8[0]{{0}})", (X, K, "f32[4]{0}"), "__cudnn$convBiasActivationForward", NONE, FORWARD + 240),
        (f"({Y}, u8[0]{{0}})", (X, K, "f32[4]{0}"), "__cudnn$convBiasActivationForward", RELU, FORWARD + 2 * 240),
        (f"({Y}, u8[0]{{0}})", (X, K, "f32[4]{0}", Y), "__cudnn$convBiasActivationForward", RELU, FORWARD + 3 * 240),
        (f"({Y}, u8[0]{{0}})", (X, K, "f32[4]{0}"), "__cudnn$convBiasActivationForward", LEAKY, FORWARD + 4 * 240),
    ],
)
def test_a_convolution_of_cudnn_counts_its_taps_on_the_input(
    result: str, operands: tuple[str, ...], target: str, config: str, flops: int
) -> None:
    found = cost(result, operands, target, WINDOW + config)
    assert (found.flops, found.transcendentals, found.unknown) == (flops, 0, ())
    assert found.float32.flops == found.calls[0] == -1
    assert next(iter(found.restored.values()))[0] == flops


def test_a_gradient_and_its_convolution_count_alike_by_the_convolution_rule() -> None:
    text = f"""HloModule m
ENTRY main {{
  x = {X} parameter(0)
  k = {K} parameter(1)
  ROOT y = {Y} convolution(x, k){WINDOW}
}}"""
    assert analyse(text).flops == FORWARD


GEMM = ', backend_config={{"gemm_backend_config":{{"beta":{beta},"dot_dimension_numbers":{{"lhs_contracting_dimensions":["1"],"rhs_contracting_dimensions":["0"]}},"epilogue":"{epilogue}"}}}}'  # noqa: E501


@pytest.mark.parametrize(
    ("epilogue", "beta", "flops", "transcendentals"),
    [("DEFAULT", 0, 0, 0), ("BIAS", 0, 1, 0), ("BIAS_RELU", 0, 2, 0), ("DEFAULT", 1, 1, 0), ("GELU", 0, 8, 1),
     ("BIAS_GELU", 0, 9, 1), ("GELU_AUX", 0, 8, 1), ("BIAS_GELU_AUX", 1, 10, 1)],
)  # fmt: skip
def test_a_product_of_cublas_counts_by_its_dimension_numbers(
    epilogue: str, beta: int, flops: int, transcendentals: int
) -> None:
    tail = GEMM.format(epilogue=epilogue, beta=beta)
    found = cost("(f32[8,5]{1,0}, s8[64]{0})", ("f32[8,3]{1,0}", "f32[3,5]{1,0}"), "__cublas$lt$matmul", tail)
    assert (found.flops, found.transcendentals) == ((2 * 3 + flops) * 40, transcendentals * 40)


def test_a_gelu_behind_a_product_counts_as_the_program_writes_it() -> None:
    spec = jax.ShapeDtypeStruct((8, 5), "float32")
    written = analyse(jax.jit(jax.nn.gelu).lower(spec).compiler_ir("hlo").as_hlo_text())
    assert (written.flops, written.transcendentals) == tuple(count * 40 for count in FUSED["GELU"])


def test_a_product_with_something_strange_behind_it_is_still_a_product() -> None:
    tail = GEMM.format(epilogue="MISH", beta=0)
    found = cost("(f32[8,5]{1,0}, s8[64]{0})", ("f32[8,3]{1,0}", "f32[3,5]{1,0}"), "__cublas$lt$matmul", tail)
    assert (found.flops, found.unknown) == (2 * 3 * 40, ("MISH behind __cublas$lt$matmul",))


@pytest.mark.parametrize("target", ["TopK", "__gpu$TopK", "xla_ffi_python_cpu_callback"])
def test_a_selection_and_a_look_by_the_host_are_no_work(target: str) -> None:
    found = cost("(f32[8,2]{1,0}, s32[8,2]{1,0})", ("f32[8,5]{1,0}",), target, "")
    assert (found.flops, found.unknown, found.float32.flops) == (0, (), -1)


def test_compilers_of_tpus_take_a_selection_for_its_comparisons() -> None:
    """Of 8 x 5 numbers the two largest of each row: what is computed is none of ours, and XLA prints 2 for each number."""
    found = cost("(f32[8,2]{1,0:T(8,128)}, s32[8,2]{1,0:T(8,128)})", ("f32[8,5]{1,0:T(8,128)}",), "TopK", "")
    assert (found.flops, found.unknown, found.float32.flops) == (0, (), 8 * 5 * 2)


@pytest.mark.parametrize(
    ("target", "tail"),
    [("mosaic_gpu_v2", ""), ("cusolver_potrf_ffi", ""), ("__cublas$gemm", "")],
)
def test_what_the_text_does_not_tell_stays_unknown(target: str, tail: str) -> None:
    found = cost(f"({Y}, u8[0]{{0}})", (X, K), target, tail)
    assert (found.flops, found.unknown) == (0, (target,))


def test_a_kernel_counts_what_its_author_states_and_xla_counts_it_too() -> None:
    stated = '{"flops":"262144","transcendentals":"7","bytes_accessed":"99"}'
    tail = f', backend_config={{"custom_call_config":{{"cost_estimate":{stated}}}}}'
    found = cost("f32[8,8]{1,0}", ("f32[8,8]{1,0}",), "tpu_custom_call", tail)
    assert (found.flops, found.transcendentals, found.bytes) == (262144, 7, 99)
    assert (found.float32.flops, found.float32.transcendentals, found.float32.bytes) == (262144, 7, 99)


def test_a_configuration_over_several_lines_is_read_and_xla_may_not_heed_it() -> None:
    tail = ', backend_config={"custom_call_config": {"body": "A{", "cost_estimate": {\n"flops":64,\n"transcendentals":0\n}}}'
    text = module("f32[8,8]{1,0}", ("f32[8,8]{1,0}",), "tpu_custom_call", tail)
    found = analyse(text, calls=True, stated=False)
    assert (found.flops, found.unknown, found.float32.flops) == (64, (), -1)
    with pytest.raises(HloError, match="the text ends inside instruction 'c' of 'main': give the whole text"):
        analyse(text[: text.index('"transcendentals"')])


def test_without_being_asked_nothing_is_restored() -> None:
    found = analyse(module(f"({Y}, u8[0]{{0}})", (X, K), "__cudnn$convForward", WINDOW + NONE))
    assert (found.flops, found.unknown) == (0, ("__cudnn$convForward",))
