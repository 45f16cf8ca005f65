"""Speed of sweeps against peers in one run: ``pytest tests/bench_sweep.py --benchmark-only -s``.

The CNN family is MobileNetV2 in ten symbols (``examples/microcontroller.py``). Each row prints ours, the peer's, their
ratio and the reach. Nothing is asserted about time: a benchmark is read, not passed; that results agree is asserted.
"""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from test_plan_search import MESH, TENSOR, V5P

import symcost as sc
from examples import microcontroller
from examples.pod import perceptron
from symcost.sweeps.question.problem import make_problem
from symcost.sweeps.run.driver import Settings, run
from symcost.sweeps.run.task import SearchJob, search
from symcost.sweeps.run.workers import Workers

COSTS, CHANNELS = microcontroller.network(), microcontroller.channels()
LIMITS = ("peak_textbook <= 320_000", "params <= 2_000_000", "macs <= 300_000_000")
FORMS = ("params", "macs", "flops", "activations", "peak_textbook")
BILLION = sc.Space(
    n=[1], C=[1000], w=range(1, 29), r=range(32, 257, 8), e=range(1, 6), **{f"L{i}": range(1, 9) for i in range(1, 7)}
)
TRILLION = sc.Space(
    n=range(1, 13), C=[1000], w=range(1, 41), r=range(32, 257), e=range(1, 11), **{f"L{i}": range(1, 11) for i in range(1, 7)}
)  # fmt: skip
HARD = sc.Space(
    n=[1], C=[1000], w=range(1, 29), r=range(32, 257, 8), e=range(1, 6), **{f"L{i}": range(1, 15) for i in range(1, 7)}
)
UNCUT = ("macs % 1009 <= 7", "params % 2 == 0")
"""Conditions that no bound decides: every configuration is visited."""
POINTS = 1_000_000
_measured: dict[str, float] = {}
"""What one row measures and later ones are compared with."""


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall time, and the result."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def row(benchmark: Any, name: str, peer: str, ours: str, theirs: str, ratio: float, reach: str) -> None:
    """Print one row of the table, and keep it where it has a peer (``tests/ratios.py``)."""
    if peer != "-":
        sign, _, number = reach.partition(",")[0].partition(" ")
        aim = None if not number else 10.0 ** int(number[3:]) if number.startswith("10^") else float(number)
        benchmark.extra_info.update(row=name.partition(" (")[0], peer=peer, ratio=ratio, aim=aim, more=sign == ">=")
    print(f"\n| {name} | {ours} | {peer} | {theirs} | {ratio:,.3g} | {reach} |")


def columns(space: sc.Space, number: int = POINTS) -> dict[str, Any]:
    """Random configurations of a space."""
    random = np.random.default_rng(0)
    return {name: random.choice(np.asarray(values), number) for name, values in space.axes.items()}


def lambdified() -> Callable[..., Any]:
    """The peer: sympy's lambdify for numpy with common subexpressions computed once."""
    channels = {sc.symbols(name)[0]: sc.parse(text) for name, text in CHANNELS.items()}

    def inserted(form: Any) -> Any:
        if isinstance(form, sympy.Max):
            return sympy.Max(*(a.xreplace(channels) for a in form.args), evaluate=False)
        return form.xreplace(channels)

    forms = {"params": COSTS.params, "macs": COSTS.macs, "flops": COSTS.flops, "activations": COSTS.activations}
    made = [inserted(form) for form in (*forms.values(), COSTS.peak("textbook"))]
    return sympy.lambdify([sc.symbols(name)[0] for name in BILLION.axes], made, "numpy", cse=True)


@pytest.fixture(scope="module")
def peer() -> Callable[..., Any]:
    return lambdified()


def best_of_a_billion(space: sc.Space = BILLION) -> Any:
    """Count and best in one pass over every configuration, the compiler's time included."""
    search.cache_clear()
    jax.clear_caches()
    problem = make_problem(COSTS, space, LIMITS, [("macs", True)], shown=(), define=CHANNELS)
    settings = Settings(engine="jax")
    with settings.opened() as pool:
        return run(SearchJob(problem, "top", 1, "jax"), settings, pool)


def test_a_billion_configurations_by_brute_force(benchmark: Any, peer: Callable[..., Any]) -> None:
    found = benchmark.pedantic(best_of_a_billion, rounds=3)
    mine = _measured["pass"] = benchmark.stats.stats.median / BILLION.size * 10**9
    given = columns(BILLION)
    theirs, values = seconds(lambda: peer(*given.values()))
    allowed = (values[4] <= 320_000) & (values[0] <= 2_000_000) & (values[1] <= 300_000_000)
    assert found.visited == BILLION.size
    assert found.count / BILLION.size == pytest.approx(allowed.mean(), abs=0.01)
    ratio = (theirs / POINTS) / (mine / 10**9)
    row(benchmark, "10^9 CNN grid, three conditions, count and best", "lambdify(cse=True)", f"{10**9 / mine:.3g}/s",
        f"{POINTS / theirs:.3g}/s", ratio, ">= 200")  # fmt: skip


