"""A real Dask cluster of two workers, one of which is killed during the run: nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from effort import needed
from limits import started

import symcost as sc

needed("distributed", "a run on Dask")

SPACE = """
where = "f <= 9_000"
minimize = "f"
maximize = "g"
[formulas]
f = "a*b + c*c"
g = "a*(c + b) - b"
[axes]
a = {to = 600}
b = {to = 200}
c = {to = 200}
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process of its own; its address and the workers."""
    file = tmp_path / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    dask = [sys.executable, "-m", "dask"]
    started = [
        subprocess.Popen([*dask, "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)], **quiet)
    ]
    worker = [*dask, "worker", "--scheduler-file", str(file), "--no-nanny", "--no-dashboard", "--nthreads", "1"]
    started += [subprocess.Popen(worker, **quiet) for _ in range(2)]
    try:
        end = time.monotonic() + 60
        while not file.exists():
            assert time.monotonic() < end, "the scheduler did not start"
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for process in started[::-1]:
            process.kill()
            process.wait(60)


def test_a_worker_killed_during_a_run_on_dask_loses_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    (tmp_path / "space.toml").write_text(SPACE)
    command = [sys.executable, "-m", "symcost", "sweep", str(tmp_path / "space.toml"), "--dask", address]
    command += ["--out", str(tmp_path / "run"), "--format", "json", "--engine", "numpy"]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        end = time.monotonic() + 90
        while len(list(tmp_path.glob("run/parts/*.parquet"))) < 10:
            assert run.poll() is None, run.communicate(timeout=60)
            assert time.monotonic() < end, "the run did not begin"
            time.sleep(0.02)
        os.kill(workers[0].pid, signal.SIGKILL)
        workers[0].wait(60)
        out, problems = run.communicate(timeout=120)
    assert run.returncode == 0, problems
    assert workers[1].poll() is None
    formulas = {"f": "a*b + c*c", "g": "a*(c + b) - b"}
    space = sc.Space(a=range(1, 601), b=range(1, 201), c=range(1, 201))
    right = sc.pareto(formulas, space, "f <= 9_000", minimize="f", maximize="g", engine="numpy")
    assert json.loads(out)["configurations"] == right.rows
    assert json.loads(out)["feasible"] == right.count


def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(SPACE)
    asked = "from symcost.cli import main; from symcost.cli.search import sweep"
    code = f"import sys; {asked}; sweep.TIMEOUT = 1; sys.exit(main.main())"
    command = [sys.executable, "-c", code, "sweep", str(tmp_path / "space.toml"), "--dask", "tcp://127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "symcost: error: --dask tcp://127.0.0.1:9: no scheduler answers there"
    )
