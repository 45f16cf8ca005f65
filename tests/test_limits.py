"""A test that waits for ever fails with a sentence, and the others run."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
HERE = Path(__file__).parent
WAITS = """
import subprocess, sys, time
import pytest

ASLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def slow_to_begin():
    time.sleep(60)


@pytest.fixture
def slow_to_end():
    yield
    subprocess.Popen(ASLEEP).wait()


def test_before(slow_to_begin): ...
def test_sleeps(): time.sleep(60)
def test_waits_for_a_program(): subprocess.run(ASLEEP)
def test_after(slow_to_end): ...
def test_is_quick(): ...
@pytest.mark.campaign
def test_may_take_longer(): time.sleep(1)
"""
STUCK = """
import signal


def test_heeds_no_signal():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True:
        pass


def test_is_quick(): ...
"""


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tests: str, *options: str) -> pytest.RunResult:
    """Tests under this folder's limits, which are short here."""
    monkeypatch.setenv("SYMCOST_TEST_LIMIT", "0.4")
    monkeypatch.setenv("SYMCOST_TEST_GRACE", "0.5")
    monkeypatch.delenv("SYMCOST_EXAMPLES", raising=False)
    pytester.makeini("[pytest]\nmarkers = campaign")
    pytester.makeconftest((HERE / "limits.py").read_text())
    pytester.makepyfile(tests)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_what_waits_for_ever_fails_with_a_sentence(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(pytester, monkeypatch, WAITS, "-p", "no:xdist")
    result.assert_outcomes(passed=3, failed=2, errors=2)  # what clears away is told beside its test, which passed
    for told in (
        "before: its preparation",
        "sleeps: the test",
        "program: the test",
        "after: what clears away behind it",
    ):
        result.stdout.fnmatch_lines([f"*test_*{told} did not end within 0.4 s: what it waits for stands last above*"])


def test_what_no_signal_ends_says_where_it_stood_and_the_others_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(pytester, monkeypatch, STUCK, "-n", "1")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*crashed while running*test_heeds_no_signal*"])
    result.stderr.fnmatch_lines(["Timeout*", "*in test_heeds_no_signal"])
