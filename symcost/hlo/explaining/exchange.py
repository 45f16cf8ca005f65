"""From the collectives of a program as it was cut to those that a compiler made of them: each difference by its cause.

Both programs are of one device. What is sent is compared array by array, so that collectives that a compiler runs as one
make no difference. An array of the one program is found in the other by kind, axes, sizes and times; what it serves, its
operation, decides between several. Nothing is named that the texts do not show: what is left over has no name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod

from symcost.hlo.explaining.arrays import SentArray, arrays, operation, sizes_of
from symcost.hlo.explaining.between import (
    is_around,
    is_between,
    is_next,
    is_part,
    is_shorter,
    is_whole_operand,
    is_whole_sum,
    meets,
    meets_equal_numbers,
    one_column,
    origin_of,
    product_before,
    the_sum_of,
    what_is_summed,
)
from symcost.hlo.explaining.terms import parts, placed, terms
from symcost.hlo.explaining.widening import NAMES
from symcost.hlo.reading.ir import Module
from symcost.hlo.reading.scopes import phase_of

RING = "exchanged in parts, along a ring, beside the product that needs it"
SCATTERED = "reduced and scattered at once, each device its own slice"
WHOLE = "reduced whole, each device takes its own slice of the sum"
PADDED = "gathered as a sum of arrays that are zero but for each device's slice"
ADDED = "added up on the device before it is reduced"
SUMMED = "summed before it is sent: it meets equal numbers alone in its product"
SUMMED_TOO = "sums of a gathered array, for its product with equal numbers"
COLUMN = "reduced as one of many equal columns: an operand of its product is equal numbers"
EARLIER = "reduced a step earlier: its sum is one with the product before it"
JOINED = "reduced along all axes at once, and not along one after the other"
FIRST = "summed on each device before it is reduced: its sum alone is needed"
BEFORE = "an operand is gathered in the place of the product of its parts"
SCALED = "multiplied on the device by what was gathered, and exchanged once more"
AGAIN = "gathered once for several products"
REPEATED = "gathered once more"
HOISTED: Mapping[str, str] = {
    "all-gather": "gathered once, before the loop each of whose trips needs it",
    "all-reduce": "reduced once, after the loop whose trips add it up",
}
ALIKE = frozenset({"all-gather", "all-reduce", "reduce-scatter", "all-to-all"})


@dataclass(frozen=True)
class Cause:
    """Bytes of a kind along some axes that a compiler adds or leaves out, and why."""

    kind: str
    axes: tuple[str, ...]
    bytes: int
    because: str


@dataclass
class Explained:
    """Changes with a cause, and what has none: arrays of the cut program that are lost, and those that are new."""

    changes: list[Cause] = field(default_factory=list)
    lost: list[SentArray] = field(default_factory=list)
    new: list[SentArray] = field(default_factory=list)


def explained(written: Module, compiled: Module, mesh: Mapping[str, int]) -> Explained:
    """Why a compiled program exchanges other bytes than the program that it was made from."""
    return _Comparison(written, compiled, mesh).run()


Alike = Callable[[SentArray, SentArray], bool]


def _there(ours: SentArray, theirs: SentArray) -> bool:
    return (ours.axes, ours.sizes, ours.times) == (theirs.axes, theirs.sizes, theirs.times)


def _as_large(ours: SentArray, theirs: SentArray) -> bool:
    return (ours.axes, prod(ours.sizes), ours.times) == (theirs.axes, prod(theirs.sizes), theirs.times)


def _in_all(ours: SentArray, theirs: SentArray) -> bool:
    """As large in all: out of a loop, all of its trips at once."""
    return (ours.axes, prod(ours.sizes) * ours.times) == (theirs.axes, prod(theirs.sizes) * theirs.times)


def _any(ours: SentArray, theirs: SentArray) -> bool:
    return True


def _operation(ours: SentArray, theirs: SentArray) -> bool:
    return ours.operation == theirs.operation


def _phase(ours: SentArray, theirs: SentArray) -> bool:
    return phase_of(ours.one.op_name) == phase_of(theirs.one.op_name)


def _at_once(ours: SentArray, further: SentArray, theirs: SentArray, near: Alike) -> bool:
    """Whether the second of two reductions, one after the other, is run along the axes of both."""
    along = {*ours.axes, *further.axes} == {*theirs.axes} and len(theirs.axes) == len(ours.axes) + len(further.axes)
    return along and further.sizes == theirs.sizes and near(further, theirs)


class _Comparison:
    def __init__(self, written: Module, compiled: Module, mesh: Mapping[str, int]) -> None:
        self.written, self.compiled = written, compiled
        self.found = Explained(lost=arrays(written, mesh), new=arrays(compiled, mesh))
        self.pairs: list[tuple[SentArray, SentArray]] = []

    def run(self) -> Explained:
        self.same(_there, _operation)
        self.rings()
        for near in (_phase, _any):
            self.same(_there, near)
        self.scattered(_there)
        self.padded()
        self.added()
        self.summed()
        self.earlier()
        self.first()
        self.joined()
        self.apart()
        self.columns()
        self.before()
        self.once()
        self.again()
        for there in (_as_large, _in_all):
            for near in (_operation, _phase, _any):
                self.same(there, near)
        self.scaled()
        self.scattered(_as_large)
        self.hoisted()
        return self.found

    def same(self, there: Alike, near: Alike) -> None:
        """The same kind of the same array, if need be of another number type."""
        for typed in (True, False):

            def alike(ours: SentArray, theirs: SentArray, typed: bool = typed) -> bool:
                same = ours.kind == theirs.kind and (ours.dtype == theirs.dtype or not typed)
                return same and there(ours, theirs) and near(ours, theirs)

            for ours, theirs in self.paired(alike):
                if ours.dtype != theirs.dtype:
                    self.tell(theirs, theirs.bytes - ours.bytes, _typed(ours, theirs))

    def apart(self) -> None:
        """Arrays that a compiler lays end to end, to reduce them as one."""
        for theirs in [each for each in self.found.new if each.kind == "all-reduce"]:
            shapes = parts(self.compiled, theirs.one, theirs.operand)
            if len(shapes) > 1:
                self.found.new.remove(theirs)
                self.found.new += [replace(theirs, dtype=shape.dtype, sizes=sizes_of(shape)) for shape in shapes]

    def scattered(self, there: Alike) -> None:
        """An all-reduce of which a device needs its slice alone; and a reduce-scatter that is taken from the whole sum."""
        for kinds, because in (
            (("all-reduce", "reduce-scatter"), SCATTERED),
            (("reduce-scatter", "all-reduce"), WHOLE),
        ):
            for near in (_operation, _any):

                def alike(
                    ours: SentArray, theirs: SentArray, kinds: tuple[str, str] = kinds, near: Alike = near
                ) -> bool:
                    return (ours.kind, theirs.kind) == kinds and there(ours, theirs) and near(ours, theirs)

                for ours, theirs in self.paired(alike):
                    self.tell(ours, -ours.bytes, because)
                    self.tell(theirs, theirs.bytes, _also(because, ours, theirs))

    def rings(self) -> None:
        """A product that is computed part by part while parts are on the way along a ring."""
        for ours in [each for each in self.found.lost if each.kind in ALIKE]:
            steps = [each for each in self.found.new if is_part(ours, each)]
            alike = [each for each in self.found.lost if each.kind in ALIKE and steps and is_part(each, steps[0])]
            others = [each for each in alike if not self.is_whole(each)]
            served = next((some for some in (alike, others) if some and is_around(some, steps)), [])
            for each in served:
                self.found.lost.remove(each)
                self.tell(each, -each.bytes, RING)
            for step in steps if served else []:
                self.found.new.remove(step)
                self.tell(step, step.bytes, _also(RING, ours, step))

    def is_whole(self, ours: SentArray) -> bool:
        """Whether the compiled program sends the same kind of the same array at once."""
        return any(ours.kind == each.kind and _there(ours, each) and _phase(ours, each) for each in self.found.new)

    def padded(self) -> None:
        """A gather that is run as a sum of arrays, each of which is zero outside its device's slice."""
        for near in (_operation, _phase, _any):

            def alike(ours: SentArray, theirs: SentArray, near: Alike = near) -> bool:
                if (ours.kind, theirs.kind) != ("all-gather", "all-reduce") or not _there(ours, theirs):
                    return False
                return near(ours, theirs) and placed(self.compiled, theirs.one, theirs.operand)

            for ours, theirs in self.paired(alike):
                self.tell(ours, -ours.bytes, PADDED)
                self.tell(theirs, theirs.bytes, _also(PADDED, ours, theirs))

    def added(self) -> None:
        """Sums that were reduced one by one, and are added before."""
        for kept, theirs in [pair for pair in self.pairs if pair[0].kind == "all-reduce"]:
            alike = [each for each in self.found.lost if each.kind == "all-reduce" and _there(each, theirs)]
            names = {operation(name) for name in terms(self.compiled, theirs.one, theirs.operand)} if alike else set()
            for ours in alike:
                if ours.operation in names and ours.operation != kept.operation:
                    self.found.lost.remove(ours)
                    self.tell(ours, -ours.bytes, ADDED)

    def summed(self) -> None:
        """A gathered operand of a product with equal numbers: what is sent instead is its sum along the gathered size."""
        for theirs in [each for each in self.found.new if each.kind == "all-reduce"]:
            for ours in self.found.lost:
                if is_shorter(ours, theirs) and all(meets_equal_numbers(ours)):
                    self.found.lost.remove(ours)
                    self.found.new.remove(theirs)
                    self.tell(ours, -ours.bytes, SUMMED)
                    self.tell(theirs, theirs.bytes, SUMMED)
                    break
        for theirs in [each for each in self.found.new if each.kind == "all-reduce"]:
            if any(is_shorter(ours, theirs) and any(meets_equal_numbers(ours)) for ours, _ in self.pairs):
                self.found.new.remove(theirs)
                self.tell(theirs, theirs.bytes, SUMMED_TOO)

    def columns(self) -> None:
        """A product with equal numbers: one of its columns is reduced, and each device writes it as often as it stands there."""
        for near in (_operation, _any):

            def alike(ours: SentArray, theirs: SentArray, near: Alike = near) -> bool:
                reduced = ours.kind == theirs.kind == "all-reduce" and ours.sizes != theirs.sizes
                there = (ours.axes, ours.times) == (theirs.axes, theirs.times)
                return reduced and there and near(ours, theirs) and one_column(ours) == theirs.sizes

            for ours, theirs in self.paired(alike):
                self.tell(theirs, theirs.bytes - ours.bytes, _also(COLUMN, ours, theirs))

    def earlier(self) -> None:
        """A sum of a product's results that is part of the product: what is reduced is what the product leaves."""
        for ours in [each for each in self.found.lost if each.kind == "all-reduce"]:
            summed = what_is_summed(ours)
            for theirs in self.found.new:
                alike = (theirs.kind, theirs.axes, theirs.times) == (ours.kind, ours.axes, ours.times)
                if alike and summed is not None and operation(summed.op_name) == theirs.operation:
                    self.found.lost.remove(ours)
                    self.found.new.remove(theirs)
                    self.tell(theirs, theirs.bytes - ours.bytes, EARLIER)
                    break

    def first(self) -> None:
        """An array of which a sum alone is read: its parts are summed first, and what is left is reduced along all axes at once."""
        for ours in [each for each in self.found.lost if each.kind == "all-reduce"]:
            summed = the_sum_of(self.written, ours)
            if summed is None:
                continue
            place = ours.one.home.name, summed.name
            further = next(
                (each for each in self.found.lost if each.kind == "all-reduce" and origin_of(each) == place), None
            )
            for theirs in [each for each in self.found.new if (each.kind, each.times) == (ours.kind, ours.times)]:
                if theirs.axes == ours.axes and _operation(ours, theirs) and is_between(summed, theirs, ours):
                    self.replace([ours], theirs, FIRST)
                elif further is not None and _at_once(ours, further, theirs, _operation):
                    self.replace([ours, further], theirs, FIRST)
                else:
                    continue
                break

    def joined(self) -> None:
        """A sum along an axis that is summed along another one, with nothing between."""
        lost = [each for each in self.found.lost if each.kind == "all-reduce"]
        pairs = [(ours, further) for ours in lost for further in lost if further is not ours and is_next(ours, further)]
        for near in (_operation, _any):
            for ours, further in pairs:
                theirs = next((each for each in self.found.new if ours in self.found.lost and each.kind == "all-reduce"
                               and each.times == ours.times and _at_once(ours, further, each, near)), None)  # fmt: skip
                if theirs is not None:
                    self.replace([ours, further], theirs, JOINED)

    def before(self) -> None:
        """A product of parts whose results are gathered: each device has all of it where an operand is gathered instead.

        Results that are added up with those of other devices before they are gathered are then added up whole.
        """
        for ours in [each for each in self.found.lost if each.kind == "all-gather"]:
            theirs = next((each for each in self.found.new if each.kind == ours.kind and is_whole_operand(each, ours)
                           and (each.axes, each.times) == (ours.axes, ours.times)), None)  # fmt: skip
            _, between = product_before(ours)
            sums = [(part, whole) for part in self.found.lost for whole in self.found.new
                    if part.one.instruction is between and is_whole_sum(whole, part, ours)][:1]  # fmt: skip
            if theirs is None or (between is not None and not sums):
                continue
            for lost, new in ((ours, theirs), *sums):
                self.found.lost.remove(lost)
                self.found.new.remove(new)
                self.tell(lost, -lost.bytes, BEFORE)
                self.tell(new, new.bytes, _also(BEFORE, lost, new))

    def scaled(self) -> None:
        """An array that is exchanged and multiplied by a gathered one: the product is exchanged, which needs nothing gathered."""
        moved = [ours for ours, _ in self.pairs if ours.kind == "all-to-all"]

        def alike(ours: SentArray, theirs: SentArray) -> bool:
            if (ours.kind, theirs.kind) != ("all-gather", "all-to-all"):
                return False
            return any(_as_large(other, theirs) and ours.axes == theirs.axes and meets(ours, other) for other in moved)

        for ours, theirs in self.paired(alike):
            self.tell(ours, -ours.bytes, SCALED)
            self.tell(theirs, theirs.bytes, _also(SCALED, ours, theirs))

    def once(self) -> None:
        """The same array that several products gather each for itself."""
        for ours in [each for each in self.found.lost if each.kind == "all-gather"]:
            if any(
                kept.kind == "all-gather" and _there(ours, kept) and origin_of(kept) == origin_of(ours)
                for kept, _ in self.pairs
            ):
                self.found.lost.remove(ours)
                self.tell(ours, -ours.bytes, AGAIN)

    def again(self) -> None:
        """A gathered array that is gathered anew rather than kept."""
        for theirs in [each for each in self.found.new if each.kind == "all-gather"]:
            if any(other.kind == "all-gather" and _there(theirs, other) and _operation(theirs, other)
                   and theirs.dtype == other.dtype for _, other in self.pairs):  # fmt: skip
                self.found.new.remove(theirs)
                self.tell(theirs, theirs.bytes, REPEATED)

    def hoisted(self) -> None:
        """What every trip of a loop sends in the program as it was cut, and a compiler sends for all trips at once."""

        def alike(ours: SentArray, theirs: SentArray) -> bool:
            same = ours.kind == theirs.kind and ours.kind in HOISTED and ours.times > theirs.times
            loops = ours.times % theirs.times == 0 and (ours.axes, ours.sizes) == (theirs.axes, theirs.sizes)
            return same and loops and _operation(ours, theirs)

        for ours, theirs in self.paired(alike):
            self.tell(theirs, theirs.bytes - ours.bytes, _also(HOISTED[ours.kind], ours, theirs))

    def paired(self, alike: Alike) -> Iterator[tuple[SentArray, SentArray]]:
        """Arrays of both programs that are alike, each once."""
        for ours in list(self.found.lost):
            theirs = next((each for each in self.found.new if alike(ours, each)), None)
            if theirs is not None:
                self.found.lost.remove(ours)
                self.found.new.remove(theirs)
                self.pairs.append((ours, theirs))
                yield ours, theirs

    def replace(self, lost: list[SentArray], new: SentArray, because: str) -> None:
        """One array for several, with the cause of both."""
        self.found.new.remove(new)
        for each in lost:
            self.found.lost.remove(each)
            self.tell(each, -each.bytes, because)
        self.tell(new, new.bytes, because)

    def tell(self, of: SentArray, size: int, because: str) -> None:
        if size:
            self.found.changes.append(Cause(of.kind, of.axes, size, because))


def _typed(ours: SentArray, theirs: SentArray) -> str:
    sides = (NAMES.get(each.dtype, each.dtype) for each in (theirs, ours))
    return "sent as {} in place of {}".format(*sides)


def _also(because: str, ours: SentArray, theirs: SentArray) -> str:
    return because if ours.dtype == theirs.dtype else f"{because}, {_typed(ours, theirs)}"
