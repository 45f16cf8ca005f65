"""A table of every real model of the tests: where its closed form holds, and what stands behind each symbol of it.

``python tests/model_table.py`` traces each as a user would first, without options of sampling, in one process and at most a
minute each; names of models, or of files of ``tests/zoo``, after it trace those alone. All of them take most of an hour of
an idle machine; ``tests/recorded_models.py`` takes three minutes, and sees what stands behind each symbol alone.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen
from recorded_models import every_model, line, printed, titles
from test_zoo import FUNCTIONS, TRIPS, model_of
from zoo import flaim_models, hugging
from zoo.case import Case
from zoo.published import PACKAGES

from symcost.costs.evidence import BOUNDED, WORDS
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.tracing.domain.pieces import Pieces
from symcost.tracing.face import trace, trace_function
from symcost.tracing.program.model import Model

SECONDS = 60
"""How long a model may take of the processor."""
SAMPLING = ("samples", "steps", "at_least", "upto", "max_pieces")
"""Options that a user would not give first."""
COMMAND = "python tests/model_table.py"
PUBLISHED = {"published": PACKAGES, "hugging": hugging.PACKAGE, "flaim_models": flaim_models.PACKAGES}
"""Where the models of other people's packages are, and the package of each."""
HEAD = ("model", "of", "symbols", "holds for", "evidence", "traces", "seconds", "beside `tabulate`", "two far points")


class Late(BaseException):
    """The time is over; no exception of a model's, which may be caught on the way."""


