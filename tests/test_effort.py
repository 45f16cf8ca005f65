"""What needs an absent package is skipped, in words; in continuous integration it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from effort import CAMPAIGN, by_turns, repeated, rows
from long_rows import LONG

pytest_plugins = ["pytester"]
HERE = Path(__file__).parent
TESTS = """
import pytest
from effort import needs

from symcost.errors import SymcostError

HINT = "needs no_such_package, which is not installed: pip install no_such_package"


def test_import():
    import no_such_package


def test_said_by_symcost():
    raise SymcostError(f"this {HINT}")


@needs("no_such_package", "this")
def test_mark():
    raise AssertionError


def test_compiler():
    pytest.skip("no_such_compiler not installed: pip install 'symcost[none]'")


@pytest.fixture
def browser():
    pytest.skip("the page is tested in a browser: apt-get install chromium")


def test_fixture(browser):
    raise AssertionError


def test_other_reason():
    pytest.skip("this version has no such opcode")


@pytest.mark.xfail(reason="pip install does not help", strict=True)
def test_expected_failure():
    raise AssertionError


def test_fault_of_its_own():
    raise SymcostError(HINT.replace("no_such_package", "pytest"))
"""
FILE = """
from effort import needed

needed("no_such_package", "a whole file")
"""
DOCUMENTED = """
import no_such_package


def documented():
    '''
    >>> documented()
    '''
"""


def run(pytester: pytest.Pytester) -> pytest.RunResult:
    """Tests that need what is absent, beside this folder's conftest, and a documented module in another folder."""
    (tests := pytester.path / "tests").mkdir()
    for name in (
        "conftest.py",
        "browsing.py",
        "effort.py",
        "limits.py",
        "sweep_case.py",
        "pod_case.py",
        "long_rows.py",
    ):
        (tests / name).write_text((HERE / name).read_text())
    for name, text in (("test_one.py", TESTS), ("test_file.py", FILE)):
        (tests / name).write_text(text)
    (library := pytester.path / "library").mkdir()
    (library / "documented.py").write_text(DOCUMENTED)
    return pytester.runpytest_subprocess(
        "-rs", "-p", "no:cacheprovider", "--doctest-modules", "--continue-on-collection-errors", "tests", "library"
    )


def test_what_is_absent_is_skipped_in_words(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = run(pytester)
    result.assert_outcomes(skipped=9, xfailed=1, failed=1)
    result.stdout.fnmatch_lines(["*a whole file needs no_such_package, which is not installed: pip install -e*"])


def test_in_continuous_integration_what_is_absent_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    result = run(pytester)
    result.assert_outcomes(skipped=1, xfailed=1, failed=4, errors=5)  # errors: the mark, the fixture, files
    result.stdout.fnmatch_lines_random(
        ["with CI set nothing that can be installed is skipped: *a whole file needs no_such_package*",
         "with CI set nothing that can be installed is skipped: *apt-get install chromium"]
    )  # fmt: skip


def test_slow_rows_are_left_to_the_campaign_and_must_be_there() -> None:
    assert [bool(row.marks) for row in rows("abc", "b")] == [False, True, False]
    for slow in ("d", "abc"):  # one that is not there, and all of them: then nothing of the kind is quick
        with pytest.raises(AssertionError):
            rows("abc", slow)


def test_every_run_takes_one_place_of_a_row_and_each_place_of_some_row() -> None:
    quick = [[place for place in range(3) if not by_turns(row, place, 3)] for row in range(3)]
    assert sorted(quick) == [[0], [1], [2]]


def test_what_others_show_is_of_the_whole_campaign_alone() -> None:
    long, unless_whole = repeated("in a shorter row")
    assert long.name == "campaign"
    assert unless_whole.args == (not CAMPAIGN,)
    assert unless_whole.kwargs["reason"].startswith("its kind is shown elsewhere, in a shorter row: SYMCOST_CAMPAIGN=1")


@pytest.mark.campaign
def test_every_test_that_is_left_to_the_campaign_for_its_length_is_there() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "campaign",
        *LONG,
    ]
    found = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True).stdout.splitlines()
    left = {f"tests/{file}::{test}" for file, tests in LONG.items() for test in tests}
    assert sorted(left - set(found)) == []
