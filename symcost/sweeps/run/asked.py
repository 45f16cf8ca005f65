"""A question about a space as the verbs ask it: looked at, searched for each of its networks, and answered."""

from __future__ import annotations

import inspect
import itertools
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.estimate.questions.setting import OPTIONS, QuantityOptions
from symcost.formulas.extent import whole
from symcost.reading.nearest import choose
from symcost.reading.numerals import short
from symcost.sweeps.answers.answer import Answer, Count, columns_at
from symcost.sweeps.answers.compared import FRONT, checked
from symcost.sweeps.answers.front import front
from symcost.sweeps.answers.partial import Kind, Partial, smallest
from symcost.sweeps.numbers.arithmetic import objects
from symcost.sweeps.numbers.tiers import NAMES
from symcost.sweeps.question.cases import Case, cases, check_define
from symcost.sweeps.question.pinned import pinned
from symcost.sweeps.question.space import Space, Texts, texts
from symcost.sweeps.run.driver import Report, Settings, run
from symcost.sweeps.run.store import Store, described
from symcost.sweeps.run.task import SearchJob, search, search_note
from symcost.version import __version__


class SearchOptions(QuantityOptions, total=False):
    """How a space is searched, beside the options of its quantities: :func:`symcost.count` says what each one is."""

    define: Mapping[str, Any] | None
    engine: str
    workers: int | None
    processes: int | None
    executor: Executor | None
    out: str | Path | None
    on_progress: Report | None
    check: bool


@dataclass(frozen=True)
class Asked:
    """A question that a verb asks; ``inner``: whether it is a part of another question, which has been checked."""

    costs: Any
    space: Space
    where: tuple[str, ...]
    objectives: Sequence[tuple[str, bool]]
    show: tuple[str, ...] | None
    define: Mapping[str, Any] | None
    settings: Settings
    out: str | Path | None
    options: QuantityOptions
    check: bool = False
    inner: bool = False

    @classmethod
    def of(cls, verb: Callable[..., Any], costs: Any, space: Space, where: Texts, options: SearchOptions,
           objectives: Sequence[tuple[str, bool]] = (), show: Texts = None) -> Asked:  # fmt: skip
        """The question of a verb; an option that is none is an error, as all of them are known here."""
        known = SearchOptions.__annotations__
        for name in options:
            if name not in known:
                own = [parameter for parameter in inspect.signature(verb).parameters if parameter != "options"]
                raise SpaceError(f"unknown argument {name!r}: {choose(name, [*own, *known])}")
        values: dict[str, Any] = dict(options)
        settings = Settings(**{each.name: values[each.name] for each in fields(Settings) if each.name in values})
        note = search_note(space.size, settings.engine) if isinstance(space, Space) else None
        if note is not None and settings.on_progress is None:  # nobody is shown how far it is
            warnings.warn(note, stacklevel=3)
        return cls(
            costs, space, texts("where", where), objectives, None if show is None else texts("show", show),
            values.get("define"), settings, values.get("out"),
            QuantityOptions(**{name: value for name, value in values.items() if name in OPTIONS}),
            _flag(values.get("check", False)),
        )  # fmt: skip

    def count(self) -> Count:
        """The number of feasible configurations."""
        started = time.perf_counter()
        problems = self._cases((), self.where, ())
        check_define(self.costs, problems, self.define)
        jobs = [SearchJob(case.problem, "count", 0, self.settings.engine) for case in problems]
        words = described(jobs, self.space.axes, self.define or {}, self.options)
        with ExitStack() as stack:
            store = self._store(stack, jobs, words)
            pool = stack.enter_context(self.settings.opened())
            parts = [run(job, self.settings, pool, store) for job in jobs]
            total = self._total(parts, parts, jobs, started)
            if store:
                store.finish({"feasible": [int(total)]}, _provenance(words, total))
        if self.check and total:
            # the largest one that counts, since a number alone is of no configuration
            replace(self, objectives=[("macs", True)], show=("macs",), out=None, inner=True).answer("top", 1)
        return total

    def answer(self, kind: Kind, keep: int) -> Answer:
        """Search every network, count the feasible, and evaluate the survivors."""
        started = time.perf_counter()
        problems = self._cases(self.objectives, self.where, self.show)
        if not self.inner:
            check_define(self.costs, problems, self.define)
        searched = [replace(c, problem=pinned(c.problem)) if kind == "front" else c for c in problems]
        engine = self.settings.engine
        jobs = [SearchJob(case.problem, kind, keep, engine) for case in searched]
        counting = [SearchJob(replace(case.problem, objectives=()), "count", 0, engine) for case in problems]
        words = described(jobs, self.space.axes, self.define or {}, self.options)
        with ExitStack() as stack:
            store = self._store(stack, jobs, words)
            pool = stack.enter_context(self.settings.opened())
            parts = [run(job, self.settings, pool, store) for job in jobs]
            many = any(part.overflow for part in parts) or (kind == "all" and sum(p.count for p in parts) > keep)
            counts = [run(job, self.settings, pool, store) for job in counting] if many or kind != "all" else parts
            names = (*self.space.axes, *problems[0].problem.shown)
            columns = dict.fromkeys(names, ()) if many else _joined(kind, keep, self.objectives, searched, parts)
            total = self._total(counts, parts, jobs, started)
            answer = Answer(
                columns, self.space.axes, int(total), total.size, total.visited, total.seconds, total.engine, total.numbers,
                _MANY.format(total, keep) if many else "", _provenance(words, total), tuple(self.objectives),
                model=named(self.costs), units=problems[0].problem.units,
            )  # fmt: skip
            if self.check and len(answer):
                told = checked(
                    self.costs, self.space, self.define or {}, answer.rows[: FRONT if kind == "front" else 1]
                )
                answer = replace(answer, compared=told)
            if store:
                store.finish(columns, answer.provenance)
        return answer

    def _cases(self, objectives: Sequence[tuple[str, bool]], where: Sequence[str], shown: Any) -> list[Case]:
        return cases(
            self.costs, self.space, objectives, where=where, define=self.define, shown=shown, options=self.options
        )

    def _store(self, stack: ExitStack, jobs: list[SearchJob], words: Mapping[str, str]) -> Store | None:
        """The folder of the run, opened, if there is one."""
        out = self.out
        return None if out is None else stack.enter_context(Store(out, jobs, words, self.settings.parts).opened())

    def _total(
        self, counts: Sequence[Partial], parts: Sequence[Partial], jobs: Sequence[SearchJob], started: float
    ) -> Count:
        """All that was counted, what was visited for it, by which engines, in the widest kind of number that any job needs."""
        searches = [search(job) for job in jobs]
        return Count.of(
            sum(part.count for part in counts), self.space.size, sum(part.visited for part in parts),
            time.perf_counter() - started, ", ".join(dict.fromkeys(each.engine for each in searches)),
            NAMES[max(each.widest for each in searches)],
        )  # fmt: skip

    def histogram(self, name: str, bins: int) -> list[tuple[Any, Any, int]]:
        """Bins of equal width (low, high, number), each with its upper end; the first one with its lower end too."""
        ends = []
        for maximise in (False, True):
            asked = replace(self, objectives=[(name, maximise)], show=(name,), out=None, check=False, inner=True)
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
                jobs = [SearchJob(c.problem, "count", 0, engine) for c in self._cases((), [*self.where, limit], ())]
                below.append(sum(run(job, self.settings, pool).count for job in jobs))
        pairs = zip(itertools.pairwise(shown), itertools.pairwise(below), strict=True)
        return [(a, b, after - before) for (a, b), (before, after) in pairs]


