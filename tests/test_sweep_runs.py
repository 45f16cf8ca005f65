"""Long runs, with real processes really killed: resume, workers, the lock, and what goes wrong on disks."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from effort import needed
from limits import started

import symcost as sc
from symcost.sweeps.run import driver
from symcost.sweeps.run.workers import Workers

pq = needed("pyarrow.parquet", "a run in a folder")
needed("llvmlite", "the engine of machine code")

SPACE = {"a": range(1, 301), "b": range(1, 101), "c": range(1, 101)}
FORMULAS = {"f": "a*b + c*c", "g": "a*(c + b) - b"}
WHERE = "f <= 9_000"
CHILD = """
import sys, time
import symcost as sc
from symcost.sweeps.run import driver
save = driver.Store.save

def slowly(self, *part):
    save(self, *part)
    time.sleep(0.02)

driver.Store.save = slowly
space = sc.Space(a=range(1, 301), b=range(1, 101), c=range(1, 101))
formulas = {"f": "a*b + c*c", "g": "a*(c + b) - b"}
if __name__ == "__main__":
    more = {"processes": 2} if sys.argv[2] == "native" else {}
    sc.pareto(formulas, space, "f <= 9_000", minimize="f", maximize="g", out=sys.argv[1], engine=sys.argv[2], **more)
"""


def front(out: Path | None = None, **options: Any) -> Any:
    options = {"engine": "numpy", **options}
    return sc.pareto(FORMULAS, sc.Space(SPACE), WHERE, minimize="f", maximize="g", out=out, **options)


@cache
def right() -> Any:
    """What every run must find, by one that was left alone."""
    return front()


@pytest.fixture
def child(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A run in a folder that takes a while, on its way: in numpy, or by machine code in two processes."""
    (tmp_path / "child.py").write_text(CHILD)
    command = [sys.executable, str(tmp_path / "child.py"), str(tmp_path / "run"), getattr(request, "param", "numpy")]
    with started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: len(parts(tmp_path / "run")) >= 5)
        yield process


def parts(folder: Path) -> list[Path]:
    return sorted((folder / "parts").glob("*.parquet"))


def until(condition: Any, seconds: float = 60) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("child", "options"),
    [
        ("numpy", {}),
        ("native", {"engine": "native", "processes": 2}),
        pytest.param("native", {"workers": 2}, marks=pytest.mark.campaign),
    ],
    indirect=["child"],
)
def test_a_killed_run_goes_on_where_it_stopped_with_the_same_result(
    child: subprocess.Popen[str], options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait(60)
    folder = tmp_path / "run"
    before = {path: path.stat().st_mtime_ns for path in parts(folder)}
    assert before
    assert not (folder / "result.parquet").exists()
    searched: list[Any] = []
    original = driver.Store.save
    monkeypatch.setattr(driver.Store, "save", lambda self, *part: (searched.append(part), original(self, *part)))
    told: list[int] = []
    resumed = front(folder, **options, on_progress=lambda done, total, what: told.append(done))
    assert told[0] >= 5, "what was there is told at once, and first"
    assert resumed.rows == right().rows
    assert {path: path.stat().st_mtime_ns for path in before} == before, "what was finished is left as it is"
    assert len(searched) + len(before) == len(parts(folder))
    assert pq.read_table(folder / "result.parquet").to_pylist() == resumed.rows


def test_two_runs_in_one_folder_are_refused(child: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(
        sc.SpaceError, match=rf"run is in use by process {child.pid} of .*: wait for it, or give another"
    ):
        front(tmp_path / "run")
    assert child.poll() is None


def test_a_killed_run_leaves_no_lock(child: subprocess.Popen[str], tmp_path: Path) -> None:
    child.kill()
    child.wait(60)
    assert front(tmp_path / "run").count == right().count


def test_other_numbers_of_workers_give_the_same_rows(tmp_path: Path) -> None:
    alone = front(workers=1)
    assert front(workers=3).rows == alone.rows
    assert front(tmp_path / "run", processes=2).rows == alone.rows
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert front(executor=pool).rows == alone.rows


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"where": "f <= 9_001"}, "where changed"),
        ({"formulas": {**FORMULAS, "g": "a*c"}}, "formulas changed"),
        ({"space": {**SPACE, "a": range(1, 300)}}, "axes changed"),
        ({"goal": "a"}, "objectives"),
    ],
)
def test_a_folder_of_another_question_is_refused(change: dict[str, Any], named: str, tmp_path: Path) -> None:
    front(tmp_path / "run")
    asked = {"formulas": FORMULAS, "space": SPACE, "where": WHERE, "goal": "f", **change}
    with pytest.raises(sc.SpaceError, match=f"holds another run: .*{named}"):
        sc.pareto(
            asked["formulas"], sc.Space(asked["space"]), asked["where"], minimize=asked["goal"], maximize="g",
            out=tmp_path / "run",
        )  # fmt: skip


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(sc.SpaceError, match="cannot be read: it is no folder of a run"):
        front(tmp_path)


