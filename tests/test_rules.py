"""Every rule against the compiler and against its stated closed form."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import pytest
from effort import by_turns
from hypothesis import given
from hypothesis import strategies as st
from jax.interpreters import partial_eval
from rule_case import Case, spec
from rule_cases import CASES
from window_case import output_size

from symcost.errors import RuleError
from symcost.formulas.form import Form
from symcost.formulas.symbols import evaluate, parse
from symcost.formulas.windows.window import positions_inside
from symcost.hlo import analyse
from symcost.rules import ENTRIES, Array, Op, Work, add, rule
from symcost.rules.families import blocks
from symcost.rules.families.convolution import positions_inside_form
from symcost.tracing.program.control import HANDLERS

# Primitives that only newer versions of jax have: their rows exist only there.
NEWER = {"log2", "one_minus_square"} - {case.primitive for case in CASES}


@dataclass
class Count:
    """Sums over a program, under both conventions, and the primitives met."""

    macs: Any = 0
    flops: Any = 0
    transcendentals: Any = 0
    int_ops: Any = 0
    xla_flops: Any = 0
    xla_transcendentals: Any = 0
    primitives: frozenset[str] = frozenset()

    def add(self, name: str, work: Work) -> None:
        """One more equation."""
        self.macs += work.real_macs
        self.flops += work.total_flops
        self.transcendentals += work.transcendentals
        self.int_ops += work.int_ops
        self.xla_flops += work.flops_under_xla
        self.xla_transcendentals += work.transcendentals_under_xla
        self.primitives |= {name}


def _walk(jaxpr: Any, count: Count) -> None:
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        ins, outs = (
            tuple(Array(tuple(v.aval.shape), str(v.aval.dtype)) for v in variables)
            for variables in (equation.invars, equation.outvars)
        )
        if name in ENTRIES and name not in HANDLERS:
            entry = ENTRIES[name]
            count.add(name, entry.rule(Op(name, ins, outs, entry.extract(equation.params, ins, outs))))
            continue
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        assert inner is not None, f"{name} has no rule"
        inner = getattr(inner, "jaxpr", inner)
        _walk(inner, count)


def count_by_rules(function: Callable[..., Any], specs: list[jax.ShapeDtypeStruct]) -> Count:
    """What the rules say of a function at concrete sizes. The one place that walks a program."""
    closed = jax.make_jaxpr(function)(*specs)
    live, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    count = Count()
    _walk(live, count)
    return count


def count_by_xla(function: Callable[..., Any], specs: list[jax.ShapeDtypeStruct]) -> tuple[int, int]:
    """FLOPs and transcendentals of the unoptimised program; XLA leaves a figure out when it is zero.

    The -1 that it prints for each call it cannot cost, such as an annotation's, is taken out again.
    """
    lowered = jax.jit(function).trace(*specs).lower(lowering_platforms=("cpu",))
    figures = lowered.cost_analysis()
    totals = tuple(figures.get(key, 0.0) for key in ("flops", "transcendentals"))
    assert all(total < 2**24 and total == int(total) for total in totals)  # exact in XLA's float32
    marks = analyse(lowered.compiler_ir("hlo").as_hlo_text()).calls
    return int(totals[0]) - marks[0], int(totals[1]) - marks[1]


NO_ONES = {
    "ragged_dot_general-rows": "of one group with one row, jax leaves the comparisons out",
    "ragged_dot_general-complex64": "of one group with one row, jax leaves the comparisons out",
    "ragged_dot_general-contraction": "of one group with one row, jax leaves the comparisons out",
    "conv_general_dilated-cropped": "nothing is left of one pixel",
    "approx_top_k": "the two largest of one",
    "approx_top_k-smallest": "the two smallest of one",
    "split": "two parts of one",
}
"""Rows that have no smallest sizes of all ones, and why."""


def sizes(case: Case) -> list[Mapping[str, int]]:
    """The row's own sizes, and all ones."""
    ones = dict.fromkeys(case.points[0], 1)
    return [*case.points, *([] if ones in case.points or case.label in NO_ONES else [ones])]


POINTS = [
    pytest.param(case, at, id=f"{case.label}-{','.join(f'{k}={v}' for k, v in at.items())}", marks=by_turns(i, j, 3))
    for i, case in enumerate(CASES)
    for j, at in enumerate(sizes(case))
]


# complex to real is a case of its own; jax warns of it every time
@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize(("case", "at"), POINTS)
def test_rules_equal_xla_and_the_closed_form(case: Case, at: Mapping[str, int]) -> None:
    """At every point: XLA's totals, and the stated closed form of the full convention."""
    specs = [spec(text, at) for text in case.specs]
    with jax.enable_x64(case.x64):
        ours = count_by_rules(case.function, specs)
        theirs = count_by_xla(case.function, specs)
    assert case.primitive in ours.primitives
    assert (ours.xla_flops, ours.xla_transcendentals) == theirs
    metrics = ("macs", "flops", "transcendentals", "int_ops")
    stated = {name: evaluate(parse(getattr(case, name)), at) for name in metrics}
    assert {name: getattr(ours, name) for name in stated} == stated


def test_every_row_has_three_sizes() -> None:
    """All ones among them, but where there is a reason."""
    assert [case.label for case in CASES if len(sizes(case)) < 3] == []
    assert set(NO_ONES) <= {case.label for case in CASES}


def test_every_primitive_has_a_row() -> None:
    """A rule without a row is a rule that nobody checks."""
    rows = {case.primitive for case in CASES}
    ruled = {
        name for name, entry in ENTRIES.items() if name not in HANDLERS and entry.rule.__module__ != blocks.__name__
    }
    free = {name for names in (blocks.BLOCKS, blocks.COPIES, blocks.WAITS, blocks.PLACES) for name in names}
    # Of a kernel, as what is in blocks: rows in test_kernels.py; a check has one in test_lowering.py.
    inside = {"matmul_pop", "matmul_push_rhs", "check"}
    assert ruled - free - inside - rows == NEWER


def test_registering_twice_is_an_error() -> None:
    """The error names the primitive."""
    message = "primitive 'dot_general' already has a rule: remove one of the two"
    with pytest.raises(RuleError, match=message):
        rule("dot_general")(lambda op: Work())
    with pytest.raises(RuleError, match=message):
        add(("dot_general",), lambda op: Work())


def test_rules_never_import_jax() -> None:
    """In a fresh interpreter: the symbolic half works without jax."""
    program = "import sys, symcost.rules; print({m.split('.')[0] for m in sys.modules} & {'jax', 'jaxlib'})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@given(st.data())
def test_places_inside_in_closed_form_equal_a_count_for_every_size_that_fits(data: st.DataObject) -> None:
    k, s, d = (data.draw(st.integers(1, top)) for top in (9, 4, 4))
    lo, hi = (data.draw(st.integers(-2, d * k)) for _ in range(2))
    form = positions_inside_form(Form.symbol("w"), k, s, lo, hi, d)
    for size in range(max(1, d * (k - 1) + 1 - lo - hi), 60):
        outputs = output_size(size, k, s, lo, hi, d)
        assert form.value({"w": size}) == positions_inside(size, k, outputs, s, lo, d)