def named(costs: Any) -> str:
    """What a model is called; of several the names that the space has for them, and nothing of formulas alone."""
    if isinstance(costs, CostTable):
        return costs.parts.name
    several = isinstance(costs, Mapping) and all(isinstance(each, CostTable) for each in costs.values())
    return ", ".join(map(str, costs)) if several else ""


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise SpaceError(f"check={short(given)} must be True or False")
    return given


def _provenance(asked: Mapping[str, str], count: Count) -> dict[str, str]:
    """What was asked, what was found, and by what."""
    versions = f"symcost {__version__}, Python {platform.python_version()}, numpy {np.__version__}"
    return {
        **asked, "feasible": str(int(count)), "size": str(count.size), "visited": str(count.visited),
        "numbers": count.numbers, "engine": count.engine, "versions": versions,
    }  # fmt: skip


_MANY = "{:,} configurations are feasible, more than the {:,} that are listed: give an objective, or narrow the space"


def _joined(
    kind: Kind, keep: int, objectives: Sequence[tuple[str, bool]], searched: Sequence[Case], parts: Sequence[Partial]
) -> dict[str, list[Any]]:
    """Survivors of all cases in one list: best first, along the front, or in the order of evaluation."""
    tables = [
        {**{n: [v] * len(p.index) for n, v in c.choice.items()}, **columns_at(c.problem, p)}
        for c, p in zip(searched, parts, strict=True)
    ]
    columns = {name: list(itertools.chain(*(t[name] for t in tables))) for name in tables[0]}
    if not objectives:
        return columns
    goals = [objects([-v if maximise else v for v in columns[text]]) for text, maximise in objectives]
    order = front(goals) if kind == "front" else smallest(np.arange(len(goals[0])), goals[0], keep)
    return {name: [column[i] for i in order] for name, column in columns.items()}
