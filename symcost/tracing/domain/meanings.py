"""What sizes mean, as a program in closed form shows it: dimensions, the program's own numbers, widths that meet, parts."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

from symcost.formulas.form import Form, as_form
from symcost.tracing.fitting.align import all_records
from symcost.tracing.program.records import Program

MAX_DIMENSIONS = 200
MAX_CONSTANTS = 6


def dimensions(program: Program) -> tuple[Form, ...]:
    """The distinct symbolic dimensions of results, simple ones first."""
    sizes = {size for r in all_records(program) for array in r.results for size in array.shape}
    forms = [size for size in sizes if isinstance(size, Form) and size.symbols]
    return tuple(sorted(forms, key=lambda f: (len(f.terms), len(f.symbols), str(f)))[:MAX_DIMENSIONS])


def constants(program: Program) -> list[int]:
    """The sizes that no symbol changes, the most frequent ones."""
    sizes = (as_form(size).number for r in all_records(program) for array in r.results for size in array.shape)
    counted = Counter(size for size in sizes if isinstance(size, int) and size > 1)
    return [size for size, _ in counted.most_common(MAX_CONSTANTS)]


def met(program: Program) -> frozenset[str]:
    """Symbols that size the parameters of more than one module: widths of layers that meet, unlike a number of classes."""
    modules: dict[str, set[str]] = {}
    for record in program.inputs:
        for size in record.sizes if record.key.op == "param" else ():
            for name in as_form(size).symbols:
                modules.setdefault(name, set()).add(record.key.path)
    return frozenset(name for name, paths in modules.items() if len(paths) > 1)


def split(program: Program) -> frozenset[str]:
    """Symbols that are split into as many parts as an array has beside them: ``d/12`` beside 12 heads is no rounding."""
    names: set[str] = set()
    for array in (a for r in all_records(program) if r.key.source != "input" for a in r.results):
        sizes = [as_form(size) for size in array.shape]
        beside = math.prod(int(size.number) for size in sizes if size.number is not None)
        for size in sizes:
            parts = {Fraction(c).denominator for c in size.terms.values()} - {1}
            if parts and all(beside % part == 0 for part in parts):
                names |= size.symbols
    return frozenset(names)
