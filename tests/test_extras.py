"""What an extra brings is asked for before the work that needs it, in one sentence that works from an index and in a clone."""

from __future__ import annotations

import sys
import tomllib
import warnings
from pathlib import Path

import pytest
from effort import NEEDED

import symcost as sc
from symcost.cli.main import main
from symcost.system import extras

ROOT = Path(__file__).parents[1]
n, d = sc.symbols("n d")
TABLE = sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d))
SPACE = sc.Space(n=[1], d=range(1, 10_001), L=range(1, 2001))


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of any extra is installed."""
    held = {package for packages in extras.BROUGHT.values() for package in packages}
    monkeypatch.setattr(extras, "find_spec", lambda package: None if package in held else object())
    for package in held:
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)


def test_each_package_is_in_the_extra_that_is_named() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra, held in extras.BROUGHT.items():
        assert set(held) <= {each.partition(">")[0] for each in named[extra]}


TRACED = "tests.no_such_module:Net"  # importing it is the first step of a trace: an error of it would be the later one
EARLY = [
    (["plot", TRACED, "memory", "float32[n,d]", "-o", "x.png"], "a picture needs matplotlib"),
    (["report", TRACED, "float32[n,d]", "-o", "x.html"], "the page needs jinja2"),
    (["sweep", "no_such_space.toml", "--plot", "x.png"], "a picture needs matplotlib"),
    (["sweep", "no_such_space.toml", "--out", "x"], "--out needs pyarrow"),
    (["sweep", "no_such_space.toml", "--dask", "tcp://localhost:1"], "--dask needs distributed"),
]


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(("arguments", "said"), EARLY, ids=[said for _, said in EARLY])
def test_it_is_asked_for_before_the_work(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert NEEDED.search(error)
    assert "in a clone pip install '.[" in error


@pytest.mark.usefixtures("_bare")
def test_a_table_of_results_is_asked_for() -> None:
    answer = sc.sweep(TABLE, sc.Space(n=[1], d=[1, 2], L=[1]), show="macs")
    for name, package in (("to_arrow", "pyarrow"), ("to_pandas", "pandas"), ("to_polars", "polars")):
        with pytest.raises(sc.SpaceError, match=f"needs {package}, which is not installed"):
            getattr(answer, name)()


@pytest.mark.usefixtures("_bare")
def test_a_large_search_without_a_compiler_says_so_before_it_begins() -> None:
    said = r"a fast search of 20,000,000 configurations needs llvmlite.*numpy searches"
    with pytest.warns(UserWarning, match=said) as warned:
        assert sc.count(TABLE, SPACE, "params <= 100") == sum(100 // (d * d + d) for d in range(1, 10))
    assert [each.filename for each in warned] == [__file__]


@pytest.mark.usefixtures("_bare")
def test_a_small_search_and_one_whose_progress_is_shown_say_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sc.count(TABLE, sc.Space(n=[1], d=[1, 2], L=[1])) == 2
        sc.count(TABLE, SPACE, "params <= 100", on_progress=lambda done, total, words: None)


@pytest.mark.usefixtures("_bare")
def test_machine_code_that_is_asked_for_by_name_has_to_be_there() -> None:
    with pytest.raises(sc.SpaceError, match='engine="native" needs llvmlite, which is not installed'):
        sc.count(TABLE, sc.Space(n=[1], d=[1, 2], L=[1]), engine="native")


def test_with_a_compiler_nothing_is_said() -> None:
    pytest.importorskip("llvmlite", reason="needs llvmlite, which is not installed: pip install -e '.[test-all]'")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sc.count(TABLE, SPACE, "params <= 100")
