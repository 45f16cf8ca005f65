"""A saved table reads back as the same table; a file that is cut, edited or newer is a one-line error."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from effort import rows
from report_tables import TABLES, table

import symcost as sc
from symcost.cli.main import main
from symcost.costs.cost import CONVENTIONS
from symcost.costs.saved.format import FORMAT, digest
from symcost.formulas.symbols import parse, symbol
from symcost.report import FORMATS
from symcost.report.formats.json import document

MORE: dict[str, Callable[[], Any]] = {
    "layers": lambda: sc.models.resnet50(n="n", r="r", classes="C"),
    "layers with a divisor": lambda: sc.table(sc.Conv2d(c_o="c", k=3, s=2, p=1, g="g"), ("n", "c", "h", "w")),
    "layers at a point": lambda: sc.models.alexnet(n="n").subs(n=3),
    "layers partly at a point": lambda: sc.models.resnet18(n="n", r="r").subs(n=3),
    "tokens": lambda: sc.models.gpt2(d="d", L="L", N="N", n="n", H="H"),
}


ALIKE = {"symbolic depth", "training", "partly at a point", "layers partly at a point", "layers at a point"}
"""Kinds of tables that the campaign saves: every run saves others like them."""


@pytest.fixture(scope="module", params=rows({**TABLES, **MORE}, ALIKE))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A table, and what is read back from its file."""
    costs = MORE[request.param]() if request.param in MORE else table(request.param)
    path = tmp_path_factory.mktemp("saved") / "costs.json"
    costs.save(path)
    return costs, sc.load(path)


def test_a_loaded_table_makes_the_same_document(pair: tuple[Any, Any]) -> None:
    costs, loaded = pair
    assert document(loaded) == document(costs)


@pytest.mark.parametrize("name", FORMATS)
def test_a_loaded_table_prints_the_same_reports(pair: tuple[Any, Any], name: str) -> None:
    costs, loaded = pair
    if name == "text":  # a file has not the model's name: it is called by its own
        costs = sc.CostTable.of(costs._counts, replace(costs.parts, name=loaded.parts.name))
    assert FORMATS[name](loaded) == FORMATS[name](costs)


def test_totals_rows_and_groups_are_equal_formulas(pair: tuple[Any, Any]) -> None:
    costs, loaded = pair
    assert loaded.symbols == costs.symbols
    for convention in CONVENTIONS:
        assert loaded.total(convention) == costs.total(convention)
        assert [g.total(convention) for g in loaded.by_path(1)] == [g.total(convention) for g in costs.by_path(1)]


def test_points_are_inside_or_outside_alike_and_values_equal(pair: tuple[Any, Any]) -> None:
    costs, loaded = pair
    draw, inside = random.Random(7), 0
    values = [1, 2, 3, 4, 6, 8, 16, 30, 64, 224]
    for _ in range(200):
        point = {name: draw.choice(values) for name in costs.symbols}
        domain = getattr(costs, "domain", None)
        if domain and domain.problem({**getattr(costs, "point", {}), **point}):
            with pytest.raises(sc.DomainError):
                loaded.subs(**point)
        elif inside < 3:
            inside += 1
            expected, found = costs.subs(**point), loaded.subs(**point)
            assert [found.total(c) for c in CONVENTIONS] == [expected.total(c) for c in CONVENTIONS]
            if expected.parts.peak is not None:
                assert found.peak("textbook", "bytes") == expected.peak("textbook", "bytes")
    assert inside == 3


def test_published_conventions_follow_from_the_saved_rows(tmp_path: Path) -> None:
    costs = sc.models.resnet18(n="n")
    costs.save(tmp_path / "costs.json")
    loaded = sc.load(tmp_path / "costs.json")
    assert loaded.total("fvcore") == costs.total("fvcore")
    assert loaded.subs(n=2).total("torchvision") == costs.subs(n=2).total("torchvision")


def test_the_command_line_writes_and_takes_saved_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "net.json")
    assert main(["table", "alexnet", "--set", "n=n", "--format", "json", "--depth", "1", "--output", path]) == 0
    assert main(["table", path, "--set", "n=1"]) == 0
    shown = capsys.readouterr().out
    assert main(["table", "alexnet", "--set", "n=n"]) == 0
    assert "724,406,816" in shown
    assert main(["estimate", path, "--set", "n=1", "--device", "nvidia-a100-sxm-80gb"]) == 0
    assert main(["estimate", "alexnet", "--device", "nvidia-a100-sxm-80gb"]) == 0
    saved, named = capsys.readouterr().out.split("model   ")[1:]
    assert saved.splitlines()[2:] == named.splitlines()[1:]


