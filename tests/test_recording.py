"""What a program decides by its sizes is written down, and where nothing of it changes the program is the same."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import threading
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
import recording_programs
from flax import nnx
from jax._src.export import shape_poly
from recording_programs import ROWS, Row, Stack, plain_length

from symcost.errors import DomainError, TraceError
from symcost.formulas.conditions import Compare, condition
from symcost.formulas.form import Form
from symcost.formulas.symbols import evaluate
from symcost.tracing.evidence import places, selftest
from symcost.tracing.evidence.frames.watch import watch
from symcost.tracing.evidence.guard import OPERATORS, Guard, guard
from symcost.tracing.evidence.record import Recording, record, shapes_of
from symcost.tracing.evidence.recording import recording
from symcost.tracing.face import trace
from symcost.tracing.program.capture import PointError, traced
from symcost.tracing.program.given import make_model
from symcost.tracing.program.model import Model
from symcost.tracing.program.paths import renew_budget
from symcost.tracing.program.spec import parse_tree


def concrete(model: Model, point: Mapping[str, int]) -> list[Any]:
    """Products, loops and results of a fresh trace."""
    renew_budget()
    return list(shapes_of(traced(model, point)[1].jaxpr))


def told(found: Recording, point: Mapping[str, int]) -> list[Any]:
    """The same as the recording tells them at a point."""
    here = found.at(point)

    def value(part: Any) -> Any:
        return (
            tuple(map(value, part)) if isinstance(part, tuple) else part.value(here) if isinstance(part, Form) else part
        )

    return [value(each) for each in found.shapes]


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_where_nothing_that_was_recorded_changes_the_program_is_the_same(case: Row) -> None:
    found = record(case.model(), case.base)
    assert found.traced, found.reason
    seen = {str(each) for each in found.guards}
    assert seen >= set(case.guards), seen
    assert found.pinned >= set(case.pins)
    assert {str(made) for made in found.roundings} >= set(case.roundings)
    assert found.proved == set(found.symbols) - found.pinned - found.rounded
    names = tuple(case.values)
    points = [dict(zip(names, values, strict=True)) for values in itertools.product(*case.values.values())]
    for point in (case.base, *points, *case.same):
        if found.changed(point) is None:
            assert told(found, point) == concrete(case.model(), point), point
    assert not [found.changed(point) for point in (case.base, *case.same) if found.changed(point)]


def test_a_size_is_an_integer_in_code_that_no_module_holds() -> None:
    def small(x: Any) -> Any:
        return x @ x if isinstance(x.shape[0], int) and x.shape[0] < 8 else x

    alone = types.FunctionType(small.__code__, {})
    model = Model(None, None, parse_tree(("float32[d,d]",)), (), {}, {}, function=alone)
    assert [str(each) for each in record(model, {"d": 5}).guards] == ["d <= 7"]


def test_guards_are_conditions_that_the_safe_parser_reads() -> None:
    read = 0
    for case in ROWS[:20]:
        found = record(case.model(), case.base)
        for each in found.guards:
            if each.readable:
                text, here = condition(str(each)), found.at(case.base)
                assert isinstance(text, Compare)
                assert OPERATORS[text.op](evaluate(text.left, here), evaluate(text.right, here))
                read += 1
    assert read > 20


def test_a_guard_names_the_line_of_the_model_that_decides() -> None:
    found = record(ROWS[3].model(), ROWS[3].base)
    (place,) = {each.place for each in found.guards if str(each) == "d % 96 != 0"}
    assert place.file == recording_programs.__file__
    assert 'row("remainder"' in place.text
    (pin,) = record(next(r for r in ROWS if r.name == "dictionary").model(), {"n": 3, "d": 64}).pins
    where = f"{Path(recording_programs.__file__).name}:{pin.place.line}"
    assert str(pin) == f"d as a plain number at {where}: return x @ jnp.ones((x.shape[1], SIZES[x.shape[1]]))"


def test_structural_symbols_stay_plain_numbers() -> None:
    model = make_model(lambda L, d: Stack(L, d), ("float32[n,c]",))
    assert record(model, {"L": 3, "d": 8, "n": 2, "c": 5}).pinned == {"L"}
    found = record(model, {"L": 3, "d": 8, "n": 2, "c": 5}, structural=("L",))
    assert (found.symbols, found.proved, found.pins) == (("n", "c", "d"), {"n", "c", "d"}, ())
    assert found.changed({"L": 4, "d": 8, "n": 2, "c": 5}) == "L is another one, and was recorded as a plain number"


def test_what_the_model_raises_is_told_in_words() -> None:
    def refuse(x: Any) -> Any:
        raise ValueError("no such size")

    found = record(Model(None, None, parse_tree(("float32[n]",)), (), {}, {}, function=refuse), {"n": 3})
    assert (found.traced, found.proved) == (False, frozenset())
    assert found.reason == "the model raised at n=n: ValueError: no such size"


def test_a_symbol_that_must_be_plain_does_not_take_the_others_with_it() -> None:
    model = Model(None, None, parse_tree(("float32[T,d]",)), (), {}, {}, function=plain_length)
    found = record(model, {"T": 8, "d": 5})
    assert found.traced
    assert (found.plain, found.proved) == ("T", {"d"})
    assert found.changed({"T": 8, "d": 6}) is None
    assert found.changed({"T": 9, "d": 5}) == (
        "T is another one, and was recorded as a plain number: the model raised at T=T, d=d: NotImplementedError: "
        "a length that is no number"
    )


def test_a_recording_that_takes_too_long_is_given_up() -> None:
    found = record(ROWS[0].model(), ROWS[0].base, seconds=-1)
    assert (found.traced, found.reason) == (False, "recording what the program decides took more than -1 s")


def classes() -> list[dict[str, Any]]:
    """Everything that a recording replaces, as it is now."""
    from jax._src import core
    from jax._src.lax import convolution, lax
    from jax._src.lax.control_flow import loops
    from jax._src.nn import initializers
    from jax._src.numpy import einsum

    owners: list[Any] = [shape_poly._DimExpr, shape_poly, math, np, nn.linear, nnx, convolution, loops, initializers,
                         core, lax.reshape_p]  # fmt: skip
    return [*(dict(vars(owner)) for owner in owners), dict(einsum._poly_einsum_handlers), dict(globals())]


@pytest.mark.parametrize("problem", [None, ValueError("x"), KeyboardInterrupt()], ids=["done", "raised", "interrupted"])
def test_jax_and_python_are_as_before_whatever_happens_inside(problem: BaseException | None) -> None:
    before = classes()
    with contextlib.suppress(ValueError, KeyboardInterrupt), recording({"d": 3}) as seen:
        assert bool(seen.dimension("d") > 2)
        assert classes() != before
        if problem is not None:
            raise problem
    assert classes() == before


def test_other_threads_see_sizes_as_jax_made_them() -> None:
    answers: list[Any] = []

    def other(size: Any) -> None:
        answers.append(size == 3)
        try:
            answers.append(size > 2)
        except jax.errors.JAXTypeError:
            answers.append("undecided")
        except Exception as raised:
            answers.append(type(raised).__name__)
        try:
            with recording({"d": 3}):
                answers.append("entered")
        except TraceError as raised:
            answers.append(str(raised))

    with recording({"d": 3}) as seen:
        thread = threading.Thread(target=other, args=(seen.dimension("d"),))
        thread.start()
        thread.join()
        assert not seen.guards
    assert answers == [False, "InconclusiveDimensionOperation",
                       "another recording is under way in this process: wait until it is done"]  # fmt: skip


@functools.lru_cache
def remembered(d: Any) -> bool:
    """A decision of this module's that is taken once."""
    return d % 24 == 0