@dataclass
class Row:
    """What is known of one model."""

    name: str
    source: str
    cells: list[str]
    words: dict[str, str] = field(default_factory=dict)
    answered: bool = False

    def __str__(self) -> str:
        return line([self.name, self.source, *self.cells])


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """What takes longer of the processor is given up."""

    def over(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def traced(case: Case) -> CostTable:
    """The closed form without options of sampling."""
    derive: Callable[..., CostTable] = trace_function if case in FUNCTIONS else trace
    options = {name: value for name, value in case.options.items() if name not in SAMPLING}
    return derive(case.factory, *case.specs, call=case.call, **options)


def tabulated(case: Case, model: Model) -> float | None:
    """Seconds of flax's own counter at the size that a user would ask for; nothing where it does not count."""
    if case in FUNCTIONS or model.mode == "train":
        return None
    try:
        start, module = time.process_time(), model.module_at(case.real)
        if not isinstance(module, linen.Module):  # of nnx it needs the weights
            return None
        inputs = jax.tree.map(
            lambda array: jnp.zeros(array.shape, array.dtype), model.at(case.real).arguments["inputs"]
        )
        streams = dict.fromkeys({"params", *model.rngs}, jax.random.key(0))
        module.tabulate(streams, *inputs, compute_flops=True, **case.call)
        return time.process_time() - start
    except Exception:  # of any kind: it is flax that does not count
        return None


def around(costs: CostTable, point: Mapping[str, int]) -> Any:
    """The domain at a point: that of its piece, where the form has pieces."""
    domain: Any = costs.domain
    while isinstance(domain, Pieces):
        domain = domain.at(point)
    return domain


def sizes(case: Case, costs: CostTable) -> list[str]:
    """Symbols that are sizes of arrays; the others are depths, and trips of loops."""
    domain = around(costs, case.real)
    found = {name for form in domain.dimensions for name in form.symbols}
    return [name for name in domain.symbols if name in found]


def far(case: Case, costs: CostTable) -> list[Mapping[str, int]]:
    """The point that a user would ask for, and one inside the domain whose factors are others."""
    domain = around(costs, case.real)
    fixed = {name: case.real[name] for name in domain.symbols if name not in sizes(case, costs)}
    near = {name: value // 3 + 1 for name, value in case.real.items()}
    generic = [domain.generic_point(shift, fixed, scale) for scale in (near, case.real) for shift in range(2, 12)]
    twice = {name: value if name in fixed else 2 * value for name, value in case.real.items()}
    inside = (point for point in (*generic, twice) if point != case.real and domain.problem(point) is None)
    return [case.real, next(inside, twice)]


def equal(case: Case, costs: CostTable) -> str:
    """Whether every number at both far points is that of a fresh trace there, or why not."""
    found = []
    for point in far(case, costs):
        try:
            costs.subs(check=True, **{**point, **dict.fromkeys(costs.unknown_trips, TRIPS)})
        except SymcostError as problem:
            found.append(f"{', '.join(f'{name}={value}' for name, value in point.items())}: {problem}")
    return "; ".join(found) or "equal"


def row(case: Case, source: str) -> Row:
    """What is known of one model."""
    model, start = model_of(case), time.process_time()
    symbols = ", ".join(model.symbols)
    try:
        with limited(SECONDS):
            costs = traced(case)
    except (SymcostError, Late) as problem:
        why = str(problem).splitlines()[0] if str(problem) else f"given up after {SECONDS} s"
        return Row(
            case.name, source, [symbols, f"refused: {why}", "", "", f"{time.process_time() - start:.1f}", "", ""]
        )
    spent, domain = time.process_time() - start, costs.domain
    assert domain is not None
    words = {name: domain.evidence[name].word for name in sizes(case, costs)}
    told = "; ".join(f"{word} {', '.join(names)}" for word in reversed(WORDS)
                     if (names := [n for n, each in domain.evidence.items() if each.word == word]))  # fmt: skip
    why = "; ".join(
        f"{n}: {each.why.partition(': ')[2]}" for n, each in domain.evidence.items() if each.word == BOUNDED
    )
    try:
        with limited(SECONDS):
            checked, theirs = equal(case, costs), tabulated(case, model)
    except Late:
        checked, theirs = f"not compared in {SECONDS} s", None
    return Row(case.name, source, [
        symbols, "; ".join(domain.conditions()) or "all positive integers", told + (f" ({why})" if why else ""),
        str(costs.certificate.traces), f"{spent:.1f}", "" if theirs is None else f"{spent / theirs:.1f} x", checked,
    ], words, answered=True)  # fmt: skip


def package(case: Case, source: str) -> str:
    """Who published a model: a package, or the tests where it is written."""
    found = PUBLISHED.get(source, source)
    return found if isinstance(found, str) else found.get(case.name, "flaim")


def rows(names: list[str]) -> Iterator[Row]:
    """All of them, or those named."""
    for source, case in every_model():
        if not names or not {case.name, source}.isdisjoint(names):
            print(case.name, file=sys.stderr, flush=True)
            yield row(case, package(case, source))
            gc.collect()


def page(names: list[str]) -> Iterator[str]:
    """The page, line by line."""
    yield from (
        "# Models of other people's packages" if set(names) == set(PUBLISHED) else "# Every model of the tests",
        "",
        f"Made by `{' '.join((COMMAND, *names))}` with jax {jax.__version__};",
        "no option of sampling is given. *Evidence*: proved, guarded or bounded by what was tried, with the reason.",
        "*Seconds* are of one processor, with every trace and XLA's own count of the program; *beside `tabulate`*:",
        "their ratio to flax's `tabulate(compute_flops=True)` at the one size that a user",
        "would ask for. *Two far points*: every number there beside a fresh trace.",
        "",
        *titles(HEAD),
    )
    made = []
    for each in rows(names):
        made.append(each)
        yield str(each)
    answered = [each for each in made if each.answered]
    words = Counter(word for each in answered for word in each.words.values())
    known, all_of = sum(words.values()) - words[BOUNDED], sum(words.values())
    yield ""
    yield (f"{len(answered)} of {len(made)} models have a closed form. Of their {all_of} symbols that are sizes of arrays "
           f"{known} are proved or guarded ({100 * known // max(all_of, 1)} %), {words[BOUNDED]} bounded by what was "
           "tried.")  # fmt: skip


if __name__ == "__main__":
    printed(page)
