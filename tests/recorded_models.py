"""What every real model of the tests decides by its sizes, seen in one trace each: a page of all of them.

``python tests/recorded_models.py > examples/about/models.md`` records each at the sizes that a user would ask for, its layers but
a few; names of models after it record those alone. It takes about two minutes. ``tests/model_table.py`` traces them whole.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from test_zoo import MODULES, model_of
from zoo.case import Case

from symcost.costs.evidence import BOUNDED, GUARDED, PROVED, Word
from symcost.errors import SymcostError
from symcost.tracing.evidence.record import Recording, record
from symcost.tracing.evidence.seen import decided
from symcost.tracing.program.model import Model

HEAD = ("model", "of", "symbols", "decided by its sizes", "evidence", "seconds")
HERE = (*MODULES, "published")
"""Files of the zoo whose models are on this page; the others are on that of ``tests/model_table.py``."""
EVERYWHERE = (*HERE, "hugging", "flaim_models")
DEPTHS = "layers, a depth"
SHOWN = 6
"""Conditions of one model that are told; of the others their number."""


@dataclass
class Row:
    """What is seen of one model."""

    cells: list[str]
    words: dict[str, Word] = field(default_factory=dict)

    def __str__(self) -> str:
        return line(self.cells)


def line(cells: Iterable[str]) -> str:
    """A line of a table in Markdown."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def titles(head: Sequence[str]) -> tuple[str, str]:
    """The first two lines of one."""
    return line(head), "|" + "---|" * len(head)


def printed(page: Callable[[list[str]], Iterable[str]]) -> None:
    """Print a page of the models that the command line names, line by line as they are traced."""
    warnings.simplefilter("ignore")  # of the models' own packages
    for each in page(sys.argv[1:]):
        print(each, flush=True)


def every_model() -> Iterator[tuple[str, Case]]:
    """All rows of the zoo, tested or pending, and the models of packages."""
    for source in EVERYWHERE:
        module = importlib.import_module(f"zoo.{source}")
        yield from ((source, case) for table in ("CASES", "FUNCTIONS") for case in getattr(module, table, ()))


def depths(model: Model, point: Mapping[str, int]) -> list[str]:
    """Symbols that are counted with plain numbers and are no size of an array: how many layers there are."""
    seen = record(model, point)
    sizes = {name for form in seen.sizes for name in seen.behind(form.symbols)}
    return sorted(seen.pinned - sizes - set(model.input_symbols))


def seen(case: Case) -> tuple[Recording, list[str]]:
    """The recording at the sizes that a user would ask for, two where that is one, and the symbols that count its few layers."""
    model = model_of(case)
    layers = depths(model, {name: case.small[name] for name in model.symbols})
    base = {name: case.small[name] if name in layers else max(2, case.real[name]) for name in model.symbols}
    return record(model, base, layers), layers


def words(found: Recording, layers: list[str]) -> dict[str, Word]:
    """What stands behind each size."""
    return {
        name: PROVED if name in found.proved else GUARDED if found.traced and name in found.rounded else BOUNDED
        for name in found.base
        if name not in layers
    }


def row(source: str, case: Case) -> Row:
    """One line of the table."""
    start = time.process_time()
    try:
        found, layers = seen(case)
    except SymcostError as problem:
        return Row([case.name, source, ", ".join(case.real), "", f"not traced: {str(problem).splitlines()[0]}", ""])
    each = words(found, layers)
    listed = {word: [name for name, own in each.items() if own == word] for word in (PROVED, GUARDED, BOUNDED)}
    told = [f"{word} {', '.join(names)}" for word, names in listed.items() if names]
    reasons = [str(pin) for pin in found.pins if set(found.behind(pin.symbols)) & set(listed[BOUNDED])] or [
        found.reason
    ]
    why = [f"({reasons[0]})"] if listed[BOUNDED] else []
    guards = [str(guard) for guard in decided(found)]
    more = [f"and {len(guards) - SHOWN} more"] if len(guards) > SHOWN else []
    counted = [f"{', '.join(layers)}: {DEPTHS}"] if layers else []
    shown = "; ".join([*guards[:SHOWN], *more]) or "nothing"
    return Row([case.name, source, ", ".join(found.base), shown, "; ".join([*told, *why, *counted]),
                f"{time.process_time() - start:.1f}"], each)  # fmt: skip


def page(names: list[str]) -> Iterator[str]:
    """The page, line by line."""
    yield from (
        "# What every model of the tests decides by its sizes",
        "",
        "Made by `python tests/recorded_models.py`: one trace of each with symbolic sizes, at those that a user would ask for.",
        "*Proved*: every decision by it was seen, and is a condition in the table. *Guarded*: it is rounded, by a formula that",
        "is known. *Bounded*: it was used as a plain number, so that a closed form is told as far as it was tried.",
        "",
        *titles(HEAD),
    )
    made = []
    for source, case in every_model():
        if case.name in names or (not names and source in HERE):
            made.append(row(source, case))
            yield str(made[-1])
    count = Counter(word for each in made for word in each.words.values())
    known = count[PROVED] + count[GUARDED]
    yield ""
    yield (f"{known} of the {known + count[BOUNDED]} sizes of {len(made)} models are proved ({count[PROVED]}) or guarded "
           f"({count[GUARDED]}); {count[BOUNDED]} are bounded by what was tried: {100 * known // (known + count[BOUNDED])} % are "
           "known.")  # fmt: skip


if __name__ == "__main__":
    printed(page)
