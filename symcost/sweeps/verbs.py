"""The verbs ``count``, ``sweep`` and ``pareto``: exact answers over a whole design space."""

from __future__ import annotations

import inspect
import itertools
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from symcost.errors import SpaceError
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.setting import OPTIONS, QuantityOptions
from symcost.formulas.extent import whole
from symcost.reading.nearest import choose
from symcost.reading.numerals import short
from symcost.sweeps.answers.answer import Answer, Count, columns_at
from symcost.sweeps.answers.front import MOST_OBJECTIVES, front
from symcost.sweeps.answers.partial import Kind, Partial, smallest
from symcost.sweeps.numbers.tiers import NAMES
from symcost.sweeps.question.pinned import pinned
from symcost.sweeps.question.problem import Problem, make_problem
from symcost.sweeps.question.space import Space, Texts, texts
from symcost.sweeps.run.driver import Report, Settings, run
from symcost.sweeps.run.store import Store, described
from symcost.sweeps.run.task import SearchJob, search

FEW = 100_000
"""All feasible configurations are listed when they are at most so many."""


@dataclass(frozen=True)
class Case:
    """One combination of the choices of networks, and the problem it leaves."""

    choice: dict[str, str]
    problem: Problem


MOST_BINS = 100_000


def cases(costs: Any, space: Space, objectives: Iterable[tuple[str, bool]] = (), **asked: Any) -> list[Case]:
    """The problem, or one for each network that the space chooses from."""
    if not isinstance(space, Space):
        raise SpaceError(f"{short(space)} is not a space: give sc.Space(d=range(64, 1025, 64), ...)")
    choices = space.choices
    if not choices:
        return [Case({}, make_problem(costs, space, objectives=objectives, **asked))]
    if len(choices) > 1:
        raise SpaceError(f"the axes {', '.join(choices)} are all choices: a space has one axis of networks")
    ((axis, names),) = choices.items()
    if not isinstance(costs, Mapping) or not all(name in costs for name in names):
        missing = [n for n in names if not isinstance(costs, Mapping) or n not in costs]
        raise SpaceError(f"the axis {axis} chooses {missing[0]!r}: give costs as a mapping that has it")
    rest = Space(space.numbers, where=space.where)
    return [Case({axis: n}, make_problem(costs[n], rest, objectives=objectives, **asked)) for n in names]


def check_define(costs: Any, found: list[Case], define: Mapping[str, Any] | None) -> None:
    """Refuse a definition that nothing uses: a name that is mistyped changes nothing, and nobody would see it."""
    used = {name for case in found for name in case.problem.formulas}
    sources = [costs[name] for case in found for name in case.choice.values()] or [costs]
    for name in define or {}:
        if name not in used and all(name not in Metrics(source, define).symbols for source in sources):
            raise SpaceError(
                f"define gives {name} = {(define or {})[name]}, which nothing uses: leave it out, or correct it"
            )


def _check_options(options: QuantityOptions) -> None:
    """Refuse a keyword that is none: all of them are known here."""
    known = [*inspect.signature(sweep).parameters, *OPTIONS]
    for name in options:
        if name not in OPTIONS:
            raise SpaceError(f"unknown argument {name!r}: {choose(name, known)}")


def listed(costs: Any, space: Space, objectives: Iterable[tuple[str, bool]], show: Texts,
           define: Mapping[str, Any] | None, options: QuantityOptions) -> tuple[str, ...]:  # fmt: skip
    """Names of an answer's columns, known before the search."""
    found = cases(costs, space, objectives, define=define, shown=_shown(show), options=options)
    return (*space.axes, *found[0].problem.shown)


def _shown(show: Texts) -> tuple[str, ...] | None:
    return None if show is None else texts("show", show)


