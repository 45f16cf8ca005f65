"""The table of a network of layers: closed forms, the domain where they hold, peaks by both rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from symcost.costs.conventions import published
from symcost.costs.cost import FULL, TEXTBOOK, Cost
from symcost.costs.parts import Counts, Field, Network, Parts
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.formulas.compared.dominance import largest, telling_points, undominated
from symcost.formulas.symbols import Evaluator, evaluate
from symcost.layers.base import Layer, forms_of, symbols_of
from symcost.layers.domain import LayerDomain
from symcost.layers.liveness import peak_sizes
from symcost.layers.sizes.algebra import Size, exact, plain
from symcost.layers.sizes.tensor import Tensor
from symcost.layers.tape import ITEM, Tape
from symcost.reading.choices import PEAKS, AnyConvention, Convention, Rule, Unit

SIZES: Mapping[Unit, int] = {"elements": 1, "bytes": ITEM}


def layered(net: Layer, x: Tensor) -> CostTable:
    """What a network of layers costs, in closed form in all its symbols; the same table as a traced model has.

    Rows, totals and peaks are integers or sympy expressions. ``bytes_read`` and ``bytes_written`` take every layer as
    one operation on float32 elements.
    """
    run = Run(net, x)
    return CostTable.of(run, run.parts())


class Run(Counts):
    """What one run of a network over its symbols wrote down, as people see it."""

    def __init__(self, net: Layer, x: Tensor) -> None:
        super().__init__()
        self._net, self._x = net, x
        self._symbols = tuple(sorted(symbols_of(net) | symbols_of(x.shape)))
        tape = self._tape = Tape()
        for size in sorted(forms_of(net) | forms_of(x.shape), key=str):
            tape.whole(size, f"the size {size} must be an integer: choose other values")
        self._last = tape.run(net, tape.enter(x)).value

    def parts(self) -> Parts:
        """What the table knows besides its rows."""
        x, shape = self._x, tuple(map(plain, self._x.shape))
        twin = (shape[0], *map(plain, x.places), plain(x.channels)) if len(shape) > 2 else shape  # channels last
        return Parts(
            symbols=self._symbols, withdrawn={}, domain=LayerDomain(self._symbols, tuple(self._tape.needs)),
            peak=self.peak, peak_path=self.peak_path, receptive_field=self.receptive_field,
            receptive_fields=self.receptive_fields, network=Network(self._net, shape, x, twin, self._tape.grows),
            anew=self.anew,
        )  # fmt: skip

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        return tuple(row.map(plain) for row in self._tape.rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per operation in execution order; a repeated block's rows carry their number in ``times``."""
        return self._rows

    def counted(self, convention: Convention) -> Cost:
        """Closed form of the whole network under ``textbook``, ``full`` or ``xla``."""
        return self._tape.total(convention).map(plain)

    def published(self, convention: AnyConvention) -> Cost:
        """Closed form of the whole network under ``torchvision`` or ``fvcore``."""
        tape = self._tape
        return published(convention).total(tape.total(TEXTBOOK), tape.total(FULL), tape.rows).map(plain)

    def peak(self, rule: Rule, unit: Unit) -> Any:
        """The largest of the forms by a rule, in a unit."""
        return largest([plain(form * SIZES[unit]) for form in self._peaks[rule]])

    def peak_path(self, rule: Rule, point: Mapping[str, int]) -> str:
        """Path of the operation that runs while the peak is reached, at a point; of equal ones the first."""
        raw = self._tape.rows
        operations = zip(raw[1:], self._tape.events, strict=True)  # the first row is the input
        if rule == "textbook":
            rows = [row for row, event in operations if event.textbook != 0]
        else:
            rows = [raw[0], *(row for row, event in operations if not event.view)]
        values = [evaluate(plain(exact(size)), point) for size in self._sizes(rule)]
        return rows[values.index(max(values))].path if rows else ""

    def _sizes(self, rule: Rule) -> Any:
        return peak_sizes(self._tape.events, self._x.shape, self._last, rule)

    @cached_property
    def _peaks(self) -> dict[Rule, list[Any]]:
        base = {name: 2 + 3 * index for index, name in enumerate(self._symbols)}
        points = telling_points(base, self._symbols)
        return {rule: [exact(form) for form in undominated(self._sizes(rule), points)] for rule in PEAKS}

    def receptive_field(self) -> Field:
        """What one output of the network sees of the input."""
        return _plain(self._tape.fields.field(self._last))

    def receptive_fields(self) -> dict[str, Field]:
        """What one output of each layer sees of the input, by the layer's path."""
        return self._fields

    @cached_property
    def _fields(self) -> dict[str, Field]:
        values = [event.out for event in self._tape.events if not event.becomes]
        named = zip(self._tape.rows[1:], values, strict=True)
        return {row.path: _plain(self._tape.fields.field(value)) for row, value in named}

    def anew(self, point: Mapping[str, int]) -> tuple[Run, Parts] | None:
        """The network at the point, made anew where blocks grow, and where one runs zero times and never exists."""
        if not set(self._symbols) <= set(point):
            return None
        evaluator = Evaluator(point)

        def value(size: Any) -> Any:
            return size if isinstance(size := plain(size), int) else evaluator(size)

        if not self._tape.grows and all(value(row.times) for row in self._tape.rows):
            return None
        own = {name: size for name, size in point.items() if name in symbols_of(self._net)}
        shape = tuple(value(size) for size in self._x.shape)
        run = Run(self._net.subs(**own), replace(self._x, shape=shape))
        return run, run.parts()


def _plain(found: tuple[Size, ...] | None) -> Field:
    return None if found is None else tuple(map(plain, found))