def test_loading_needs_no_jax_and_is_quick(tmp_path: Path) -> None:
    sc.models.resnet152(n="n", r="r").save(tmp_path / "costs.json")
    code = (
        f"import sys, symcost as sc; c = sc.load({str(tmp_path / 'costs.json')!r}); print(c.subs(n=1, r=224).params);"
        "sys.exit('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sc.models.resnet152().params)


def test_only_files_that_commands_know_are_written(tmp_path: Path) -> None:
    with pytest.raises(sc.SymcostError, match=r"net.cost must end in .json"):
        sc.models.alexnet().save(tmp_path / "net.cost")
    assert not list(tmp_path.iterdir())


NO_JAX = [
    ["check"],
    ["diff", "costs.json", "costs.json", "--at", "n=1", "--at", "r=64"],
    ["report", "costs.json", "-o", "page.html"],
    ["sweep", "space.toml", "--engine", "numpy"],
]


def test_verbs_on_saved_tables_need_no_jax(tmp_path: Path) -> None:
    sc.models.resnet152(n="n", r="r").save(tmp_path / "costs.json")
    (tmp_path / "symcost.toml").write_text(
        '[models.net]\nmodel = "costs.json"\n[[models.net.budgets]]\nat = { n = 1, r = 64 }\nmacs = "9 T"\n'
    )
    (tmp_path / "space.toml").write_text(
        'network = { json = "costs.json" }\nmaximize = "macs"\ntop = 1\n[axes]\nn = [1, 2]\nr = [64, 96]\n'
    )
    start = "import sys; from symcost.cli.main import main; "
    code = f"{start}codes = list(map(main, {NO_JAX!r})); sys.exit(any(codes) or 9 * ('jax' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def resigned(found: dict[str, Any]) -> str:
    """The document with a digest that is right again."""
    return json.dumps({**found, "digest": digest(found)})


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "cut": (lambda d: json.dumps(d)[:-40], "is damaged: no JSON at line 1"),
    "empty": (lambda d: "", "is damaged: no JSON at line 1 (Expecting value)"),
    "other JSON": (lambda d: "[1, 2]", "is not a saved cost table"),
    "deep": (lambda d: "[" * 100_000, "is damaged: "),
    "digit changed": (
        lambda d: json.dumps({**d, "totals": {**d["totals"], "macs": "7"}}), "is damaged or was edited: its digest"),
    "newer": (lambda d: resigned({**d, "format": FORMAT + 1, "version": "9.9.9"}),
              f"has format {FORMAT + 1}, written by symcost 9.9.9: this symcost reads formats up to {FORMAT}"),
    "code in a formula": (
        lambda d: resigned({**d, "rows": [{**d["rows"][0], "times": "__import__('os').getpid()"}]}),
        "is damaged: cannot read \"__import__('os').getpid()\""),
    "unknown metric": (
        lambda d: resigned({**d, "rows": [{**d["rows"][0], "full": {"mac": "1"}}]}), "is damaged: unknown metric 'mac'"),
    "a key missing": (lambda d: resigned({k: v for k, v in d.items() if k != "rows"}), "is damaged: KeyError 'rows'"),
    "a number for a text": (
        lambda d: resigned({**d, "rows": [{**d["rows"][0], "times": 3}]}), "3 stands where a formula should"),
    "no format": (lambda d: resigned({**d, "format": 0}), "is damaged: there is no format 0"),
    "a truth value as format": (lambda d: resigned({**d, "format": True}), "is not a saved cost table"),
    "a symbol left out": (lambda d: resigned({**d, "symbols": []}), "is damaged: n stands in "),
    "a row undone": (
        lambda d: resigned({**d, "rows": [{**d["rows"][0], "times": "-3"}]}), "-3 executions stand in a row"),
    "the largest of nothing": (
        lambda d: resigned({**d, "rows": [{**d["rows"][0], "times": "Max()"}]}), "Max in 'Max()' has nothing in it"),
    "a condition that is none": (
        lambda d: resigned({**d, "domain": {**d["domain"], "conditions": ["n is even"]}}),
        "cannot read 'n is even' as a condition"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_one_line_and_exit_code_two(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, message = FAULTS[fault]
    path = tmp_path / "costs.json"
    path.write_text(spoil(document(sc.models.alexnet(n="n"))))
    with pytest.raises(sc.SymcostError) as caught:
        sc.load(path)
    assert message in str(caught.value)
    assert main(["table", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(sc.SymcostError, match="cannot be read: No such file"):
        sc.load(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(sc.SymcostError, match="is damaged: it is no text"):
        sc.load(tmp_path / "bytes.json")


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(sc.SymcostError, match="cannot be written"):
        sc.models.alexnet().save(tmp_path / "none" / "costs.json")
    assert not list(tmp_path.iterdir())


def test_long_sums_are_read() -> None:
    terms = [f"{i}*a{i % 40}**{i // 40 % 20 + 1}*b**{i // 800 + 1}" for i in range(1, 3000)]
    assert len(parse(" + ".join(terms)).args) == 2999
    assert parse("a - b - 3 + a") == 2 * symbol("a") - symbol("b") - 3
