"""Rules of one's own: what they see, where they hold, what is told of them, and what is wrong with a bad one."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.core import ShapedArray
from jax.experimental import pallas as pl
from jax.extend import core

import symcost as sc
from symcost.report.words import facts

SPECS = ("float32[m,k]", "float32[k,n]")


@jax.jit
def product(x: Any, w: Any) -> Any:
    return jnp.tanh(x @ w)


@jax.custom_vjp
def with_vjp(x: Any, w: Any) -> Any:
    return x @ w


def _forward(x: Any, w: Any) -> tuple[Any, Any]:
    return with_vjp(x, w), (x, w)


def _backward(kept: Any, g: Any) -> tuple[Any, Any]:
    return g @ kept[1].T, kept[0].T @ g


with_vjp.defvjp(_forward, _backward)


@jax.custom_jvp
def with_jvp(x: Any, w: Any) -> Any:
    return x @ w


with_jvp.defjvp(lambda primals, tangents: (with_jvp(*primals), tangents[0] @ primals[1]))


def body(x: Any, w: Any, o: Any) -> None:
    o[...] = x[...] @ w[...]


def kernel(x: Any, w: Any) -> Any:
    out = jax.ShapeDtypeStruct((x.shape[0], w.shape[1]), x.dtype)
    return pl.pallas_call(body, out_shape=out, name="named_kernel")(x, w)


def unnamed_kernel(x: Any, w: Any) -> Any:
    return pl.pallas_call(body, out_shape=jax.ShapeDtypeStruct((x.shape[0], w.shape[1]), x.dtype))(x, w)


opaque_p = core.Primitive("opaque_kernel")
opaque_p.def_abstract_eval(lambda x, w, *, factor: ShapedArray((x.shape[0], w.shape[1]), x.dtype))


def opaque(x: Any, w: Any) -> Any:
    return opaque_p.bind(x, w, factor=3)


def cost(op: sc.Op) -> sc.Work:
    """Half of a product, and one exponential per result."""
    (m, k), (_, n) = (array.shape for array in op.ins)
    return sc.Work(macs=m * k * n, transcendentals=op.out.size, materialises=True)


CALLS: dict[str, tuple[Callable[..., Any], str]] = {
    "a function under jit": (product, "product"),
    "a custom_vjp": (with_vjp, "with_vjp"),
    "a custom_jvp": (with_jvp, "with_jvp"),
    "a Pallas kernel": (kernel, "named_kernel"),
    "a Pallas kernel by its function": (unnamed_kernel, "body"),
    "a primitive of one's own": (opaque, "opaque_kernel"),
    "a primitive of jax": (jnp.matmul, "dot_general"),
    "all kernels": (kernel, "pallas_call"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_whole_call_is_one_operation_with_a_closed_form(name: str) -> None:
    function, called = CALLS[name]
    with sc.rule(called, cost):
        costs = sc.trace_function(function, *SPECS)
    assert str(costs.macs) == "k*m*n"
    assert str(costs.transcendentals) == "m*n"
    assert str(costs.total("xla").flops) == "2*k*m*n"
    assert "rules of one's own count" in str(
        costs.certificate.xla
    )  # XLA counts the call's own program, and is not asked
    (row,) = [row for row in costs.rows if row.cost.macs != 0]
    replaced = called in ("dot_general", "pallas_call")
    assert (row.op, row.source) == (called, "replaced" if replaced else "own")
    assert costs.coverage == {"rules": 0, "probes": 0, "estimates": 0, "bounds": 0, row.source: 1}
    assert costs.subs(m=7, k=5, n=3).macs == 105


def test_xla_figures_are_the_rules_own_where_it_gives_them() -> None:
    with sc.rule("product", lambda op: sc.Work(macs=op.out.size, xla_flops=5 * op.out.size, xla_transcendentals=0)):
        total = sc.trace_function(product, *SPECS).total("xla")
    assert (str(total.flops), total.transcendentals) == ("5*m*n", 0)


def test_sizes_are_divided_with_floor_division() -> None:
    with sc.rule("product", lambda op: sc.Work(macs=op.ins[0].size // 3 + 100 // op.ins[0].shape[1])):
        costs = sc.trace_function(product, *SPECS)
    assert costs.subs(m=5, k=7, n=2).macs == 35 // 3 + 100 // 7


def test_outside_its_context_nothing_is_changed() -> None:
    before = sc.trace_function(product, *SPECS)
    with sc.rule("product", cost), sc.rule("dot_general", lambda op: sc.Work(macs=1)):
        pass
    with pytest.raises(ZeroDivisionError), sc.rule("dot_general", cost):
        raise ZeroDivisionError
    after = sc.trace_function(product, *SPECS)
    assert after.total("full") == before.total("full")
    assert "own" not in after.coverage


def test_the_inner_of_nested_contexts_holds_and_the_outer_is_restored() -> None:
    one, two = (lambda op: sc.Work(macs=1), lambda op: sc.Work(macs=2))

    def macs() -> Any:
        return sc.trace_function(product, *SPECS).macs

    again = sc.rule("product", two)
    with sc.rule("product", one):
        assert macs() == 1
        with again, again:
            assert macs() == 2
        assert macs() == 1


def test_a_primitives_rule_holds_inside_a_function_without_one() -> None:
    with sc.rule("tanh", lambda op: sc.Work(flops=7 * op.out.size)):
        costs = sc.trace_function(product, *SPECS)
    assert str(costs.flops - 2 * costs.macs) == "7*m*n"


def test_a_context_belongs_to_its_thread() -> None:
    found: list[Any] = []
    with sc.rule("product", lambda op: sc.Work(macs=1)):
        plain = threading.Thread(target=lambda: found.append(sc.trace_function(product, *SPECS).macs))
        copied = contextvars.copy_context()
        with_it = threading.Thread(target=lambda: found.append(copied.run(sc.trace_function, product, *SPECS).macs))
        for thread in (plain, with_it):
            thread.start()
            thread.join()
        assert sc.trace_function(product, *SPECS).macs == 1
    assert list(map(str, found)) == ["k*m*n", "1"]


def test_a_rule_sees_parameters_that_are_plain_data() -> None:
    seen: list[dict[str, Any]] = []

    def looked(op: sc.Op) -> sc.Work:
        seen.append(dict(op.params))
        return sc.Work(flops=op.params["factor"] * op.out.size)

    with sc.rule("opaque_kernel", looked):
        assert str(sc.trace_function(opaque, *SPECS).flops) == "3*m*n"
    assert all(params == {"factor": 3} for params in seen)
    with sc.rule("dot_general", lambda op: seen.append(dict(op.params)) or sc.Work()):
        sc.trace_function(jnp.matmul, *SPECS)
    assert seen[-1]["dimension_numbers"] == (((1,), (0,)), ((), ()))


def test_parameters_that_vary_are_closed_forms() -> None:
    def padded(op: sc.Op) -> sc.Work:
        ((low, high, inner),) = op.params["padding_config"]
        return sc.Work(flops=low + 2 * high + inner)

    with sc.rule("pad", padded):
        costs = sc.trace_function(lambda x: jnp.pad(x, (x.shape[0], 2)), "float32[n]")
    assert [str(row.cost.flops) for row in costs.rows if row.op == "pad"] == ["n + 4"]


class Two(nn.Module):
    """A kernel of one's own between two layers."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        kernel = self.param("kernel", nn.initializers.ones, (x.shape[-1], 8))
        return nn.Dense(4)(product(x, kernel))