@pytest.mark.parametrize("kept", ["result.parquet", "parts/mine.parquet"])
def test_files_of_somebody_else_are_left_alone(kept: str, tmp_path: Path) -> None:
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_text("mine")
    with pytest.raises(sc.SpaceError, match=r"has (result.parquet|parts) and no run.json: it is no folder of a run"):
        front(tmp_path)
    assert (tmp_path / kept).read_text() == "mine"


def test_a_folder_with_another_choice_of_networks_is_refused_for_its_axes(tmp_path: Path) -> None:
    nets = {"x": {"f": "a"}, "y": {"f": "2*a"}}
    sc.sweep(nets, sc.Space(net=["x", "y"], a=range(1, 9)), minimize="f", out=tmp_path)
    with pytest.raises(sc.SpaceError, match="holds another run: axes, formulas changed"):
        sc.sweep(nets, sc.Space(net=["x"], a=range(1, 9)), minimize="f", out=tmp_path)


def test_a_count_goes_on_in_its_folder(tmp_path: Path) -> None:
    right, told = sc.count(FORMULAS, sc.Space(SPACE), WHERE), list[int]()
    assert sc.count(FORMULAS, sc.Space(SPACE), WHERE, out=tmp_path) == right
    parts(tmp_path)[0].unlink()
    again = sc.count(FORMULAS, sc.Space(SPACE), WHERE, out=tmp_path, on_progress=lambda *given: told.append(given[0]))
    assert (again, len(told)) == (right, 2), "what was there at once, and the part that was missing"
    assert pq.read_table(tmp_path / "result.parquet").to_pylist() == [{"feasible": right}]
    with pytest.raises(sc.SpaceError, match="holds another run: where changed"):
        sc.count(FORMULAS, sc.Space(SPACE), "f <= 9", out=tmp_path)


class Lost(Executor):
    """An executor whose machines are gone after some parts."""

    def __init__(self, at: str) -> None:
        self.at, self.parts = at, 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        made: Future[Any] = Future()
        self.parts += 1
        if self.parts < 9:
            made.set_result(fn(*args, **kwargs))
        elif self.at == "submit":
            raise ConnectionError("lost")
        else:
            made.set_exception(ConnectionError("lost"))
        return made


@pytest.mark.parametrize("at", ["submit", "result"])
def test_an_executor_that_is_lost_is_one_line_and_the_run_goes_on_afterwards(at: str, tmp_path: Path) -> None:
    with pytest.raises(sc.SpaceError, match="the executor gave ConnectionError: lost; see to it and run again"):
        front(tmp_path, executor=Lost(at), workers=2)
    assert parts(tmp_path)
    assert front(tmp_path).rows == right().rows


def test_an_executor_has_as_many_parts_under_way_as_it_runs_at_the_same_time() -> None:
    with ProcessPoolExecutor(7, mp_context=get_context("spawn")) as pool:
        assert driver.Settings(executor=pool).width == 7
    assert driver.Settings(executor=Lost("submit")).width == driver.UNSAID
    assert driver.Settings(executor=Lost("submit"), workers=200).width == 200


def test_a_damaged_part_is_searched_again(tmp_path: Path) -> None:
    rows = front(tmp_path).rows
    damaged = parts(tmp_path)[3]
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert front(tmp_path).rows == rows
    assert pq.read_table(damaged).num_rows >= 0