def count(
    costs: Any,
    space: Space,
    where: Texts = (),
    *,
    define: Mapping[str, Any] | None = None,
    engine: str = "auto",
    workers: int | None = None,
    processes: int | None = None,
    executor: Executor | None = None,
    out: str | Path | None = None,
    on_progress: Report | None = None,
    **options: Unpack[QuantityOptions],
) -> Count:
    """The exact number of configurations of a space that satisfy all conditions.

    ``costs`` is a cost table, or a mapping of names to formulas; ``where`` holds conditions on its numbers and the
    axes. Conditions of the closed form's domain count too: a configuration outside it does not exist. ``define`` gives
    further formulas, or values of symbols that are not axes, as ``{"H": "d/64"}``. The result is an integer with
    ``size``, ``visited``, ``seconds``, ``engine`` and ``numbers`` (the kind of number that held every intermediate).
    ``out`` is a folder that keeps finished parts: the same question goes on from what is there.

    Conditions are those of :mod:`symcost.formulas.conditions`, in any quantity of
    :data:`symcost.estimate.questions.quantities.QUANTITIES`: ``"params <= 25 M and latency <= 5 ms"``. ``options`` say how the
    quantities are meant: ``device`` (which ``latency``, ``throughput``, ``energy`` and ``fits`` need), ``dtype``, ``weights`` or
    ``bits``, ``density``, ``latency_model``, ``rule`` of peaks, ``convention``, ``optimizer`` and ``batch``.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> net = sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d))
    >>> sc.count(net, sc.Space(n=[1], d=range(8, 513, 8), L=range(1, 101)), where=["params <= 1_000_000"])
    2175
    >>> sc.count(net, sc.Space(n=[1], d=[64], L=range(1, 101)), ["latency <= 20 us"], device="arm-cortex-a76-pixel-4")
    39
    """
    started = time.perf_counter()
    settings = Settings(workers, processes, executor, engine, on_progress)
    _check_options(options)
    found = cases(costs, space, where=texts("where", where), define=define, shown=(), options=options)
    check_define(costs, found, define)
    jobs = [SearchJob(case.problem, "count", 0, engine) for case in found]
    asked = described(jobs, space.axes, define or {}, options)
    with ExitStack() as stack:
        store = _store(stack, out, jobs, asked, settings)
        pool = stack.enter_context(settings.opened())
        parts = [run(job, settings, pool, store) for job in jobs]
        made = Count.of(
            sum(p.count for p in parts), space.size, sum(p.visited for p in parts), time.perf_counter() - started,
            *_engine_and_numbers(jobs),
        )  # fmt: skip
        if store:
            store.finish({"feasible": [int(made)]}, _provenance(asked, made))
    return made


def _store(
    stack: ExitStack, out: Any, jobs: list[SearchJob], asked: Mapping[str, str], settings: Settings
) -> Store | None:
    """The folder of a run, opened, if there is one."""
    return None if out is None else stack.enter_context(Store(out, jobs, asked, settings.parts).opened())


def _provenance(asked: Mapping[str, str], count: Count) -> dict[str, str]:
    """What was asked, what was found, and by what."""
    versions = f"symcost {version('symcost')}, Python {platform.python_version()}, numpy {np.__version__}"
    return {
        **asked, "feasible": str(int(count)), "size": str(count.size), "visited": str(count.visited),
        "numbers": count.numbers, "engine": count.engine, "versions": versions,
    }  # fmt: skip


def _engine_and_numbers(jobs: Sequence[SearchJob]) -> tuple[str, str]:
    """The engines that were taken, and the widest kind of number that any job needs."""
    found = [search(job) for job in jobs]
    return ", ".join(dict.fromkeys(each.engine for each in found)), NAMES[max(each.widest for each in found)]


