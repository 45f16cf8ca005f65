"""A wrong type is no bare TypeError: every verb and method says in one line what it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from refusals import one_line, works_or_one_line

import symcost as sc
from symcost.costs.size import model_size
from symcost.costs.table import CostTable
from symcost.formulas.symbols import parse
from symcost.reading.given import _read, checked

WRONG = (
    None,
    "x",
    3.5,
    -1,
    float("nan"),
    True,
    10**5000,
    0,
    [],
    {},
    object(),
    b"x",
    ["x"],
    {"x": 1},
    int,
    float("inf"),
)
TABLES = {
    "layers": lambda: sc.models.alexnet(n="n"),
    "a point": lambda: sc.models.alexnet(n="n").subs(n=2),
    "rows": lambda: CostTable(sc.models.alexnet(n="n").rows),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("method", ["by_path", "total", "peak", "peak_path", "compile", "save", "plot", "check_point"])
def test_methods_of_tables_refuse_wrong_types_in_words(
    kind: str, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = TABLES[kind]()
    monkeypatch.chdir(tmp_path)
    for value in WRONG:
        if not hasattr(costs, method):
            continue
        works_or_one_line(lambda value=value: getattr(costs, method)(value))


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
def test_verbs_refuse_wrong_types_in_words(value: Any) -> None:
    costs = sc.models.alexnet()
    n = sc.models.alexnet(n="n")
    calls: list[Callable[[], Any]] = [
        lambda: n.subs(n=value), lambda: n.explain(n=value), lambda: sc.latency(costs, value),
        lambda: sc.latency(value, "stm32f746"),
        lambda: sc.fits(costs, value), lambda: sc.fits(costs, "stm32f746", value), lambda: sc.energy(costs, "horowitz-45nm", value),
        lambda: sc.memory(costs, value), lambda: sc.mfu(costs, value, "nvidia-a100-sxm-80gb"), lambda: sc.throughput(
            costs, "nvidia-a100-sxm-80gb", batch=value), lambda: model_size(costs, value), lambda: sc.solve(n, value, largest="n"),
        lambda: sc.solve(n, "macs <= 10**10", largest=value), lambda: sc.solve(n, "macs <= 10**10", largest="n", within=value),
        lambda: sc.count(n, value), lambda: sc.count(n, sc.Space(n=[1]), workers=value), lambda: sc.sweep(
            n, sc.Space(n=[1]), minimize=value), lambda: sc.table(value, ("n", 4)), lambda: sc.table(sc.Linear(c_o=3), value),
        lambda: sc.Linear(c_o=value), lambda: sc.Linear(c_o=3, bias=value), lambda: sc.device(value), lambda: sc.load(value),
        lambda: sc.load_verdict(value), lambda: sc.parse(value), lambda: sc.evaluate(value, {}), lambda: sc.evaluate(
            parse("n"), {"n": value}), lambda: sc.equal(value, 1), lambda: sc.crossover(value, parse("n"), "n"), lambda: sc.partial(
            value, "n"), lambda: sc.training_memory(costs, value), lambda: sc.Space(n=value), lambda: sc.Device(
            name="x", source="y", power=value), lambda: CostTable(value),
    ]  # fmt: skip
    for call in calls:
        works_or_one_line(call)


def test_the_message_names_the_argument_its_value_and_what_it_must_be() -> None:
    costs = sc.models.alexnet()
    assert one_line(lambda: costs.by_path("x")) == (  # type: ignore[arg-type]
        "depth='x' must be an integer or None: it is a str, give by_path() another"
    )
    assert "on=3 must be a text or a Device: it is an int, give latency() another" in one_line(
        lambda: sc.latency(costs, 3)  # type: ignore[arg-type]
    )
    assert "c_o=None must be one size: give an integer" in one_line(lambda: sc.Linear(c_o=None))
    assert "bias='no' must be True or False" in one_line(lambda: sc.Linear(c_o=3, bias="no"))  # type: ignore[arg-type]


def test_every_public_verb_is_checked_or_checks_itself() -> None:
    itself = {"build", "count", "decoding", "equal", "pareto", "parse", "rule", "sweep", "table"}
    for name in sc.__all__:
        verb = getattr(sc, name)
        verb = getattr(verb, "_verb", verb)
        takes_anything = callable(verb) and not isinstance(verb, type) and bool(inspect.signature(verb).parameters)
        if takes_anything and name not in itself:
            inner = getattr(verb, "__wrapped__", None)
            assert inner is not None, f"{name} is not checked"
            assert _read(inner)[1], f"the annotations of {name} cannot be read"


def test_what_python_says_best_is_left_to_it() -> None:
    @checked
    def f(a: int) -> int:
        return a

    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        f()  # type: ignore[call-arg]