def test_what_a_function_remembers_is_decided_again_inside() -> None:
    wrapped, _ = remembered, remembered(193)
    with recording({"d": 193}) as seen:
        assert not remembered(seen.dimension("d"))
    assert (remembered, [*map(str, seen.guards)], seen.pins) == (wrapped, ["d % 24 != 0"], {})


@pytest.mark.parametrize("text", [str, repr, "{}".format, "{:>5}".format, lambda d: f"w{d}"])
def test_a_size_that_is_written_as_text_is_a_plain_number(text: Any) -> None:
    with recording({"d": 193}) as seen:
        assert text(seen.dimension("d")) == text(193)
    assert [str(pin).split(" at ")[0] for pin in seen.pins] == ["d as a plain number"]


def test_beside_a_recording_of_another_thread_a_model_is_counted_as_far_as_it_is_tried() -> None:
    before, made = classes(), []

    def other() -> None:
        made.append(trace(lambda d: nn.Dense(d), "float32[n,8]", referee=False))

    with recording({"d": 3}):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert classes() == before
    (costs,) = made
    assert {each.word for each in costs.domain.evidence.values()} == {"bounded"}
    assert "another recording is under way in this process" in costs.domain.evidence["d"].why
    assert costs.subs(n=3, d=5).params == 45
    with pytest.raises(DomainError, match="d=40000 is beyond what was tried"):
        costs.subs(n=3, d=40_000)


