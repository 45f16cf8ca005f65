"""Model size: one width or one per layer, pruned or not, exact."""

from __future__ import annotations

from typing import Any

import pytest

import symcost as sc

NET = sc.Sequential(a=sc.Linear(10), b=sc.Sequential(c=sc.Linear("d", bias=False)))
TABLE = sc.table(NET, (1, 4))  # a: 40 weights and 10 biases, b/c: 10 d


@pytest.mark.parametrize(
    ("options", "bytes_"),
    [
        ({}, "40*d + 200"),
        ({"bits": 8}, "10*d + 50"),
        ({"bits": 8, "convention": "textbook"}, "10*d + 40"),
        ({"bits": {"": 32, "b": 4}}, "5*d + 200"),
        ({"bits": {"a": 16, "b/c": 1}}, "5*d/4 + 100"),
        ({"bits": 8, "density": 0.1}, "d + 5"),
        ({"bits": 8, "density": {"": 1, "b": "1/3"}}, "10*d/3 + 50"),
    ],
)
def test_bits_and_density_by_layer(options: dict, bytes_: str) -> None:
    assert sc.equal(sc.model_size(TABLE, **options), sc.parse(bytes_))


def test_a_traced_model_has_a_size_too() -> None:
    traced = sc.trace(sc.build(NET, d=3), "float32[1,4]")
    assert sc.model_size(traced, 8) == sc.model_size(sc.table(NET.subs(d=3), (1, 4)), 8) == 80


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 0}, "bits=0 must be an integer of at least 1"),
        ({"bits": 1.5}, "bits=1.5 must be an integer of at least 1"),
        ({"bits": "eight"}, "bits='eight' is not a number: give one such as 8"),
        ({"density": 2}, "density=2 must be between 0 and 1"),
        ({"density": {"a": -1}}, "density=-1 of 'a' must be between 0 and 1"),
        ({"bits": {"aa": 8, "": 8}}, "bits names the layer 'aa', which is not there: did you mean a"),
        ({"bits": {None: 8, "": 8}}, "bits names the layer None, which is no path: give a text"),
        ({"bits": {3: 8, "": 8}}, "bits names the layer 3, which is no path: give a text"),
        ({"bits": {"a" * 10**5: 8}}, "aaa...', which is not there"),
        ({"bits": {"a": 8}}, "bits says nothing of the layer 'b/c': add it, or"),
    ],
)
def test_bad_rates_are_errors_of_one_line(options: dict, message: str) -> None:
    with pytest.raises(sc.SymcostError) as problem:
        sc.model_size(TABLE, **options)
    assert message in str(problem.value)


@pytest.mark.parametrize("function", [sc.model_size, sc.state_size])
@pytest.mark.parametrize("costs", [None, "resnet50", 3, [TABLE]])
def test_what_is_no_table_has_no_size(function: Any, costs: Any) -> None:
    with pytest.raises(
        sc.SymcostError, match=rf"^costs=.* must be a CostTable: .* give {function.__name__}\(\) another"
    ):
        function(costs)


def test_an_empty_number_type_is_none_that_is_known() -> None:
    with pytest.raises(sc.DeviceError, match="unknown number type ''"):
        sc.memory(TABLE, "")
