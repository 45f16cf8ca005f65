"""Arrays and models as people have them: example arrays, abstract ones, trees, texts, plain values; and tables as models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import symcost as sc
from symcost.tracing.program.given import takes_arrays

FORMS: dict[str, Any] = {
    "array of jax": jnp.zeros((2, 8)),
    "array of numpy, which jax makes float32": np.zeros((2, 8)),
    "abstract array": jax.ShapeDtypeStruct((2, 8), jnp.float32),
    "text": "float32[2,8]",
}


class Masked(nn.Module):
    """A product of which a mask, given by name, keeps some rows."""

    @nn.compact
    def __call__(self, x: Any, mask: Any = None, scale: float = 1.0, train: bool = True) -> Any:
        x = nn.Dense(4)(x["tokens"] if isinstance(x, dict) else x)
        if not train:
            x = x * scale
        return x if mask is None else jnp.where(mask[..., None], x, 0)


class NnxMasked(nnx.Module):
    """The same as a module of nnx."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(8, 4, rngs=rngs)

    def __call__(self, x: Any, mask: Any = None, scale: float = 1.0, train: bool = True) -> Any:
        x = self.dense(x["tokens"] if isinstance(x, dict) else x)
        if not train:
            x = x * scale
        return x if mask is None else jnp.where(mask[..., None], x, 0)


MODELS: dict[str, Any] = {"linen": Masked(), "nnx": NnxMasked(rngs=nnx.Rngs(0))}


@partial(jax.tree_util.register_dataclass, data_fields=("x", "mask"), meta_fields=())
@dataclass
class Batch:
    """What is registered as a tree."""

    x: Any
    mask: Any


def counted(costs: Any) -> tuple[Any, ...]:
    """The numbers of a table that are compared here."""
    return costs.params, costs.macs, costs.flops, costs.activations, costs.peak_activations


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("given", FORMS.values(), ids=FORMS)
def test_an_input_is_the_same_in_every_form(model: Any, given: Any) -> None:
    costs = sc.trace(model, given, referee=False)
    assert costs.symbols == ()
    assert (costs.params, costs.macs) == (36, 2 * 8 * 4)
    assert counted(costs) == counted(sc.trace(model, "float32[n,8]", referee=False).subs(n=2))


def test_the_sizes_of_an_array_are_numbers_and_the_table_says_how_to_get_formulas() -> None:
    told = str(sc.trace(nn.Dense(4), np.zeros((2, 8), np.float32), referee=False).domain)
    assert told.endswith(
        "sizes are plain numbers where an array was given: 'float32[n,8]' instead of float32[2,8] gives formulas in n"
    )
    assert "array was given" not in str(sc.trace(nn.Dense(4), "float32[2,8]", referee=False).domain)


def test_beside_an_array_the_symbols_of_a_factory_and_of_texts_stay() -> None:
    costs = sc.trace(lambda d: nn.Dense(d), np.zeros((2, 8), np.float32), referee=False)
    assert str(costs.macs) == "16*d"
    both = sc.trace_function(lambda x, w: x @ w, "float32[n,8]", np.zeros((8, 3)), referee=False)
    assert str(both.macs) == "24*n"
    assert "'float32[N,3]' instead of float32[8,3]" in str(both.domain)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize(
    "mask", ["bool[n]", {"mask": "bool[n]"}["mask"], " bool [ n ] "], ids=["text", "value of a dict", "with spaces"]
)
def test_an_argument_by_name_is_an_array_where_its_text_has_brackets(model: Any, mask: Any) -> None:
    costs = sc.trace(model, "float32[n,8]", call={"mask": mask, "train": False, "scale": 2.0}, referee=False)
    assert costs.symbols == ("n",)
    assert str(costs.flops) == "76*n + 1"  # 2*8*4 + 4 biases + 4 scaled + 4 selected; the number 0 is converted once