def test_beside_a_watch_of_another_thread_the_depth_is_bounded() -> None:
    class Stack(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: Any) -> Any:
            for _ in range(self.L):
                x = nn.Dense(8)(x)
            return x

    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(trace(Stack, "float32[n,8]", referee=False)))

    def run() -> None:
        thread.start()
        thread.join()

    watch(run)
    (costs,) = made
    words = {name: each.word for name, each in costs.domain.evidence.items()}
    assert words == {"n": "proved", "L": "bounded"}
    assert "the frames of a program are being watched already" in costs.domain.evidence["L"].why
    assert costs.subs(n=1, L=5).params == 5 * 72  # a depth that was tried: of others nothing is known


def test_ordinary_symbolic_shapes_stay_as_they_are_inside() -> None:
    (theirs,) = jax.export.symbolic_shape("b")
    with recording({"b": 3}) as seen:
        assert theirs != 3
        assert not seen.guards
        with pytest.raises(Exception, match="inconclusive"):
            bool(theirs > 2)


@pytest.mark.parametrize("name", selftest.PROGRAMS)
def test_every_program_of_the_self_test_is_seen(name: str) -> None:
    with recording(selftest.BASE) as seen:
        assert selftest._problem(name, seen) == ""


def test_without_the_hooks_the_self_test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(selftest.PROGRAMS, "a comparison", (lambda x, d, H: x, "d >= 65"))
    selftest.problem.cache_clear()
    found = record(ROWS[0].model(), ROWS[0].base)
    selftest.problem.cache_clear()
    assert found.reason == f"sizes cannot be recorded with jax {jax.__version__}: of a comparison, d >= 65 was not seen"
    assert not found.traced
    assert not found.proved


d, H, N = (Form.symbol(name) for name in "dHN")


@pytest.mark.parametrize(("left", "op", "right", "text"), [
    (d - H * (d // H), "==", 0, "d % H == 0"),
    (H * (d // H), "==", d, "d % H == 0"),
    (N * d, "==", N * H, "d == H"),
    (2048, ">=", N, "N <= 2048"),
    (64 - N, "<", 0, "N >= 65"),
    (d // 16, ">=", 8, "d >= 128"),
    (8, ">=", d // 16, "d <= 143"),
    (64 * N, "!=", 128, "N != 2"),
    (d + 1 - 2 * ((d + 1) // 2), "==", 1, "d % 2 == 0"),
    (d - 2 * H * (d // (2 * H)), "==", 0, "d % (2*H) == 0"),
    (2 * d - H**2 * (2 * d // H**2), "==", 0, "2*d % (H**2) == 0"),
    (N, ">=", 1, None),
    (64 * N, "!=", 65, None),
    (d // H, "!=", -1, None),
    (d - 8 * (d // 8), "<", 8, None),
])  # fmt: skip
def test_a_guard_is_the_simplest_equal_condition(left: Any, op: str, right: Any, text: str | None) -> None:
    found = guard(left, op, right)
    assert (None if found is None else str(found)) == text
    for values in itertools.product((1, 2, 3, 64, 143, 144, 2048), repeat=3):
        point = dict(zip("dHN", values, strict=True))
        plain = OPERATORS[op](*(side.value(point) if isinstance(side, Form) else side for side in (left, right)))
        assert plain == (found is None or found.holds(point))
        if found is not None:  # and the text says the same to the parser
            read = condition(str(found))
            assert isinstance(read, Compare)
            assert plain == OPERATORS[read.op](evaluate(read.left, point), evaluate(read.right, point))


def test_equal_guards_are_one_whatever_their_place() -> None:
    assert isinstance(guard(2 * d, ">", 8), Guard)
    assert guard(2 * d, ">", 8) == guard(d, ">=", 5)
    assert len({guard(2 * d, ">", 8), guard(d, ">=", 5)}) == 1


def test_a_point_where_the_model_raises_is_refused() -> None:
    case = next(r for r in ROWS if r.name == "heads")
    with pytest.raises(PointError):
        concrete(case.model(), {"n": 2, "d": 62})
    found = record(case.model(), case.base).changed({"n": 2, "d": 62})
    assert found is not None
    assert found.startswith("d % 4 == 0 does not hold (")


def test_packages_below_the_standard_library_are_models_too() -> None:
    below = places.STANDARD + "site-packages/"
    assert places.converts(places.STANDARD + "fractions.py")
    assert not places.helps(below + "a_model/layers.py")
    assert places.helps(places.NUMPY + "core.py")