def test_a_call_in_a_module_stands_in_its_module_and_its_matrices_are_weights() -> None:
    with sc.rule("product", cost):
        costs = sc.trace(Two(), "float32[n,c]")
    plain = sc.trace(Two(), "float32[n,c]")
    assert costs.macs == plain.macs
    assert costs.total("textbook").params == plain.total("textbook").params
    assert costs.params == plain.params


def test_in_training_the_backward_pass_has_a_rule_of_its_own_or_is_opened() -> None:
    def loss(x: Any, w: Any) -> Any:
        return jax.grad(lambda x, w: product(x, w).sum(), argnums=(0, 1))(x, w)

    forward = lambda op: sc.Work(macs=1)  # noqa: E731
    with sc.rule("product", forward):
        opened = sc.trace_function(loss, *SPECS)
    with sc.rule("product", forward), sc.rule("transpose(product)", lambda op: sc.Work(macs=10)):
        both = sc.trace_function(loss, *SPECS)
    assert str(opened.macs) == "2*k*m*n + 1"
    assert both.macs == 11
    assert {row.phase: row.cost.macs for row in both.rows if row.source == "own"} == {"forward": 1, "backward": 10}


def test_coverage_tells_what_rules_of_ones_own_counted_by_name() -> None:
    with sc.rule("product", cost), sc.rule("add", lambda op: sc.Work(flops=2 * op.out.size)):
        costs = sc.trace_function(lambda x, w: product(x, w) + 1.0, *SPECS)
    told = dict(facts.notes(costs))["coverage"]
    assert "1 by rules of one's own, 1 by rules of one's own in the place of built-in ones" in told
    assert "of the FLOPs 2*k*m*n by one's own rule of product; " in told
    assert told.endswith("of the FLOPs 2*m*n by one's own rule of add in the place of the built-in one")
    at = dict(facts.notes(costs.subs(m=2, k=3, n=4)))["coverage"]
    assert "of the FLOPs 48 (75.00 %) by one's own rule of product" in at
    assert "by rules of one's own" in costs.details()