@pytest.mark.parametrize(
    "mask",
    [np.zeros(2, bool), jnp.zeros(2, bool), jax.ShapeDtypeStruct((2,), jnp.bool_)],
    ids=["numpy", "jax", "abstract"],
)
def test_an_argument_by_name_is_an_input_in_every_form(mask: Any) -> None:
    costs = sc.trace(Masked(), "float32[2,8]", call={"mask": mask}, referee=False)
    assert counted(costs) == counted(sc.trace(Masked(), "float32[2,8]", call={"mask": "bool[2]"}, referee=False))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_tree_may_mix_texts_arrays_and_plain_values(model: Any) -> None:
    tree = {"tokens": "float32[n,8]", "name": None, "kind": 3}
    assert str(sc.trace(model, tree, referee=False).macs) == "32*n"

    def step(batch: Batch, more: Any, times: int) -> Any:
        assert times == 2
        assert more[1] == "keep"
        return jnp.where(batch.mask[:, None], batch.x * times, more[0])

    call = {"more": ("float32[d]", "keep")}
    costs = sc.trace_function(step, Batch("float32[3,d]", np.zeros(3, bool)), call={**call, "times": 2}, referee=False)
    assert str(costs.flops) == "6*d"


def test_what_is_no_array_reaches_the_call_as_it_is() -> None:
    seen = []

    def look(x: Any, flag: bool, number: Any, text: str) -> Any:
        seen.append((flag, type(number), text))
        return x * 2

    sc.trace_function(look, "float32[n]", True, np.float32(3), call={"text": "relu"}, referee=False)
    assert set(seen) == {(True, np.float32, "relu")}


def test_a_text_with_brackets_whose_number_type_is_unknown_is_no_plain_text() -> None:
    with pytest.raises(sc.SpecError, match=r"unknown number type 'bol' in 'bol\[n\]': did you mean bool\?"):
        sc.trace(Masked(), "float32[n,8]", call={"mask": "bol[n]"})


@pytest.mark.parametrize(
    ("short", "whole"), [("fp16", "float16"), ("bf16", "bfloat16"), ("fp32", "float32"), ("s8", "int8")]
)
def test_number_types_have_the_names_that_people_write(short: str, whole: str) -> None:
    rows = sc.trace_function(lambda x: x + x, f"{short}[n]", referee=False).rows
    assert {row.dtype for row in rows} == {whole}


def test_random_keys_are_inputs() -> None:
    costs = sc.trace_function(
        lambda key, x: x + jax.random.normal(key, x.shape), jax.random.key(0), "float32[n]", referee=False
    )
    assert costs.symbols == ("n",)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(lambda x: jnp.zeros(()), id="a constant"),
        pytest.param(lambda x: 3, id="a number"),
        pytest.param(lambda x: x, id="the input"),
        pytest.param(lambda x: None, id="nothing"),
        pytest.param(lambda x: x.shape[0], id="a size"),
        pytest.param(jax.jit(lambda x: (1.0, x)), id="a number and the input of a jit"),
        pytest.param(lambda x: jax.lax.scan(lambda c, _: (c, 1.0), x, None, length=5)[0], id="what a scan hands on"),
    ],
)
def test_results_may_be_numbers_or_inputs(program: Any) -> None:
    costs = sc.trace_function(program, "float32[n]")
    assert (costs.macs, costs.flops, costs.total("xla").flops) in {
        (0, 0, 0),
        (0, 0, 2),
    }  # XLA counts the scan's own counter
    assert costs.subs(n=7, check=True).parts.compared


def test_a_number_beside_a_result_adds_nothing() -> None:
    costs = sc.trace_function(lambda x: (x, 1.0, jnp.zeros(4), x + 1, x), "float32[n]")
    assert str(costs.flops) == "n"


