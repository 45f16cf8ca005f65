"""The table of a network of layers: closed forms, the domain where they hold, peaks by both rules."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from symcost.costs.conventions import published
from symcost.costs.cost import CONVENTIONS, FULL, TEXTBOOK, Cost
from symcost.costs.table import CostTable, Row, Substituted
from symcost.errors import SymcostError
from symcost.formulas.dominance import largest, telling_points, undominated
from symcost.formulas.symbols import evaluate
from symcost.layers.base import Layer, forms_of, symbols_of
from symcost.layers.domain import LayerDomain
from symcost.layers.liveness import peak_sizes
from symcost.layers.sizes.algebra import exact, plain
from symcost.layers.sizes.sums import summed
from symcost.layers.sizes.tensor import Tensor
from symcost.layers.tape import ITEM, Tape
from symcost.reading.given import checked

PEAKS = ("liveness", "textbook")
UNITS = {"elements": 1, "bytes": ITEM}


class LayerTable(CostTable):
    """What a network of layers costs, in closed form in all its symbols; the same face as a traced model.

    Rows, totals and peaks are integers or sympy expressions. ``bytes_read`` and ``bytes_written`` take every layer as
    one operation on float32 elements.
    """

    def __init__(self, net: Layer, x: Tensor) -> None:
        super().__init__(())
        tape = Tape()
        for size in sorted(forms_of(net) | forms_of(x.shape), key=str):
            tape.whole(size, f"the size {size} must be an integer: choose other values")
        entered = tape.enter(x)
        out = tape.run(net, entered)
        self._last, self._fields = out.value, tape.fields
        self._raw, self._events = tuple(tape.rows), tuple(tape.events)
        self.grows = tape.grows
        """Whether a repeated block grows: its row stands for the mean of all blocks."""
        self._symbols = tuple(sorted(symbols_of(net) | symbols_of(x.shape)))
        self.domain = LayerDomain(self._symbols, tuple(tape.needs))
        self.net = net
        """The network: ``sc.build`` makes a Flax module of it."""
        self.input = tuple(map(plain, x.shape))
        """The shape of its input."""
        self.entering = x
        """Its input, with its layout."""

    @property
    def symbols(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the network's symbols."""
        return self._symbols

    @property
    def twin_input(self) -> tuple[Any, ...]:
        """The shape of the Flax twin's input: channels last."""
        x = self.entering
        return (self.input[0], *map(plain, x.places), plain(x.channels)) if len(self.input) > 2 else self.input

    @cached_property
    def _made_rows(self) -> tuple[Row, ...]:
        return tuple(
            replace(
                row, cost=row.cost.map(plain), textbook=row.textbook.map(plain), xla=row.xla.map(plain),
                times=plain(row.times), xla_times=plain(row.xla_times), out=tuple(map(plain, row.out)),
                ins=tuple(tuple(map(plain, shape)) for shape in row.ins),
            )
            for row in self._raw
        )  # fmt: skip

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per operation in execution order; a repeated block's rows carry their number in ``times``."""
        return self._made_rows

    @checked
    def total(self, convention: str = FULL) -> Cost:
        """Closed form of the whole network under ``textbook``, ``full``, ``xla``, ``torchvision`` or ``fvcore``."""
        if convention not in self._totals:
            self._totals[convention] = self._summed(convention).map(plain)
        return self._totals[convention]

    def _summed(self, convention: str) -> Cost:
        if convention in CONVENTIONS:
            return summed(self._raw, convention)
        return published(convention).total(summed(self._raw, TEXTBOOK), summed(self._raw, FULL), self._raw)

    @checked
    def peak(self, rule: str = "liveness", unit: str = "elements") -> Any:
        """Peak activations: ``"liveness"`` (all tensors alive at once) or ``"textbook"`` (largest input plus output).

        The formula takes every repeated block as running, and one that grows as running more than once: where that is
        not so it is an upper bound, and ``subs`` is exact.
        """
        if rule not in PEAKS or unit not in UNITS:
            raise SymcostError(f"unknown peak {rule!r} in {unit!r}: use {' or '.join(PEAKS)}, in {' or '.join(UNITS)}")
        forms = self._peaks[rule]
        return largest([plain(form * UNITS[unit]) for form in forms])

    @checked
    def peak_path(self, rule: str = "liveness", **point: int) -> str:
        """Path of the operation that runs while the peak is reached, at a point; of equal ones the first."""
        sizes = peak_sizes(self._events, self._raw[0].out, self._last, rule)
        made = zip(self._raw[1:], self._events, strict=True)  # the first row is the input
        if rule == "textbook":
            rows = [row for row, event in made if event.textbook != 0]
        else:
            rows = [self._raw[0], *(row for row, event in made if not event.view)]
        values = [evaluate(plain(exact(size)), point) for size in sizes]
        return rows[values.index(max(values))].path if rows else ""

    @cached_property
    def _peaks(self) -> dict[str, list[Any]]:
        base = {name: 2 + 3 * index for index, name in enumerate(self.symbols)}
        points = telling_points(base, self.symbols)
        sizes = {rule: peak_sizes(self._events, self._raw[0].out, self._last, rule) for rule in PEAKS}
        return {rule: [exact(form) for form in undominated(found, points)] for rule, found in sizes.items()}

    @cached_property
    def peak_activations(self) -> Any:
        """Peak activations in elements, by liveness."""
        return self.peak()

    @property
    def receptive_field(self) -> tuple[Any, ...] | None:
        """Places of the input that one output sees, along each spatial axis; None where it sees all of them.

        Every window adds ``d(k - 1)`` times the product of the strides before it.
        """
        return _field(self._fields.field(self._last))

    @cached_property
    def receptive_fields(self) -> dict[str, tuple[Any, ...] | None]:
        """What one output of each layer sees of the input, by the layer's path; of a repeated block in its last run."""
        made = [event.out for event in self._events if not event.becomes]
        return {row.path: _field(self._fields.field(value)) for row, value in zip(self._raw[1:], made, strict=True)}

    def subs(self, **point: int) -> CostTable:
        """The table at a point inside the domain; totals are exact integers once every symbol has a value."""
        point = self.check_point(point)
        self.domain.check(point)
        return LayersAt(self, point)