def sweep(
    costs: Any,
    space: Space,
    where: Texts = (),
    *,
    minimize: str | None = None,
    maximize: str | None = None,
    top: int = 10,
    show: Texts = None,
    histogram: int | None = None,
    define: Mapping[str, Any] | None = None,
    engine: str = "auto",
    workers: int | None = None,
    processes: int | None = None,
    executor: Executor | None = None,
    out: str | Path | None = None,
    on_progress: Report | None = None,
    **options: Unpack[QuantityOptions],
) -> Answer:
    """The best feasible configurations by one objective, or all of them when they are few.

    ``minimize`` or ``maximize`` is an expression in the costs and axes, as ``"macs"`` or ``"macs/params"``; ``top`` says
    how many are kept. Without an objective all feasible configurations are listed if they are at most 100,000.
    ``show`` names the numbers that are listed. ``histogram=20`` adds the exact distribution of each over the feasible
    configurations, in so many bins, as ``histograms``. Other arguments are those of :func:`count`.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> net = sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d))
    >>> space = sc.Space(n=[1], d=range(8, 513, 8), L=range(1, 101))
    >>> sc.sweep(net, space, where=["params <= 1_000_000"], maximize="macs", top=1, show="macs").rows
    [{'n': 1, 'd': 288, 'L': 12, 'macs': 995328}]
    """
    for word, given in (("minimize", minimize), ("maximize", maximize)):
        if given is not None and not isinstance(given, str):
            raise SpaceError(
                f"{word}={short(given)} must be one expression as text: a sweep has one objective; see pareto"
            )
    if minimize is not None and maximize is not None:
        raise SpaceError(
            f"minimize={short(minimize)} and maximize={short(maximize)}: a sweep has one objective; see pareto"
        )
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        raise SpaceError(f"top={short(top)} must be a positive integer: the number of configurations to keep")
    if top > FEW:
        raise SpaceError(
            f"top={short(top)} is too many: give at most {FEW}, or none of minimize and maximize to list all"
        )
    goal = minimize if minimize is not None else maximize
    objectives = [] if goal is None else [(goal, maximize is not None)]
    settings = Settings(workers, processes, executor, engine, on_progress)
    _check_options(options)
    asked = _Asked(costs, space, objectives, texts("where", where), define, _shown(show), settings, out, options)
    if histogram is not None and (not isinstance(histogram, int) or isinstance(histogram, bool) or histogram < 1):
        raise SpaceError(f"histogram={short(histogram)} must be a positive integer: the number of bins")
    if histogram is not None and histogram > MOST_BINS:
        raise SpaceError(f"histogram={short(histogram)} is too fine: give at most {MOST_BINS} bins")
    answer = asked.answer("all" if goal is None else "top", FEW if goal is None else top)
    if histogram is None or not answer.count:
        return answer
    names = [name for name in answer.columns if name not in space.axes]
    return replace(answer, histograms={name: asked.histogram(name, histogram) for name in names})


def pareto(
    costs: Any,
    space: Space,
    where: Texts = (),
    *,
    minimize: Texts = (),
    maximize: Texts = (),
    show: Texts = None,
    define: Mapping[str, Any] | None = None,
    engine: str = "auto",
    workers: int | None = None,
    processes: int | None = None,
    executor: Executor | None = None,
    out: str | Path | None = None,
    on_progress: Report | None = None,
    **options: Unpack[QuantityOptions],
) -> Answer:
    """The exact Pareto front of two to four objectives: every trade-off that no feasible configuration improves on.

    One configuration stands for all that have the same objectives. Arguments are those of :func:`sweep`.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> net = sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d))
    >>> found = sc.pareto(net, sc.Space(n=[1], d=[8, 16, 32], L=[1, 2]), minimize="activations", maximize="params")
    >>> [(row["d"], row["L"]) for row in found]
    [(8, 1), (8, 2), (16, 1), (16, 2), (32, 1), (32, 2)]
    """
    objectives = [
        *((t, False) for t in texts("minimize", minimize)),
        *((t, True) for t in texts("maximize", maximize)),
    ]
    if not 2 <= len(objectives) <= MOST_OBJECTIVES:
        raise SpaceError(f"a front has 2 to {MOST_OBJECTIVES} objectives: {len(objectives)} are given")
    settings = Settings(workers, processes, executor, engine, on_progress)
    _check_options(options)
    asked = _Asked(costs, space, objectives, texts("where", where), define, _shown(show), settings, out, options)
    return asked.answer("front", 0)


