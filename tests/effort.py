"""How much a run tries: a few random examples every day, more in the campaign; and what is skipped, in words.

``pytest -m campaign`` is what ``.ci/run`` adds: long tests. With ``SYMCOST_CAMPAIGN=1`` it also tries long rows whose kind
others of it show (``repeated``), and every law that is marked ``also_campaign`` once more, on more examples.
``SYMCOST_EXAMPLES=5000`` explores that many fresh examples instead.
With ``CI=1`` all that is tested must be installed: what would be skipped for want of it fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Generator, Iterable
from importlib.util import find_spec
from typing import Any, TypeVar

import pytest
from long_rows import LONG

from symcost.errors import SymcostError

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
CAMPAIGN = bool(os.environ.get("SYMCOST_CAMPAIGN"))
EXPLORE = int(os.environ.get("SYMCOST_EXAMPLES", "0"))
NEEDED = re.compile(r"needs (\w+), which is not installed: pip install")
WANTED = re.compile(r"\b(pip|apt-get) install\b")
"""In the reason of a skip that an installation would end."""
ABSENT = "{} needs {}, which is not installed: pip install -e '.[test-all]'"


def examples(daily: int, campaign: int) -> int:
    """Number of examples of a law in this run."""
    return EXPLORE or (campaign if CAMPAIGN else daily)


def also_campaign(test: Callable[..., Any]) -> Callable[..., Any]:
    """A test of every run that the campaign repeats with more examples."""
    return pytest.mark.campaign(test) if CAMPAIGN else test


def rows(names: Iterable[str], slow: Collection[str]) -> list[Any]:
    """Parameters of a test by their names: those that take long are left to the campaign."""
    found = list(names)
    assert set(slow) < set(found), f"rows left to the campaign that are not there: {set(slow) - set(found)}"
    return [pytest.param(name, marks=[pytest.mark.campaign] * (name in slow)) for name in found]


def by_turns(row: int, place: int, number: int) -> list[pytest.MarkDecorator]:
    """Marks of one of so many places at which a row is tried: every run takes one of them, the campaign the others."""
    return [pytest.mark.campaign] * ((row + place) % number > 0)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests and rows that take long are of the campaign."""
    for item in items:
        if item.name in LONG.get(item.path.name, ()):
            item.add_marker(pytest.mark.campaign)


def repeated(shown: str) -> list[pytest.MarkDecorator]:
    """Marks of a long row whose kind other rows of the campaign show, and which do: the whole campaign alone tries it."""
    reason = f"its kind is shown elsewhere, {shown}: SYMCOST_CAMPAIGN=1 tries this one too"
    return [pytest.mark.campaign, pytest.mark.skipif(not CAMPAIGN, reason=reason)]


def needed(package: str, what: str) -> Any:
    """A package that a whole file of tests needs: the file is skipped where it is absent."""
    return pytest.importorskip(package, reason=ABSENT.format(what, package))


def needs(package: str, what: str) -> pytest.MarkDecorator:
    """Of a test that needs a package: it is skipped where that is absent."""
    return pytest.mark.skipif(find_spec(package) is None, reason=ABSENT.format(what, package))


def absent_package(problem: Exception) -> str | None:
    """What an exception says is not installed; ``None`` where it is installed, and the exception is a fault."""
    if isinstance(problem, ModuleNotFoundError):
        return absent(problem.name or "")
    return absent_in(str(problem)) if isinstance(problem, SymcostError) else None


def absent_in(error: str) -> str | None:
    """The same of an error's text."""
    found = NEEDED.search(error)
    return absent(found[1]) if found else None


def absent(name: str) -> str | None:
    """In words that a package is not installed; ``None`` where it is."""
    top = name.partition(".")[0]
    return ABSENT.format("this", top) if top and find_spec(top) is None else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """A test that needs what is not installed is skipped, in words."""
    try:
        yield
    except Exception as problem:
        if (reason := absent_package(problem)) is None:
            raise
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In continuous integration an absent package is a failure."""
    return wanted((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same of a whole file, and of a module whose documentation cannot be read for want of a package."""
    report = yield
    problem = report.call.excinfo.value.__cause__ if report.failed and report.call.excinfo else None
    if isinstance(problem, ModuleNotFoundError) and (reason := absent_package(problem)):
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, reason)
    return wanted(report)


def wanted(report: Report) -> Report:
    """The report of a test or of a file of tests; in continuous integration nothing is skipped that can be installed."""
    if os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if WANTED.search(reason):
            report.outcome = "failed"
            report.longrepr = f"with CI set nothing that can be installed is skipped: {reason}"
    return report
