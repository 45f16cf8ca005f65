"""The index of public names is sorted, complete and true."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import symcost as sc

INDEX = Path(sc.__file__).with_suffix(".pyi")


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert sc.__all__ == sorted(sc.__all__)
    for name in sc.__all__:
        assert getattr(sc, name) is not None


def test_star_import_gives_exactly_the_index() -> None:
    code = "from symcost import *; print(sorted(n for n in dir() if not n.startswith('_')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(list(sc.__all__))


def test_dir_is_the_index() -> None:
    assert dir(sc) == sc.__all__


def test_the_index_has_each_name_once_and_from_where_it_is_defined() -> None:
    lines = [node for node in ast.parse(INDEX.read_text()).body if isinstance(node, ast.ImportFrom)]
    names = [(line.module, alias.name, alias.asname) for line in lines for alias in line.names]
    assert sorted(name for _, name, _ in names) == sc.__all__
    for place, name, shown in names:
        assert name == shown, "a name of a stub is public where it says so"
        defined = getattr(getattr(sc, name), "__module__", None)
        assert defined is None or defined.startswith(f"symcost.{place}"), f"{name} is defined in {defined}"


@pytest.mark.parametrize("name", ["trace", "trace_function", "symbols", "parse", "evaluate"])
def test_verbs_are_callable_and_show_their_signature(name: str) -> None:
    verb = getattr(sc, name)
    assert callable(verb)
    assert inspect.signature(verb).parameters


@pytest.mark.parametrize("name", ["trace", "verify", "sweep", "table", "symbols"])
def test_verbs_are_functions_with_help_of_their_own(name: str) -> None:
    assert inspect.isfunction(getattr(sc, name))
    assert "->" in str(inspect.signature(getattr(sc, name)))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'symcost' has no attribute 'tracer'"):
        _ = sc.tracer  # type: ignore[attr-defined]


def test_every_error_is_a_symcost_error() -> None:
    errors = [getattr(sc, name) for name in sc.__all__ if name.endswith("Error")]
    assert len(errors) == 10
    assert all(issubclass(error, sc.SymcostError) for error in errors)


def test_every_public_name_is_documented() -> None:
    for name in sc.__all__:
        if name != "CONVENTIONS":
            assert inspect.getdoc(getattr(sc, name)), name


def test_every_layer_has_an_example_that_runs() -> None:
    for name in sc.__all__:
        layer = getattr(sc, name)
        if isinstance(layer, type) and issubclass(layer, sc.Layer):
            assert ">>>" in (layer.__doc__ or ""), name


def test_the_version_is_a_release_number_and_in_the_changelog() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", sc.__version__)
    assert f"## {sc.__version__}" in (Path(__file__).parents[1] / "CHANGELOG.md").read_text()


def test_type_checkers_know_every_reference_network() -> None:
    stub = Path(sc.models.__file__).with_suffix(".pyi").read_text()
    assert re.findall(r"^(\w+): Reference$", stub, re.MULTILINE) == dir(sc.models)
