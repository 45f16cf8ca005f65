"""Of every test: devices are CPUs, printing has one width, and what compilers answer is kept for one run only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before jax is imported: plug-ins would look for their devices
os.environ["COLUMNS"] = "100"  # a test of another width sets its own
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # programs that tests start need not compile all modules again

import pytest
from browsing import browser, opened  # noqa: F401 - fixtures of the page's tests
from effort import absent_package, wanted

import symcost as sc


@pytest.fixture(autouse=True, scope="session")
def _answers(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache of this run's own, which parallel workers share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["SYMCOST_CACHE"] = str(shared / "symcost-cache")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """A test that needs what is not installed is skipped, in words."""
    try:
        yield
    except Exception as problem:
        if (absent := absent_package(problem)) is None:
            raise
        pytest.skip(absent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In continuous integration an absent package is a failure."""
    return wanted((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same of a whole file."""
    return wanted((yield))


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a module, by its name and text, into the folder where the test works and imports from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)

    return write


@pytest.fixture
def traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that several tests trace alike are traced once in a run."""
    from traced_once import traced_once as once

    for verb in (sc.trace, sc.verify):
        monkeypatch.setattr(sys.modules[verb.__module__], "derive", once)
