"""Every test ends: one that waits for ever fails with a sentence, and a process that is stuck says where and is ended.

A test of every run may take five minutes, one of the campaign an hour; with ``SYMCOST_EXAMPLES`` there is no limit. A
minute more has what the test's own clean-up then needs. What no signal ends, such as a library that never returns, is
ended with its process, after the traceback of every thread: the other tests go on in another worker of ``-n``.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest

LIMIT = float(os.environ.get("SYMCOST_TEST_LIMIT", "300"))
"""Seconds of a test of every run, each of its preparation, its call and its end."""
CAMPAIGN = 12
"""How many times as many a test of the campaign has."""
GRACE = float(os.environ.get("SYMCOST_TEST_GRACE", "60"))
"""Seconds from there to the end of the process."""
TOLD = pytest.StashKey[IO[str]]()
"""Where a process that is ended says why: what a test prints is taken from the standard output and error."""


def pytest_configure(config: pytest.Config) -> None:
    """Keeps the standard error, before what tests print is taken."""
    config.stash[TOLD] = os.fdopen(os.dup((sys.__stderr__ or sys.stderr).fileno()), "w")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Closes it again."""
    config.stash[TOLD].close()


def seconds(item: pytest.Item) -> float:
    """What a test may take; 0 is without a limit."""
    if os.environ.get("SYMCOST_EXAMPLES"):
        return 0
    return LIMIT * (CAMPAIGN if item.get_closest_marker("campaign") else 1)


@contextmanager
def limited(item: pytest.Item, part: str) -> Iterator[None]:
    """Ends a part of a test that takes too long."""
    limit = seconds(item)
    if not limit or not hasattr(signal, "SIGALRM"):
        yield
        return

    def over(number: int, frame: Any) -> None:
        pytest.fail(f"{item.nodeid}: {part} did not end within {limit:g} s: what it waits for stands last above")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, limit)
    faulthandler.dump_traceback_later(limit + GRACE, file=item.config.stash[TOLD], exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """The preparation of a test ends."""
    with limited(item, "its preparation"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """A test ends."""
    with limited(item, "the test"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """What a test leaves behind is cleared away."""
    with limited(item, "what clears away behind it"):
        return (yield)


def pytest_enter_pdb() -> None:
    """Who looks into a test may take any time."""
    faulthandler.cancel_dump_traceback_later()
    if hasattr(signal, "SIGALRM"):
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process of a test, which ends with the test, however that ends."""
    process = subprocess.Popen(command, **{"text": True, **options})
    try:
        yield process
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
        process.wait(60)