@dataclass(frozen=True)
class _Asked:
    """A question about survivors."""

    costs: Any
    space: Space
    objectives: Sequence[tuple[str, bool]]
    where: tuple[str, ...]
    define: Mapping[str, Any] | None
    show: tuple[str, ...] | None
    settings: Settings
    out: str | Path | None
    options: QuantityOptions
    inner: bool = False
    """Whether it is a part of another question, which has been checked."""

    def answer(self, kind: Kind, keep: int) -> Answer:
        """Search every case, count the feasible, and evaluate the survivors."""
        started = time.perf_counter()
        found = self._cases(self.where, self.show, self.objectives)
        if not self.inner:
            check_define(self.costs, found, self.define)
        searched = [replace(c, problem=pinned(c.problem)) if kind == "front" else c for c in found]
        engine = self.settings.engine
        jobs = [SearchJob(case.problem, kind, keep, engine) for case in searched]
        counting = [SearchJob(replace(case.problem, objectives=()), "count", 0, engine) for case in found]
        asked = described(jobs, self.space.axes, self.define or {}, self.options)
        with ExitStack() as stack:
            store = _store(stack, self.out, jobs, asked, self.settings)
            pool = stack.enter_context(self.settings.opened())
            parts = [run(job, self.settings, pool, store) for job in jobs]
            many = any(part.overflow for part in parts) or (kind == "all" and sum(p.count for p in parts) > keep)
            counts = [run(job, self.settings, pool, store) for job in counting] if many or kind != "all" else parts
            names = (*self.space.axes, *found[0].problem.shown)
            columns = dict.fromkeys(names, ()) if many else _joined(kind, keep, self.objectives, searched, parts)
            total = Count.of(
                sum(part.count for part in counts), self.space.size, sum(part.visited for part in parts),
                time.perf_counter() - started, *_engine_and_numbers(jobs),
            )  # fmt: skip
            answer = Answer(
                columns, self.space.axes, int(total), total.size, total.visited, total.seconds, total.engine, total.numbers,
                _MANY.format(total, keep) if many else "", _provenance(asked, total), tuple(self.objectives),
            )  # fmt: skip
            if store:
                store.finish(columns, answer.provenance)
        return answer

    def _cases(self, where: Sequence[str], shown: Any, objectives: Sequence[tuple[str, bool]] = ()) -> list[Case]:
        return cases(
            self.costs, self.space, objectives, where=where, define=self.define, shown=shown, options=self.options
        )

    def histogram(self, name: str, bins: int) -> list[tuple[Any, Any, int]]:
        """Bins of equal width (low, high, number), each with its upper end; the first one with its lower end too."""
        ends = []
        for maximise in (False, True):
            asked = replace(self, objectives=[(name, maximise)], show=(name,), out=None, inner=True)
            ends.append(asked.answer("top", 1).columns[name][0])
        low, high = ends
        bins = bins if high > low else 1
        edges = [low, *(low + Fraction((high - low) * (i + 1), bins) for i in range(bins))]
        shown = [whole(edge) for edge in edges]
        engine = self.settings.engine
        below = [0]
        with self.settings.opened() as pool:
            for edge in edges[1:]:
                limit = f"{name} <= {edge.numerator}/{edge.denominator}"
                found = self._cases([*self.where, limit], ())
                below.append(
                    sum(run(SearchJob(c.problem, "count", 0, engine), self.settings, pool).count for c in found)
                )
        pairs = zip(itertools.pairwise(shown), itertools.pairwise(below), strict=True)
        return [(a, b, after - before) for (a, b), (before, after) in pairs]


_MANY = "{:,} configurations are feasible, more than the {:,} that are listed: give an objective, or narrow the space"


def _joined(
    kind: Kind, keep: int, objectives: Sequence[tuple[str, bool]], found: list[Case], parts: list[Partial]
) -> dict[str, list[Any]]:
    """Survivors of all cases in one list: best first, along the front, or in the order of evaluation."""
    tables = [
        {**{n: [v] * len(p.index) for n, v in c.choice.items()}, **columns_at(c.problem, p)}
        for c, p in zip(found, parts, strict=True)
    ]
    columns = {name: list(itertools.chain(*(t[name] for t in tables))) for name in tables[0]}
    if not objectives:
        return columns
    goals = [_array([-v if maximise else v for v in columns[text]]) for text, maximise in objectives]
    order = front(goals) if kind == "front" else smallest(np.arange(len(goals[0])), goals[0], keep)
    return {name: [column[i] for i in order] for name, column in columns.items()}


def _array(values: list[Any]) -> Any:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
