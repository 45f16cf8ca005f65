"""Ctrl-C during a sweep, with real processes: exit code 130, one line, a folder that goes on, and nobody left running.

The moments begin when Python itself has started: what it says of an interruption before that is its own.

``SYMCOST_INTERRUPTIONS=100`` interrupts that often at random moments.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from effort import needs, rows
from limits import started

from symcost.system.interrupt import held

REPEATS = int(os.environ.get("SYMCOST_INTERRUPTIONS", "0"))
ARROW = needs("pyarrow", "a sweep into a folder")
WAYS = {"threads": ["--workers", "2"], "processes": ["--processes", "2"]}
SPACE = """where = "f % 1009 == 7"
maximize = "g"
top = 5
[formulas]
f = "a*b + c*d"
g = "a*b % 97 + c*d % 89"
[axes]
"""


def space(folder: Path, size: int) -> Path:
    file = folder / "space.toml"
    file.write_text(SPACE + "\n".join(f"{name} = {{to = {size}}}" for name in "abcd"))
    return file


def command(file: Path, way: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "symcost",
        "sweep",
        str(file),
        "--out",
        str(file.parent / "run"),
        "--format",
        "json",
        *WAYS[way],
    ]


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """Tests in the background inherit that interruptions are ignored: what is started here does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def interrupted(file: Path, way: str, whole_group: bool, ready: Callable[[], bool]) -> None:
    """Start a sweep, interrupt it when it is ready, and see how it ends."""
    with heeded(), started(
        command(file, way), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:  # fmt: skip
        end = time.monotonic() + 60
        while not ready():
            assert process.poll() is None, process.communicate(timeout=60)
            assert time.monotonic() < end, "the sweep was not ready within 60 s"
            time.sleep(0.01)
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "symcost: interrupted\n")
    assert not running(process.pid)
    assert not list(file.parent.glob("run/.symcost-*"))


def running(group: int) -> list[str]:
    """Processes of a group that still run a little later; the dead that nobody has asked for are none."""
    for _ in range(100):
        listed = subprocess.run(
            ["ps", "-eo", "pgid,stat,args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        found = [line for line in listed[1:] if line.split()[0] == str(group) and not line.split()[1].startswith("Z")]
        if not found:
            return []
        time.sleep(0.05)
    return found


def after(seconds: float) -> Callable[[], bool]:
    start = time.monotonic()
    return lambda: time.monotonic() - start > seconds


def parts(file: Path, number: int) -> Callable[[], bool]:
    """Ready when so many parts are written, or are being written."""
    return lambda: len(list(file.parent.glob("run/parts/*"))) >= number


MOMENTS = (0.8, 1.6, "first part", "many parts")
CASES = [
    pytest.param(
        way, group, moment, id=f"{moment}-{'its group' if group else 'the parent alone'}-{way}",
        marks=[pytest.mark.campaign] * ((i + j + group) % 2),
    )
    for i, moment in enumerate(MOMENTS) for group in (False, True) for j, way in enumerate(WAYS)
]  # fmt: skip
"""Every run tries each moment, each way with each half of them, and the campaign the other half of the combinations."""


@ARROW
@pytest.mark.parametrize(("way", "whole_group", "moment"), CASES)
def test_an_interrupted_sweep_ends_at_once_and_alone(
    way: str, whole_group: bool, moment: float | str, tmp_path: Path
) -> None:
    file = space(tmp_path, 400)
    wanted = {"first part": 1, "many parts": 20}
    interrupted(
        file, way, whole_group, after(moment) if isinstance(moment, float) else parts(file, wanted[str(moment)])
    )


@ARROW
@pytest.mark.parametrize("way", rows(WAYS, {"processes"}))
def test_an_interrupted_sweep_goes_on_to_the_same_answer(way: str, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    right = subprocess.run(
        command(space(tmp_path / "whole", 200), way), capture_output=True, text=True, check=True
    ).stdout
    file = space(tmp_path, 200)
    for number in (1, 10):
        interrupted(file, way, True, parts(file, number))
    before = len(list(tmp_path.glob("run/parts/*.parquet")))
    again = subprocess.run(command(file, way), capture_output=True, text=True, check=True).stdout
    assert before > 1
    assert json.loads(again)["configurations"] == json.loads(right)["configurations"]


@ARROW
@pytest.mark.parametrize("seed", range(REPEATS))
def test_an_interruption_at_a_random_moment(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    interrupted(space(tmp_path, 500), draw.choice(list(WAYS)), draw.random() < 0.5, after(draw.uniform(0.5, 4)))


def test_an_interruption_waits_for_the_end_of_what_holds_it() -> None:
    reached: list[str] = []

    def work() -> None:
        with held():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end")

    with heeded(), pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["the end"]


LOST = """
import sys, time, weakref
sys.argv[0] = "symcost"
import signal
from symcost.system import interrupt
interrupt.watch()

class Thing:
    pass

thing = Thing()
kept = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
del thing
for _ in range(1000):
    time.sleep(0.01)
"""


def test_an_interruption_inside_a_callback_comes_again() -> None:
    with heeded():
        ended = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (130, "symcost: interrupted\n")


def test_an_interruption_waits_until_jax_is_imported() -> None:
    code = """
import os, signal, sys, threading, time
from symcost.system import interrupt
interrupt.watch()
from symcost.referee.compilers.start import start_jax
def strike():
    while "jaxlib" not in sys.modules:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=strike, daemon=True).start()
try:
    start_jax()
finally:
    assert hasattr(sys.modules["jax"], "jit")
"""
    with heeded():
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.splitlines()[-1:]) == (130, ["symcost: interrupted"])


def test_a_library_leaves_the_hooks_of_its_user_alone() -> None:
    hooks = "(sys.excepthook, sys.unraisablehook)"
    code = f"import sys; before = {hooks}; import symcost; sys.exit({hooks} != before)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