def _field(found: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    return None if found is None else tuple(map(plain, found))


class LayersAt(Substituted):
    """A network's table at a point."""

    table: LayerTable

    @property
    def domain(self) -> LayerDomain:
        """Where the closed form holds."""
        return self.table.domain

    @checked
    def peak(self, rule: str = "liveness", unit: str = "elements") -> Any:
        """The peak at the point."""
        return self.value((self._anew or self.table).peak(rule, unit))

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows at the point; those of every block where blocks grow and their number is known."""
        return self._anew.rows if self.table.grows and self._anew else super().rows

    @checked
    def peak_path(self, rule: str = "liveness") -> str:
        """Path of the operation that runs while the peak is reached."""
        made = self._anew
        return made.peak_path(rule) if made else self.table.peak_path(rule, **self.point)

    @property
    def receptive_field(self) -> tuple[Any, ...] | None:
        """The receptive field at the point."""
        return self._field_at((self._anew or self.table).receptive_field)

    @property
    def receptive_fields(self) -> dict[str, tuple[Any, ...] | None]:
        """The receptive fields of the layers at the point."""
        fields = (self._anew or self.table).receptive_fields
        return {path: self._field_at(found) for path, found in fields.items()}

    def _field_at(self, found: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        return None if found is None else tuple(map(self.value, found))

    @property
    def peak_activations(self) -> Any:
        """The peak in elements at the point."""
        return self.peak()

    @cached_property
    def _anew(self) -> LayerTable | None:
        """The network at the point, made anew where blocks grow, and where one runs zero times and never exists."""
        table = self.table
        if not set(table.symbols) <= set(self.point):
            return None
        if not table.grows and all(map(self.value, {plain(row.times) for row in table._raw})):
            return None
        own = {name: value for name, value in self.point.items() if name in symbols_of(table.net)}
        at = tuple(map(self.value, table.input))
        return LayerTable(table.net.subs(**own), replace(table.entering, shape=at))