class Constant(nn.Module):
    """A model that returns a number."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        nn.Dense(3)(x)
        return 0.0


def test_a_model_that_returns_a_number_can_be_trained() -> None:
    assert sc.trace(Constant(), "float32[n,8]", mode="train", referee=False).params == 27


# -- tables and functions as models of verdicts ---------------------------------------------------------------------


def test_a_traced_table_is_verified_as_the_program_it_was_traced_from() -> None:
    costs = sc.trace(Masked(), "float32[n,8]", call={"mask": "bool[n]"}, mode="train", referee=False)
    verdict = sc.verify(costs, at={"n": 2}, targets=[])
    assert verdict
    assert verdict.flops == costs.subs(n=2).total("xla").flops > costs.subs(n=2).macs


def test_a_table_at_a_point_is_verified_there() -> None:
    costs = sc.trace(lambda d: nn.Dense(d), "float32[n,8]", referee=False).subs(d=4)
    verdict = sc.verify(costs, at={"n": 2}, targets=[])
    assert verdict
    assert verdict.at == {"d": 4, "n": 2}
    assert sc.verify(costs.subs(n=2), targets=[]).flops == verdict.flops


def test_the_table_itself_answers_and_no_other_one_of_the_model() -> None:
    costs = sc.trace(nn.Dense(4), "float32[n,8]", referee=False)
    wrong = sc.trace(nn.Dense(5), "float32[n,8]", referee=False)
    wrong.parts = costs.parts
    assert sc.verify(costs, at={"n": 2}, targets=[])
    with pytest.raises(sc.LiftError, match="a fresh trace is another one"):
        sc.verify(wrong, at={"n": 2}, targets=[])


def test_options_of_tracing_beside_a_table_are_refused() -> None:
    costs = sc.trace(nn.Dense(4), "float32[n,8]", referee=False)
    with pytest.raises(
        sc.SymcostError, match="call is for a model: a table is verified as it was traced, leave them out"
    ):
        sc.verify(costs, at={"n": 2}, call={"train": True}, targets=[])


def test_a_loaded_table_has_no_program(tmp_path: Any) -> None:
    sc.trace(nn.Dense(4), "float32[n,8]", referee=False).save(tmp_path / "dense.json")
    with pytest.raises(sc.SymcostError, match="a verdict needs the program, and this table has formulas alone"):
        sc.verify(sc.load(tmp_path / "dense.json"), at={"n": 2}, targets=[])


def product(x: Any, y: Any, *, scale: float = 1.0) -> Any:
    """A plain function of arrays."""
    return x @ y * scale


BY_PLACE = ("float32[n,8]", "float32[8,m]")


@pytest.mark.parametrize(
    ("specs", "call"),
    [(BY_PLACE, {}), (BY_PLACE[:1], {"y": BY_PLACE[1]}), ((), dict(zip("xy", BY_PLACE, strict=True)))],
    ids=["by place", "one by name", "by name"],
)
def test_a_plain_function_is_verified_without_being_called_one(specs: Any, call: Any) -> None:
    verdict = sc.verify(product, *specs, call=call, at={"n": 2, "m": 4}, targets=[])
    assert verdict
    assert verdict.flops == 2 * 2 * 8 * 4


def test_a_function_whose_parameters_have_values_is_a_factory() -> None:
    assert not takes_arrays(lambda d: nn.Dense(d), ("float32[n,8]",), None, {"n": 2, "d": 4})
    assert not takes_arrays(nn.Dense, ("float32[n,8]",), None, {"n": 2, "features": 4})
    assert takes_arrays(product, ("float32[n,8]", "float32[8,8]"), {"scale": 2.0}, {"n": 2})
    assert not takes_arrays(product, ("float32[n,8]",), None, {"n": 2})  # an input is missing: no function of arrays


def test_counters_may_be_given_in_one_text() -> None:
    costs = sc.trace(nn.Dense(4), "float32[n,8]", referee=False)
    found = sc.verify(costs, at={"n": 2}, targets=[], against="flax,xla").opinions
    assert [each.counter for each in found] == ["symcost, every trip", "flax tabulate", "XLA cost_analysis, lowered"]
    with pytest.raises(sc.SymcostError, match="unknown counter 'flox': did you mean flax"):
        sc.verify(costs, at={"n": 2}, targets=[], against="xla,flox")


@pytest.mark.parametrize("mode", ["forward", "train"])
def test_linen_reduces_over_a_named_axis_while_it_is_initialised_and_while_it_runs(mode: Any) -> None:
    norm = nn.BatchNorm(use_running_average=False, axis_name="batch")
    alone = nn.BatchNorm(use_running_average=False)
    mapped = sc.trace(norm, "float32[n,8]", axes={"batch": 8}, mode=mode, referee=False)
    plain = sc.trace(alone, "float32[n,8]", mode=mode, referee=False)
    assert mapped.params == plain.params == 16
    assert {row.op for row in mapped.rows} - {row.op for row in plain.rows} >= {"psum"} or "psum" in str(mapped.by_op())
    assert sc.verify(mapped, at={"n": 4}, targets=[])


def test_devices_and_targets_have_one_set_of_names() -> None:
    costs = sc.trace(nn.Dense(4), "float32[n,8]", referee=False).subs(n=4)
    assert sc.device("tpu-v5e") is sc.device("google-tpu-v5e")
    assert sc.mfu(costs, "0.25", "tpu-v5e").device == "google-tpu-v5e"
    assert sc.device("H100").name == "nvidia-h100-sxm"
