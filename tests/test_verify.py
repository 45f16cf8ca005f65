"""The verdict: what it compares, when it is false, and what it says about bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
from effort import needs
from referee_cases import MLP, Encoder
from zoo.control import CondHalt

import symcost as sc
from examples.scan_or_unrolled import Scanned
from symcost.agreement.check import Check
from symcost.referee.compilers.answer import TargetAnswer
from symcost.referee.compilers.pool import Worker
from symcost.referee.compilers.targets import Target
from symcost.referee.verdicts import verify
from symcost.report.subjects import verdict as report
from symcost.tracing import derive as trace_derive

pytestmark = pytest.mark.usefixtures("traced_once")

AT = dict(n=4, d=8, L=2)
SPEC = "float32[n,6]"


@pytest.fixture(scope="module")
def true() -> sc.Verdict:
    return sc.verify(MLP, SPEC, at=AT, targets=["cpu"], against=["xla", "flax", "roofline"])


@pytest.fixture(scope="module")
def wrong() -> sc.Verdict:
    """The verdict on a closed form that is one unit off in one module."""
    lifted = sc.trace(MLP, SPEC)

    class Off:
        symbols = lifted.symbols

        def subs(self, **point: int) -> Any:
            rows = list(lifted.subs(**point).rows)
            k = next(k for k, row in enumerate(rows) if row.xla.flops and row.path)
            rows[k] = replace(rows[k], xla=replace(rows[k].xla, flops=rows[k].xla.flops + 1))
            return sc.CostTable(rows)

    patch = pytest.MonkeyPatch()
    patch.setattr(verify, "_closed_form", lambda known: Off())
    try:
        return sc.verify(MLP, SPEC, at=AT, targets=[], cache=False)
    finally:
        patch.undo()
        verify._derived.cache_clear()


def test_a_true_verdict_has_only_checks_that_hold(true: sc.Verdict) -> None:
    assert true
    assert all(check.passed for check in true.checks)
    assert {check.level for check in true.checks} == {1, 2, 3}
    assert true.flops == next(check.theirs for check in true.checks if check.metric == "flops")


def test_one_unit_in_one_module_makes_it_false_and_names_the_module(
    wrong: sc.Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert not wrong
    failed = [check for check in wrong.checks if not check.passed]
    assert [(check.level, check.metric, check.difference) for check in failed] == [
        (1, "flops", -1),
        (1, "flops in other modules", 1),
    ]
    (row,) = [row for row in wrong.modules if row.difference]
    assert (row.path.startswith("Dense_"), row.difference) == (True, -1)
    (operations,) = wrong.operations.values()
    assert {name.partition(" ")[0] for name in operations} == {"our", "their"}
    assert "Operations where level 1 failed" in str(wrong)
    for form in ("text", "markdown"):
        assert "every module's own count is compared" in " ".join(report.FORMATS[form](wrong).split())


def test_a_target_that_does_not_answer_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "problem", lambda self: "nothing works here" if self.name == "tpu-v4" else None)
    verdict = sc.verify(MLP, SPEC, at=AT, targets=["tpu-v4", "cpu"])
    assert not verdict
    assert all(check.passed for check in verdict.checks)
    assert dict(verdict.failures) == verdict.unanswered == {"tpu-v4": "tpu-v4: nothing works here"}
    assert verdict.outcome == "INCOMPLETE"
    assert str(verdict).startswith(
        f"INCOMPLETE at n=4, d=8, L=2: no answer from tpu-v4; {len(verdict.checks)} checks passed"
    )
    assert [made.target for made in verdict.targets] == ["cpu"]


def test_a_failed_check_is_false_whoever_did_not_answer(wrong: sc.Verdict, true: sc.Verdict) -> None:
    assert (true.outcome, wrong.outcome) == ("TRUE", "FALSE")
    both = replace(wrong, failures={"tpu-v4": "not here"})
    assert both.outcome == "FALSE"
    failed = f"2 of {len(wrong.checks)} checks failed (first lowered, flops: 1,705 of ours, 1,704 of theirs)"
    assert report.sentence(both).endswith(f"{failed}, no answer from tpu-v4")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (dict(text="", memory_text="", unprinted="INTERNAL: no"), "the compiler cannot print it (INTERNAL: no)"),
        (dict(text="HloModule m\nENTRY e {\n  ROOT x = f32[] wonder()\n}"), "opcode 'wonder' of instruction 'x' has no rule"),
        (dict(text="HloModule m, and nothing else"), "has no ENTRY computation"),
    ],
    ids=["not printed", "not counted", "not read"],
)  # fmt: skip
def test_a_program_that_is_not_read_leaves_the_compilers_figures(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], reason: str
) -> None:
    asked = Worker.ask

    def ask(self: Worker, *arguments: Any) -> Any:
        found = asked(self, *arguments)
        assert isinstance(found, TargetAnswer)
        return replace(found, **answer)

    monkeypatch.setattr(Worker, "ask", ask)
    monkeypatch.setattr("symcost.referee.compilers.cache.keep", lambda *arguments: None)
    verdict = sc.verify(MLP, SPEC, at=dict(n=3, d=8, L=2), targets=["cpu"], cache=False)
    (made,) = verdict.targets
    assert (verdict.outcome, bool(verdict), dict(verdict.failures)) == ("INCOMPLETE", False, {})
    assert reason in made.missing
    assert (made.recount, made.transcendentals, made.bytes_accessed, made.attributed) == (None, None, None, None)
    assert made.raw > 0
    assert made.memory["peak"] > made.memory["arguments"] > 0
    assert {check.level for check in verdict.checks if check.target == "cpu"} == {3}
    assert reason in " ".join(str(verdict).split())
    document = json.loads(report.json(verdict))
    assert (document["outcome"], document["targets"][0]["recount"]) == ("INCOMPLETE", None)


def test_a_verdict_without_a_program_is_saved_and_loaded(true: sc.Verdict, tmp_path: Path) -> None:
    made = replace(true.targets[0], recount=None, transcendentals=None, bytes_accessed=None, attributed=None, missing="no text",
                   widened={"all-reduce widened from bfloat16 to float32": 8})  # fmt: skip
    verdict = replace(true, targets=(made,))
    verdict.save(tmp_path / "verdict.json")
    loaded = sc.load_verdict(tmp_path / "verdict.json")
    assert loaded == verdict
    assert loaded.outcome == "INCOMPLETE"


def test_a_bound_passes_inside_its_limits_only() -> None:
    check = Check(level=3, target="cpu", metric="peak", ours=5, theirs=7, witness="w", limits=(5, 9))
    assert check.passed
    assert not replace(check, theirs=4).passed
    assert not replace(check, theirs=10).passed
    assert replace(check, theirs=10, limits=(5, None)).passed


def test_a_loop_is_compared_with_every_trip_and_other_counters_are_explained() -> None:
    verdict = sc.verify(Scanned, "float32[n,N,d]", at=dict(n=1, N=8, d=16, L=5), targets=[],
                        against=["flax", "roofline", "xla"])  # fmt: skip
    assert verdict
    once, whole = (next(c.theirs for c in verdict.checks if c.metric == m) for m in ("flops", "flops, every trip"))
    assert (whole, once) == (5 * once, once)
    found = {opinion.counter: opinion for opinion in verdict.opinions}
    assert found["symcost, every trip"].flops == whole
    assert found["XLA cost_analysis, lowered"].flops == found["flax tabulate"].flops == once
    assert f"loop bodies counted once {once - whole:+,}" in found["flax tabulate"].because
    assert "loop bodies counted once" in found["JAX roofline, unfused"].because


@pytest.mark.campaign
def test_other_counters_count_nnx_modules_too_and_say_when_they_cannot() -> None:
    nnx = sc.verify(Encoder, "float32[n,N,d]", at=dict(n=1, N=4, d=8, L=1), targets=[], against=["flax"])
    assert nnx.opinions[1].flops == nnx.flops
    plain = sc.verify(jax.numpy.matmul, "float32[m,k]", "float32[k,m]", at=dict(m=2, k=3), function=True, targets=[],
                      against=["flax"])  # fmt: skip
    assert (plain.opinions[1].flops, plain.opinions[1].because) == (None, "it counts modules, and this is a function")


def test_a_conditional_counts_where_it_stands() -> None:
    verdict = sc.verify(CondHalt, "float32[n,dim]", at=dict(n=2, dim=6), targets=["cpu"])
    assert verdict
    assert not [row for row in verdict.modules if row.target == "lowered" and row.difference]


def test_a_loop_that_nobody_can_count_is_compared_once() -> None:
    def settle(x: jax.Array) -> jax.Array:
        return jax.lax.while_loop(lambda c: c.sum() < 9.0, lambda c: jax.numpy.tanh(c @ c), x)

    verdict = sc.verify(settle, "float32[n,n]", at=dict(n=4), function=True, targets=["cpu"])
    assert verdict
    assert not [check for check in verdict.checks if "every trip" in check.metric]


def test_layers_their_twin_and_the_compilers_are_three_witnesses() -> None:
    n, c = sc.symbols("n c")
    net = sc.Sequential(sc.Conv2d(c_o=c, k=3, p=1), sc.BatchNorm(), sc.ReLU(), sc.GlobalAvgPool(), sc.Linear(10))
    verdict = sc.verify(sc.table(net, (n, 3, 8, 8)), at=dict(n=2, c=4), targets=["cpu"])
    assert verdict
    layers = [check for check in verdict.checks if check.target == "layers"]
    assert {check.metric.partition(" ")[2] for check in layers} == {"(textbook)", "(full)", "(xla)"}
    with pytest.raises(sc.SymcostError, match="no value for c: a compiler needs all of them, give at=dict"):
        sc.verify(sc.table(net, (n, 3, 8, 8)), at=dict(n=2))
    with pytest.raises(sc.DomainError, match="unknown symbol 'd'"):
        sc.verify(sc.table(net, (n, 3, 8, 8)), at=dict(n=2, c=4, d=1))


def test_our_own_peak_stands_beside_the_compilers_temporaries(true: sc.Verdict) -> None:
    own = sc.trace(MLP, SPEC).subs(**AT).peak(unit="bytes")
    assert true.targets[0].memory["our liveness peak of the activations, none fused"] == own > 0


def test_forward_and_backward_are_apart() -> None:
    verdict = sc.verify(MLP, SPEC, at=AT, mode="train", targets=["cpu"])
    assert verdict
    assert {row.phase for row in verdict.modules if row.target == "lowered"} == {"forward", "backward"}
    assert sum(verdict.targets[0].phases.values()) == verdict.targets[0].recount


def test_the_same_question_again_compiles_nothing_and_lifts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = sc.verify(MLP, SPEC, at=AT, targets=["cpu"])
    monkeypatch.setattr(verify, "derive", None)
    events: list[str] = []
    again = sc.verify(MLP, SPEC, at=AT, targets=["cpu"], on_event=lambda _, event: events.append(event))
    assert events == ["cached"]
    assert again.checks == first.checks


def test_another_process_takes_what_is_kept_and_a_damaged_entry_counts_as_absent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYMCOST_CACHE", str(tmp_path))
    lifted = []

    def derive(*args: Any) -> Any:
        lifted.append(args)
        return trace_derive.derive(*args)

    def asked(**options: Any) -> sc.Verdict:
        verify._derived.cache_clear()  # as in a new process
        return sc.verify(MLP, SPEC, at=AT, targets=[], **options)

    monkeypatch.setattr(verify, "derive", derive)
    first = asked()
    assert (asked().checks, len(lifted)) == (first.checks, 1)
    assert (asked(cache=False).checks, len(lifted)) == (first.checks, 2)
    (file,) = tmp_path.glob("*/costs.json")
    file.write_text(file.read_text().replace("768", "769", 1))
    assert (asked().checks, len(lifted)) == (first.checks, 3)
    assert (asked().checks, len(lifted)) == (first.checks, 3)


def test_one_target_one_counter_and_numbers_of_numpy_are_taken_as_they_are() -> None:
    verdict = sc.verify(MLP, SPEC, at={name: np.int64(size) for name, size in AT.items()}, targets="cpu", against="xla")
    assert verdict
    assert (verdict.at, [made.target for made in verdict.targets]) == (AT, ["cpu"])
    assert all(type(size) is int for size in verdict.at.values())


@pytest.mark.campaign
def test_plug_ins_without_their_devices_say_nothing_in_python_either() -> None:
    program = (
        "import symcost as sc; print(bool(sc.verify(sc.models.alexnet(n='n'), at=dict(n=1), targets=[], cache=False)))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment,
                          timeout=120)  # fmt: skip
    assert done.stdout == "True\n"
    assert "Traceback" not in done.stderr
    assert "libtpu" not in done.stderr


def test_numbers_of_64_bits_stay_so_where_they_are_compiled() -> None:
    with jax.enable_x64(True):
        verdict = sc.verify(
            lambda d: nn.Dense(d, param_dtype="float64"), "float64[n,6]", at=dict(n=2, d=3), targets=["cpu"]
        )
    assert verdict
    assert verdict.targets[0].memory["arguments"] == 8 * (2 * 6 + 6 * 3 + 3) + 16  # the key of the random stream


def test_a_model_that_changed_is_asked_about_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "derive", trace_derive.derive)  # what changes is traced each time
    width = [8]

    class Changing(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.Dense(width[0])(x)

    before = sc.verify(Changing, SPEC, at=dict(n=4), targets=[])
    width[0] = 16
    after = sc.verify(Changing, SPEC, at=dict(n=4), targets=[])
    assert before
    assert after
    assert after.flops == 2 * before.flops


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(at=dict(n=1, d=8)), "no value for L: a compiler needs all of them, give at=dict(L=...)"),
        (dict(at={**AT, "q": 1}), "unknown symbol 'q': the symbols here are n, d, L"),
        (dict(at={**AT, "n": 0}), "n=0 is outside the domain: n must be a positive integer"),
        (dict(at={**AT, "n": 2.0}), "n=2.0 is outside the domain: n must be a positive integer"),
        (dict(at=AT, targets=["tpu-v5x"]), "unknown target 'tpu-v5x': did you mean tpu-v5"),
        (dict(at=AT, against=["flix"]), "unknown counter 'flix': did you mean flax"),
        (dict(at=AT, against=["nvprof"]), "unknown counter 'nvprof': use flax, roofline, xla"),
        (dict(at=AT, mode="backward"), "unknown mode 'backward': use forward, train"),
        (dict(at=AT, shard={"inputs": ("data",)}), "shard needs a mesh of devices"),
        (dict(at=AT, mesh={"data": 2}, shard={"inptus": ("data",)}), "shard names 'inptus', which is part of no array's name"),
        (dict(at=AT, mesh={"data": 2}, shard={"inputs": ("date",)}),
         "shard cuts 'inputs' along 'date', which the mesh lacks: did you mean data?"),
        (dict(at=AT, mesh={"data": 3}, shard={"inputs": ("data",)}),
         "inputs/0 of shape (4, 6): its 4 is cut along 'data' into 3 parts"),
        (dict(at=AT, mesh={"data": 2}, shard={"bias": (None, "data")}), "shard gives 2 axes to params/Dense_0/bias"),
        (dict(at=AT, mesh={"data": 0}), "the mesh axis data has 0 devices: it must be a positive integer"),
        pytest.param(
            dict(at=AT, targets=["tpu-v5e"], mesh={"data": 3}), "tpu-v5e has no topology of 3 devices here",
            marks=needs("libtpu", "a TPU's program"),
        ),
        (dict(at=AT, mesh={"data": 2}, shard={"inputs": ("data", "data")}), "shard cuts 'inputs' twice along 'data'"),
        (dict(at=AT, mesh={"data": 3}, shard={"inputs": "data"}),
         "inputs/0 of shape (4, 6): its 4 is cut along 'data' into 3 parts"),
        (dict(at=AT, targets="cqu"), "unknown target 'cqu': did you mean cpu"),
        (dict(at=AT, against="flix"), "unknown counter 'flix': did you mean flax"),
        (dict(at=AT, timeout=0), "timeout=0 is no time to wait: give seconds"),
        (dict(at=AT, timeout=None), "timeout=None is no time to wait: give seconds"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SymcostError) as caught:
        sc.verify(MLP, SPEC, **{"targets": ["cpu"], **options})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_texts_of_all_formats_say_the_same(true: sc.Verdict, wrong: sc.Verdict) -> None:
    for verdict in (true, wrong):
        told = json.loads(report.json(verdict))
        assert told["verdict"] is bool(verdict)
        assert told["flops"] == verdict.flops
        assert len(told["checks"]) == len(verdict.checks)
        assert sum(not check["passed"] for check in told["checks"]) == sum(not c.passed for c in verdict.checks)
        first = report.sentence(verdict)
        assert " ".join(report.text(verdict).split()).startswith(first)
        assert report.markdown(verdict).startswith(f"**{first}**")
        assert first in verdict._repr_html_()


def test_the_steps_in_the_text_lead_from_the_compilers_figure_to_the_program_as_written(true: sc.Verdict) -> None:
    (_, _, rows), *_ = [section for section in report.sections(true) if section[0].startswith("From the compiler")]
    values = {
        step: int(number.replace(",", "")) for _, step, number in rows if "%" not in number and "bytes" not in step
    }
    written = values.pop("as written")
    raw, recount = values.pop("XLA prints"), values.pop("compiled, recounted")
    without = sum(value for step, value in values.items() if step.startswith("without"))
    assert raw + sum(value for step, value in values.items() if not step.startswith("without")) == recount
    assert recount + without == written == true.flops


def test_figures_of_a_sharded_program_are_one_devices_and_no_program_as_written_stands_below_them() -> None:
    verdict = sc.verify(nn.Dense, "float32[n,c]", at=dict(n=64, c=8, features=8), targets=["cpu"], mesh={"d": 8},
                        shard={"inputs": ("d",)})  # fmt: skip
    assert verdict
    steps = {step: number for title, _, rows in report.sections(verdict) if title.startswith("From the compiler")
             for _, step, number in rows}  # fmt: skip
    assert steps["XLA prints (per device, of 8)"] == f"{verdict.flops // 8:,}"
    assert "as written" not in steps
    assert json.loads(report.json(verdict))["targets"][0]["devices"] == 8


def test_networks_of_layers_that_read_tokens_get_integers() -> None:
    verdict = sc.verify(sc.models.gpt2(d=8, H=2, L=1, V=20, N="N", n=1), at={"N": 16}, targets=[])
    assert verdict
    assert {check.target for check in verdict.checks} >= {"layers"}