def test_a_billion_against_tracing_each(benchmark: Any) -> None:
    found = benchmark.pedantic(best_of_a_billion, rounds=1)
    assert found.count
    module = sc.build(sc.models.mobilenet_v2().net)
    image = jnp.ones((1, 96, 96, 3))
    variables = jax.eval_shape(module.init, jax.random.key(0), image)

    def traced() -> Any:
        jax.clear_caches()
        return jax.jit(module.apply).lower(variables, image).cost_analysis()

    theirs = min(seconds(traced)[0] for _ in range(3))
    mine = benchmark.stats.stats.median / BILLION.size
    row(
        benchmark,
        "10^9 CNN grid, each traced",
        "lower().cost_analysis()",
        f"{1 / mine:.3g}/s",
        f"{1 / theirs:.3g}/s",
        theirs / mine,
        ">= 10^8",
    )


@pytest.mark.parametrize(("where", "name"), [(LIMITS, "bounded"), (UNCUT, "no bound decides")])
def test_machine_code_against_jax(benchmark: Any, where: tuple[str, ...], name: str) -> None:
    """Why machine code is taken by itself and JAX only when asked for: compiling included."""

    def counted(engine: str) -> Any:
        search.cache_clear()
        jax.clear_caches()
        return sc.count(COSTS, BILLION, where, define=CHANNELS, engine=engine)

    found = benchmark.pedantic(lambda: counted("native"), rounds=3)
    mine = benchmark.stats.stats.median
    theirs, right = seconds(lambda: counted("jax"))
    assert found == right
    row(
        benchmark,
        f"machine code, the 10^9 grid, {name}",
        "JAX",
        f"{mine:.2f} s",
        f"{theirs:.2f} s",
        theirs / mine,
        ">= 1",
    )


@pytest.mark.parametrize("number", [3, 4])
def test_fronts_of_more_objectives(benchmark: Any, number: int) -> None:
    goals = ("macs", "peak_textbook", "activations")[: number - 1]

    def front() -> Any:
        search.cache_clear()
        return sc.pareto(COSTS, TRILLION, LIMITS, minimize=goals, maximize="params", define=CHANNELS, show=())

    found = benchmark.pedantic(front, rounds=1)
    mine = benchmark.stats.stats.median
    row(benchmark, f"front of {number} objectives, 10^12, three conditions: {len(found):,} points", "a pass of ours over 10^9",
        f"{mine:.2f} s", f"{a_pass():.2f} s", mine / a_pass(), "-")  # fmt: skip


def test_columns_of_configurations(benchmark: Any, peer: Callable[..., Any]) -> None:
    compiled, given, many = COSTS_COLUMNS, columns(BILLION), columns(BILLION, 4 * POINTS)
    tracemalloc.start()
    out = compiled(**{name: many[name] for name in compiled.symbols})
    extra = tracemalloc.get_traced_memory()[1] / sum(column.nbytes for column in out.values())
    tracemalloc.stop()
    used = {name: given[name] for name in compiled.symbols}
    out = compiled(**used)
    benchmark.pedantic(lambda: compiled(**used), rounds=3)
    mine = benchmark.stats.stats.median
    theirs = min(seconds(lambda: peer(*given.values()))[0] for _ in range(3))
    values = peer(*given.values())
    assert all((out[name] == value).all() for name, value in zip(FORMS, values, strict=True))
    row(benchmark, f"columns, numpy ({extra:.2f} of the outputs' memory)", "lambdify(cse=True)", f"{POINTS / mine:.3g}/s",
        f"{POINTS / theirs:.3g}/s", theirs / mine, ">= 2, memory <= 1.2")  # fmt: skip


def test_step_times_of_plans(benchmark: Any) -> None:
    costs = sc.trace(perceptron, "bfloat16[B,d]", plan=sc.Plan(MESH, TENSOR), mode="train")
    timed, counted = (
        costs.compile(name, checked=False, **on) for name, on in (("step_time", {"device": V5P}), ("macs", {}))
    )
    random = np.random.default_rng(0)
    X, Y = 2 ** random.integers(1, 6, POINTS), 2 ** random.integers(1, 6, POINTS)
    given = {"B": X * 2 ** random.integers(8, 10, POINTS), "d": 256 * random.integers(1, 40, POINTS), "F": Y * 128}
    benchmark.pedantic(lambda: timed(**given, X=X, Y=Y), rounds=3)
    mine = benchmark.stats.stats.median
    theirs = min(seconds(lambda: counted(**given))[0] for _ in range(3))
    row(benchmark, "times of steps of 10^6 plans on arrays", "their MACs, exactly", f"{mine:.3g} s", f"{theirs:.3g} s",
        mine / theirs, "<= 8")  # fmt: skip


