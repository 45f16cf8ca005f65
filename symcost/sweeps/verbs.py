"""The verbs ``count``, ``sweep`` and ``pareto``: exact answers over a whole design space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Unpack

from symcost.errors import SpaceError
from symcost.estimate.questions.setting import QuantityOptions
from symcost.reading.numerals import short
from symcost.sweeps.answers.answer import Answer, Count
from symcost.sweeps.answers.front import MOST_OBJECTIVES
from symcost.sweeps.question.cases import cases
from symcost.sweeps.question.space import Space, Texts, check_count, texts
from symcost.sweeps.run.asked import Asked, SearchOptions

FEW = 100_000
"""All feasible configurations are listed when they are at most so many."""
MOST_BINS = 100_000


def count(costs: Any, space: Space, where: Texts = (), **options: Unpack[SearchOptions]) -> Count:
    """The exact number of configurations of a space that satisfy all conditions.

    ``costs`` is a cost table, or a mapping of names to formulas; ``where`` holds conditions on its numbers and the
    axes. Conditions of the closed form's domain count too: a configuration outside it does not exist. The result is an
    integer with ``size``, ``visited``, ``seconds``, ``engine`` and ``numbers`` (the kind of number that held every
    intermediate).

    - ``define``: further formulas, or values of symbols that are not axes, as ``{"H": "d/64"}``.
    - ``engine``: ``"native"``, ``"jax"`` or ``"numpy"``; the one that suits the question unless given.
    - ``workers``: threads, as many as there are processors unless given; ``processes`` of this machine instead; or any
      ``executor`` of :mod:`concurrent.futures`, on which ``workers`` parts run at the same time.
    - ``out``: a folder that keeps finished parts: the same question goes on from what is there.
    - ``check``: whether numbers are compared with a fresh trace of the model, as ``costs.subs(check=True)`` does: of the best
      configuration, of the first ones of a front, of the one with the most MACs that counts. A difference is an error.
    - ``on_progress``: told ``(done, all, words)``, the outer steps that are done, of how many, and what they are for.

    Conditions are those of :mod:`symcost.formulas.conditions`, in any quantity of
    :data:`symcost.estimate.questions.quantities.QUANTITIES`: ``"params <= 25 M and latency <= 5 ms"``. More options say
    how the quantities are meant: ``device`` (which ``latency``, ``throughput``, ``energy`` and ``fits`` need), ``dtype``,
    ``weights`` or ``bits``, ``density``, ``latency_model``, ``rule`` of peaks, ``convention``, ``optimizer`` and ``batch``.
    Raises :class:`symcost.SpaceError` for what is no space, condition or option, and what does not go together.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> net = sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d))
    >>> sc.count(net, sc.Space(n=[1], d=range(8, 513, 8), L=range(1, 101)), where=["params <= 1_000_000"])
    2175
    >>> sc.count(net, sc.Space(n=[1], d=[64], L=range(1, 101)), ["latency <= 20 us"], device="arm-cortex-a76-pixel-4")
    39
    """
    return Asked.of(count, costs, space, where, options).count()


def sweep(
    costs: Any, space: Space, where: Texts = (), *, minimize: str | None = None, maximize: str | None = None,
    top: int = 10, show: Texts = None, histogram: int | None = None, **options: Unpack[SearchOptions],
) -> Answer:  # fmt: skip
    """The best feasible configurations by one objective, or all of them when they are few.

    ``minimize`` or ``maximize`` is an expression in the costs and axes, as ``"macs"`` or ``"macs/params"``; ``top`` says
    how many are kept. Without an objective all feasible configurations are listed if they are at most 100,000.
    ``show`` names the numbers that are listed. ``histogram=20`` adds the exact distribution of each over the feasible
    configurations, in so many bins, as ``histograms``. Other options are those of :func:`count`.

    Raises:
        SpaceError: where there are two objectives, a number is too large, or the question does not fit the space.

    >>> import symcost as sc
    >>> n, d = sc.symbols("n d")
    >>> net = sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d))
    >>> space = sc.Space(n=[1], d=range(8, 513, 8), L=range(1, 101))
    >>> sc.sweep(net, space, where=["params <= 1_000_000"], maximize="macs", top=1, show="macs").rows
    [{'n': 1, 'd': 288, 'L': 12, 'macs': 995328}]
    """
    for word, text in (("minimize", minimize), ("maximize", maximize)):
        if text is not None and not isinstance(text, str):
            raise SpaceError(
                f"{word}={short(text)} must be one expression as text: a sweep has one objective; see pareto"
            )
    if minimize is not None and maximize is not None:
        raise SpaceError(
            f"minimize={short(minimize)} and maximize={short(maximize)}: a sweep has one objective; see pareto"
        )
    beyond = f"is too many: give at most {FEW}, or none of minimize and maximize to list all"
    check_count("top", top, FEW, beyond, ": the number of configurations to keep")
    goal = minimize if minimize is not None else maximize
    objectives = [] if goal is None else [(goal, maximize is not None)]
    asked = Asked.of(sweep, costs, space, where, options, objectives, show)
    if histogram is not None:
        beyond = f"is too fine: give at most {MOST_BINS} bins"
        check_count("histogram", histogram, MOST_BINS, beyond, ": the number of bins")
    answer = asked.answer("all" if goal is None else "top", FEW if goal is None else top)
    if histogram is None or not answer.count:
        return answer
    names = [name for name in answer.columns if name not in space.axes]
    return replace(answer, histograms={name: asked.histogram(name, histogram) for name in names})


def pareto(
    costs: Any, space: Space, where: Texts = (), *, minimize: Texts = (), maximize: Texts = (), show: Texts = None,
    **options: Unpack[SearchOptions],
) -> Answer:  # fmt: skip
    """The exact Pareto front of two to four objectives: every trade-off that no feasible configuration improves on.

    One configuration stands for all that have the same objectives. Arguments are those of :func:`sweep`.

    Raises:
        SpaceError: where there are not two to four objectives, or the question does not fit the space.

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
    return Asked.of(pareto, costs, space, where, options, objectives, show).answer("front", 0)


def listed(costs: Any, space: Space, objectives: Iterable[tuple[str, bool]], show: Texts,
           define: Mapping[str, Any] | None, options: QuantityOptions) -> tuple[str, ...]:  # fmt: skip
    """Names of an answer's columns, known before the search."""
    shown = None if show is None else texts("show", show)
    problems = cases(costs, space, objectives, define=define, shown=shown, options=options)
    return (*space.axes, *problems[0].problem.shown)