def test_a_full_disk_is_one_line_and_what_is_finished_stays(tmp_path: Path) -> None:
    code = f"""
import resource, signal, sys
from symcost.sweeps.run import driver
save, done = driver.Store.save, []

def until_full(self, *part):
    done.append(part)
    if len(done) == 7:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    save(self, *part)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
driver.Store.save = until_full
from symcost.cli.main import main
sys.exit(main(["sweep", "{tmp_path / "space.toml"}", "--out", "{tmp_path / "run"}", "--engine", "numpy"]))
"""
    (tmp_path / "space.toml").write_text(
        'where = "f <= 9_000"\nminimize = "f"\nmaximize = "g"\n[formulas]\nf = "a*b + c*c"\ng = "a*(c + b) - b"\n'
        "[axes]\na = {to = 300}\nb = {to = 100}\nc = {to = 100}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be written: " in done.stderr
    assert "what is finished stays, the same command goes on" in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(parts(tmp_path / "run")) == 6
    assert not list((tmp_path / "run" / "parts").glob(".*"))
    assert front(tmp_path / "run").rows == right().rows


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    code = f"""
import time
from symcost.sweeps.run.workers import Workers
from worker_pid import pid
if __name__ == "__main__":
    with Workers(2) as pool:
        for number in pool.map(pid, range(8)):
            print(number, flush=True)
        open({str(tmp_path / "ready")!r}, "w").close()
        time.sleep(600)
"""
    script = tmp_path / "parent.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with started([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as parent:
        until((tmp_path / "ready").exists)
        assert parent.stdout is not None
        workers = {int(parent.stdout.readline()) for _ in range(8)}
        assert workers
        assert all(alive(pid) for pid in workers)
        parent.kill()
        parent.wait(60)
        until(lambda: not any(alive(pid) for pid in workers), 20)


def alive(pid: int) -> bool:
    """Whether a process runs (and is no zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_of_the_program_collect_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["symcost", "sweep"])  # by which a process knows that it is of the program
    with Workers(1) as pool:
        assert pool.submit(gc.isenabled).result(timeout=60)


def test_a_pool_that_is_shut_down_has_no_processes() -> None:
    with Workers(1) as pool:
        pool.submit(os.getpid).result(timeout=60)
        assert len(pool.pids) == 1
        pool.shutdown()
        assert pool.pids == []


def test_a_killed_worker_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    with Workers(2) as pool:
        victims: list[int] = []

        def kill(done: int, total: int, what: str) -> None:
            if len(victims) < 2 and pool.pids[0] not in victims:  # the second one is of those that replaced the first
                victims.append(pool.pids[0])
                os.kill(victims[-1], signal.SIGKILL)

        found = front(tmp_path / "run", executor=pool, on_progress=kill)
        assert not {*victims} & {*pool.pids}
    assert len(victims) == 2
    assert found.rows == right().rows
    assert found.count == right().count


def test_a_part_that_kills_every_worker_is_an_error_and_the_run_goes_on_afterwards(tmp_path: Path) -> None:
    with Workers(2) as pool:

        def kill() -> None:
            while not stopped.wait(0.05):
                for pid in pool.pids:
                    with contextlib.suppress(ProcessLookupError):  # it is gone already
                        os.kill(pid, signal.SIGKILL)

        stopped, killer = threading.Event(), threading.Thread(target=kill)
        told: list[int] = []

        def once(done: int, total: int, what: str) -> None:
            told.append(done)
            if len(told) == 1:
                killer.start()

        try:
            with pytest.raises(
                sc.SpaceError, match="worker processes died 3 times at the same part, perhaps for want of"
            ):
                front(tmp_path / "run", executor=pool, on_progress=once)
        finally:
            stopped.set()
            killer.join()
    assert parts(tmp_path / "run")
    assert front(tmp_path / "run").rows == right().rows


def test_a_killed_worker_of_anothers_executor_is_an_error_and_the_run_goes_on_afterwards(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        victims: list[int] = []

        def kill(done: int, total: int, what: str) -> None:
            if not victims:
                victims.extend(pool._processes)
                os.kill(victims[0], signal.SIGKILL)

        with pytest.raises(sc.SpaceError, match="a worker process died"):
            front(tmp_path / "run", executor=pool, on_progress=kill)
    assert parts(tmp_path / "run")
    assert front(tmp_path / "run").rows == right().rows


def test_a_run_has_the_parts_it_was_begun_with(tmp_path: Path) -> None:
    begun = front(tmp_path / "run", workers=4)
    number = len(parts(tmp_path / "run"))
    assert number == 2 * min(300, 4 * driver.PARTS_PER_WORKER)  # those of the front and of the count
    assert front(tmp_path / "run", workers=1).rows == begun.rows
    assert len(parts(tmp_path / "run")) == number


def test_a_run_tells_what_it_is(tmp_path: Path) -> None:
    front(tmp_path)
    told = json.loads((tmp_path / "run.json").read_text())["asked"]
    assert told["axes"] == "a = 1 to 300 by 1; b = 1 to 100 by 1; c = 1 to 100 by 1"
    assert told["where"] == WHERE
    meta = json.loads(pq.read_table(parts(tmp_path)[0]).schema.metadata[b"symcost"])
    assert meta["where"] == WHERE
    assert meta["stop"] > meta["start"] == 0