def _columns() -> Any:
    from symcost.sweeps.question.columns import CompiledFormulas

    problem = make_problem(COSTS, BILLION, (), shown=FORMS, define=CHANNELS)
    return CompiledFormulas(problem.shown, problem.formulas)


COSTS_COLUMNS = _columns()


def a_pass() -> float:
    """Seconds of one brute-force pass over 10^9 configurations."""
    if "pass" not in _measured:
        _measured["pass"] = seconds(best_of_a_billion)[0] / BILLION.size * 10**9
    return _measured["pass"]


def test_the_count_of_a_trillion(benchmark: Any) -> None:
    def counted() -> Any:
        search.cache_clear()
        return sc.count(COSTS, TRILLION, LIMITS, define=CHANNELS)

    found = benchmark.pedantic(counted, rounds=3)
    mine = benchmark.stats.stats.median
    row(benchmark, f"count of 10^12: {found:,}, {found.visited / found.size:.3%} visited", "a pass of ours over 10^9",
        f"{mine:.2f} s", f"{a_pass():.2f} s", mine / a_pass(), "<= 5, < 0.1 %")  # fmt: skip


def test_the_front_of_a_trillion(benchmark: Any) -> None:
    def front() -> Any:
        search.cache_clear()
        return sc.pareto(COSTS, TRILLION, (), minimize="macs", maximize="params", define=CHANNELS, show=())

    found = benchmark.pedantic(front, rounds=1)
    mine = benchmark.stats.stats.median
    row(benchmark, f"front of 10^12: {len(found):,} points", "a pass of ours over 10^9", f"{mine:.2f} s",
        f"{a_pass():.2f} s", mine / a_pass(), "<= 30")  # fmt: skip


def test_two_processes(benchmark: Any) -> None:
    asked: dict[str, Any] = {"define": CHANNELS, "engine": "native"}
    small = sc.Space({name: list(values)[:2] for name, values in HARD.axes.items()})
    took = {}
    for number in (1, 2):
        with Workers(number) as pool:
            sc.count(COSTS, small, UNCUT, executor=pool, workers=number, **asked)  # all processes start
            work = lambda p=pool, w=number: sc.count(COSTS, HARD, UNCUT, executor=p, workers=w, **asked)  # noqa: E731
            took[number] = seconds(work if number == 1 else lambda w=work: benchmark.pedantic(w, rounds=1))[0]
    row(benchmark, "two processes", "one", f"{took[2]:.2f} s", f"{took[1]:.2f} s", took[1] / took[2], ">= 1.8")


def test_exact_integers_beyond_float64(benchmark: Any) -> None:
    def asked(scale: int) -> Any:
        search.cache_clear()
        space = sc.Space(a=range(scale, scale + 1000), b=range(1, 1001), c=range(1, 401))
        return sc.count({"f": "a**2*b + a*b*c + c"}, space, f"f <= {(scale + 500) ** 2 * 500}", engine="jax")

    asked(3)
    small, plain = min((seconds(lambda: asked(3)) for _ in range(3)), key=lambda found: found[0])
    scale = 10**15
    large = benchmark.pedantic(lambda: asked(scale), rounds=3)
    mine, limit = benchmark.stats.stats.median, (scale + 500) ** 2 * 500
    assert (plain.numbers, large.numbers) == ("float64", "two words (int64 and float64)")
    right = (
        max(0, min(400, (limit - a * a * b) // (a * b + 1)))
        for a in range(scale, scale + 1000)
        for b in range(1, 1001)
    )  # fmt: skip
    assert large == sum(right)
    row(benchmark, "exact integers to 10^33", "float64", f"{mine:.2f} s", f"{small:.2f} s", mine / small, "<= 4")


MEMORY = """
from pathlib import Path
from tests import bench_sweep as b
b.best_of_a_billion()
b.sc.count(b.COSTS, b.TRILLION, b.LIMITS, define=b.CHANNELS)
print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024)
"""


def test_memory_stays_flat(benchmark: Any) -> None:
    root = Path(__file__).parents[1]
    done = benchmark.pedantic(
        lambda: subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, cwd=root),
        rounds=1,
    )
    row(benchmark, "memory of both passes, a fresh process", "-", f"{done.stdout.strip()} MB", "-",
        int(done.stdout), "< 1,000 MB")  # fmt: skip