def test_a_saved_table_keeps_who_counted(tmp_path: Path) -> None:
    with sc.rule("product", cost):
        costs = sc.trace_function(product, *SPECS)
    costs.save(tmp_path / "costs.json")
    loaded = sc.load(tmp_path / "costs.json")
    assert loaded.coverage["own"] == 1  # type: ignore[attr-defined]
    assert dict(facts.notes(loaded))["coverage"] == dict(facts.notes(costs))["coverage"]


def test_a_rule_that_was_never_used_is_warned_of_with_the_nearest_name() -> None:
    with pytest.warns(UserWarning, match=r"rule of 'produkt' was never used: .* was met: did you mean product\?"), \
            sc.rule("produkt", cost):  # fmt: skip
        sc.trace_function(product, *SPECS)
    with sc.rule("produkt", cost):  # nothing was traced: nothing is said
        pass


def test_a_verdict_is_of_the_rules_that_were_active() -> None:
    asked: dict[str, Any] = dict(at=dict(m=4, k=3, n=2), targets=[], function=True)
    assert sc.verify(product, *SPECS, **asked)
    with sc.rule("product", cost):
        verdict = sc.verify(product, *SPECS, **asked)
    assert (bool(verdict), verdict.flops) == (True, 48)
    with sc.rule("product", lambda op: sc.Work(macs=1)):
        assert sc.verify(product, *SPECS, **asked).outcome == "FALSE"
    assert sc.verify(product, *SPECS, **asked)


def _raise(problem: Exception) -> Any:
    raise problem


BAD: dict[str, tuple[Callable[[sc.Op], Any], str]] = {
    "no Work": (lambda op: 12, "the rule of 'product' gave 12: it must return symcost.Work(macs=..., flops=...)"),
    "a float": (lambda op: sc.Work(macs=1.5), "the rule of 'product' gave macs=1.5: counts are integers or closed forms"),
    "a whole float": (lambda op: sc.Work(flops=2.0), "the rule of 'product' gave flops=2.0: counts are integers"),
    "a fraction": (lambda op: sc.Work(int_ops=Fraction(1, 2)), "gave int_ops=Fraction(1, 2): counts are integers"),
    "a text": (lambda op: sc.Work(macs="m*n"), "the rule of 'product' gave macs='m*n': counts are integers"),
    "a flag": (lambda op: sc.Work(macs=True), "the rule of 'product' gave macs=True: counts are integers"),
    "nothing": (lambda op: sc.Work(macs=None), "the rule of 'product' gave macs=None: counts are integers"),
    "a negative count": (lambda op: sc.Work(macs=-4), "the rule of 'product' gave macs=-4: a count is never negative"),
    "a negative form": (lambda op: sc.Work(macs=2 - op.out.size), "a count is never negative"),
    "a division": (lambda op: sc.Work(macs=op.out.size / 2), "divided with // and never with /"),
    "more padding than MACs": (lambda op: sc.Work(macs=1, padding_macs=2), "gave padding_macs=2: they are some of its 1 macs"),
    "a flag that is none": (lambda op: sc.Work(materialises=1), "gave materialises=1: say True or False"),  # type: ignore[arg-type]
    "another flag that is none": (lambda op: sc.Work(moves=0), "gave moves=0: say True or False"),  # type: ignore[arg-type]
    "it raises": (lambda op: sc.Work(macs=op.ins[7].size), "the rule of 'product' raised IndexError: tuple index out of range"),
    "it raises lines": (lambda op: _raise(ValueError("one\ntwo")), "the rule of 'product' raised ValueError: one: its sizes"),
    "it raises nothing said": (lambda op: _raise(ValueError()), "the rule of 'product' raised ValueError: no message: its"),
    "more bits than any count": (lambda op: sc.Work(macs=10**5000), "macs=an integer of 16610 bits: counts have at most"),
    "fewer than nothing by many bits": (lambda op: sc.Work(macs=-(10**5000)), "macs=an integer of 16610 bits: a count is never"),
    "a table of numbers": (lambda op: np.zeros((3, 3)), "gave array([[0., 0., 0.], [0., 0., 0.], [0., 0., 0.]]): it must"),
    "a comparison": (lambda op: sc.Work(macs=1 if op.out.size > 9 else 2), "raised TypeError: '>' not supported"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_rule_is_one_line_that_names_it(name: str) -> None:
    function, message = BAD[name]
    with pytest.raises(sc.SymcostError) as caught, sc.rule("product", function):
        sc.trace_function(product, *SPECS)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        ("", cost, "'' names nothing: give a primitive's name or a function's, as 'my_kernel'"),
        (product, cost, "names nothing"),
        (
            "product",
            12,
            "the rule of 'product' is 12: give a function that takes a symcost.Op and returns a symcost.Work",
        ),
    ],
)
def test_what_is_no_rule_is_said_at_once(name: Any, function: Any, message: str) -> None:
    with pytest.raises(sc.RuleError) as caught:
        sc.rule(name, function)
    assert message in str(caught.value)
