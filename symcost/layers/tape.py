"""The tape: what layers do, written down as rows, with the conditions under which they fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, cast

from symcost.costs.cost import Cost
from symcost.costs.dtypes import ASSUMED, item_bytes
from symcost.costs.rows import Row, total
from symcost.errors import ShapeError
from symcost.formulas.form import Form, as_form
from symcost.layers.sizes import grow
from symcost.layers.sizes.algebra import Size, exact
from symcost.layers.sizes.field import Fields, Reach
from symcost.layers.sizes.noted import Need, NotedValue
from symcost.layers.sizes.tensor import Tensor
from symcost.reading.choices import Convention

ITEM = item_bytes(ASSUMED)
"""Bytes of an element: layers say no number type."""
FAR = 1000
"""Where two open sizes are compared, to see which of them is the larger."""


class Runs(Protocol):
    """What runs on a tape."""

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        """Write the operations on the tape; the result is the output."""
        ...


class Tape:
    """Rows, conditions and lifetimes of one run of a network over symbolic shapes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.events: list[NotedValue] = []
        self.needs: dict[Need, None] = {}
        self.fields = Fields()
        self._path: list[str] = []
        self._running: list[str] = []
        self._times: Size = 1
        self._xla_times: Size = 1
        self._values = 0
        self.grows = self._growing = False

    @property
    def path(self) -> str:
        """The path of the layer that runs now."""
        return "/".join(self._path)

    # -- what a layer may say ----------------------------------------------------------------------------------
    def run(self, layer: Runs, x: Tensor, name: str = "") -> Tensor:
        """The output of a layer inside another one; ``name`` is its part of the path."""
        self._running.append(type(layer).__name__)
        try:
            with self.scope(name):
                return layer.forward(self, x)
        finally:
            self._running.pop()

    def total(self, convention: Convention) -> Cost:
        """The sum of the rows, whose numbers are forms."""
        return total(self.rows, convention, lambda parts: exact(Form.total(v * k for v, k in parts.items())))

    def fail(self, message: str) -> ShapeError:
        """The error of the layer that runs now."""
        return ShapeError(f"{self._here}: {message}")

    @property
    def _here(self) -> str:
        """The layer that runs now, as errors name it."""
        kind = self._running[-1] if self._running else "the network"
        return f"{self.path} ({kind})" if self.path else kind

    def at_least(self, size: Size, least: int, why: str) -> None:
        """``size >= least``, now or as a condition on its symbols; ``why`` is the message of the error."""
        self._need(size, least, why)

    def whole(self, size: Size, why: str) -> None:
        """``size`` is an integer, now or as a condition on its symbols."""
        self._need(size, None, why)

    def same(self, left: Tensor, right: Tensor, what: str) -> None:
        """Two shapes are equal."""
        if left.differs_in_layout(right):
            raise self.fail(
                f"{what} has {right.with_layout} and must have {left.with_layout}: make their layouts equal"
            )
        if tuple(map(exact, left.shape)) != tuple(map(exact, right.shape)):
            raise self.fail(f"{what} has {right} and must have {left}: make their shapes equal")

    def differ(self, left: Tensor, right: Tensor, why: str) -> bool:
        """Whether two shapes differ; where symbols leave it open they do, which becomes a condition."""
        if len(left.shape) != len(right.shape):
            return True
        more = [exact(a - b) for a, b in zip(left.shape, right.shape, strict=True)]
        if any(not isinstance(size, Form) and size != 0 for size in more):
            return True
        open_ = [size for size in more if isinstance(size, Form)]
        if open_:
            far = open_[0] if open_[0].value(dict.fromkeys(open_[0].symbols, FAR)) > 0 else -open_[0]
            self._need(far, 1, f"{why}: choose other values")
        return bool(open_)

    def emit(self, op: str, ins: Sequence[Tensor] | Tensor, out: Tensor, *, weights: Size = 0, biases: Size = 0,
             inactive: Size = 0, state: Size = 0, macs: Size = 0, padding_macs: Size = 0, flops: Size = 0, calls: Size = 0,
             int_ops: Size = 0,
             xla_flops: Size | None = None, stores: bool = False, reduces: tuple[int, Size] = (0, 0),
             in_place: bool = False, view: bool = False, scratch: Size = 0, reach: Reach | None = None,
             everything: bool = False) -> Tensor:  # fmt: skip
        """Write one operation down.

        ``weights`` are parameters of products and look-ups, ``biases`` all others, ``inactive`` the weights that one token
        does not use, ``state`` what is kept beside them and read, such as moving averages; ``flops`` come beside the two of
        every MAC; ``calls`` are transcendentals. ``stores`` marks results that a textbook keeps, ``reduces`` counts
        reductions inside the operation and the elements of each one's result. ``in_place`` operations write over an operand
        that is not needed again, a ``view`` makes nothing. ``reach`` is that of windows along each axis, ``everything``
        marks operations that join all places.
        """
        operands = (ins,) if isinstance(ins, Tensor) else tuple(ins)
        number, reduced = reduces
        stored = (out.size if stores else 0) + number * reduced
        read = sum((tensor.size for tensor in operands), start=weights + biases + state)
        moved = {"bytes_read": ITEM * read, "bytes_written": ITEM * out.size} if not view else {}
        kept = 0 if view else out.size
        full = Cost.of_forms(params=weights + biases, inactive=inactive, state=state, macs=macs, flops=2 * macs + flops,
                             transcendentals=calls, int_ops=int_ops, padding_macs=padding_macs, activations=kept,
                             **moved)  # fmt: skip
        useful = macs - padding_macs
        forms: dict[str, Any] = {"times": self._times, "xla_times": self._xla_times, "out": out.shape,
                                 "ins": tuple(tensor.shape for tensor in operands)}  # fmt: skip  # until a table is made
        self.rows.append(Row(
            path=self.path, op=op, cost=full,
            textbook=Cost.of_forms(params=weights, inactive=inactive, macs=macs, flops=2 * macs, activations=stored),
            xla=replace(full, macs=useful, padding_macs=0,
                        flops=2 * useful + flops + int_ops if xla_flops is None else xla_flops),
            source="layer", **forms,
        ))  # fmt: skip
        value = self._fresh()
        entering = sum((tensor.size for tensor in operands), start=0)
        seen = entering + (out.size if stores else reduced) if stores or number else 0
        self.events.append(
            NotedValue(tuple(t.value for t in operands), value, out.size, scratch, in_place, view, seen)
        )  # fmt: skip
        self.fields.made(value, operands, len(out.shape) - 2, reach, everything)
        return replace(out, value=value)

    # -- where it stands ---------------------------------------------------------------------------------------
    def enter(self, x: Tensor) -> Tensor:
        """The network's input."""
        cost, shape = Cost.of_forms(activations=x.size), cast(Any, x.shape)
        self.rows.append(Row(path="", op="input", cost=cost, textbook=cost, xla=cost, out=shape, source="input"))
        entered = replace(x, value=self._fresh())
        self.fields.enter(entered)
        return entered

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Within it, ``name`` is the last part of the path."""
        if name:
            self._path.append(name)
        try:
            yield
        finally:
            if name:
                self._path.pop()

    @contextmanager
    def repeated(self, times: Size, *, loop: bool = False) -> Iterator[None]:
        """Within it everything happens ``times`` times; the body of a compiled loop counts once under ``xla``."""
        before = self._times, self._xla_times
        self._times, self._xla_times = self._times * times, self._xla_times * (1 if loop else times)
        try:
            yield
        finally:
            self._times, self._xla_times = before

    def grown(self, block: Runs, x: Tensor, added: Size, times: Size, name: str) -> Tensor:
        """The output of ``times`` blocks, a symbol, each of which adds as many channels to its input."""
        rows, events, needs = self.mark
        if self._growing:
            raise self.fail(f"the block grows inside one that grows: give times={times} or the outer times as a number")
        if grow.NUMBER.symbols & frozenset().union(*(as_form(size).symbols for size in (*x.shape, times))):
            raise self.fail(f"{grow.NUMBER} is the number of the block itself: give the symbol another name")
        entered = self._becomes(x, x.shaped(exact(x.channels + added * grow.NUMBER), x.places))
        self._growing = True
        out = self.run(block, entered, name)
        self._growing = False
        wider = entered.shaped(exact(entered.channels + added), x.places)
        self.same(wider, out, f"a later block, as the first adds {added} channels,")
        try:
            last = exact(times - 1)
            self.rows[rows:] = [grow.mean_row(row, times) for row in self.rows[rows:]]
            self.events[events:] = [grow.last_event(event, last) for event in self.events[events:]]
            for need in list(self.needs)[needs:]:
                del self.needs[need]
                self.needs.update(dict.fromkeys(grow.needs_of_all(need, last)))
        except grow.NoSumError:
            raise self.fail(f"the repeated block grows by {added} channels, and its cost has no sum in closed form: "
                            f"give times={times} as a number") from None  # fmt: skip
        self.grows = True
        return replace(x.shaped(exact(x.channels + added * times), x.places), value=out.value)

    def _becomes(self, x: Tensor, entered: Tensor) -> Tensor:
        """The input of a later block in the place of the first one's."""
        value = self._fresh()
        self.events.append(NotedValue((x.value,), value, entered.size, 0, True, False, 0, becomes=True))
        self.fields.same(x.value, value)
        return replace(entered, value=value)

    def forget(self, since: tuple[int, int, int]) -> None:
        """Undo what was written since a :meth:`mark`."""
        rows, events, needs = since
        del self.rows[rows:], self.events[events:]
        for need in list(self.needs)[needs:]:
            del self.needs[need]

    @property
    def mark(self) -> tuple[int, int, int]:
        """How much is written: rows, events, conditions."""
        return len(self.rows), len(self.events), len(self.needs)

    def _fresh(self) -> int:
        self._values += 1
        return self._values

    def _need(self, size: Size, least: int | None, why: str) -> None:
        size = exact(size)
        if isinstance(size, Form):
            if least is None and size.is_integral:
                return
            self.needs.setdefault(Need(as_form(size), least, f"{self._here}: {why}"))
        elif Need(Form({}), least, why).broken(size):
            raise self.fail(why)
