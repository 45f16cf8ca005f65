"""One trace of a model with symbolic sizes: what it decides by them at a base point."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
from jax._src.core import jaxprs_in_params

from symcost.errors import SymcostError
from symcost.formulas.form import Form
from symcost.tracing.evidence.guard import Guard, Pin, Place, Rounding, strongest
from symcost.tracing.evidence.places import refusing
from symcost.tracing.evidence.recorder import DIMENSION, Recorder
from symcost.tracing.evidence.recording import SECONDS, Busy, recording
from symcost.tracing.evidence.selftest import problem
from symcost.tracing.evidence.sizes import tree_of_sizes
from symcost.tracing.evidence.stand_ins.shadows import found_of_models
from symcost.tracing.lowering.omitted import meeting
from symcost.tracing.program.capture import traced
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules.linen import Initialisers
from symcost.tracing.program.paths import renew_budget

WINDOWS = {"window_dimensions", "window_strides"}
"""Parameters of an equation that are sizes, all at least 1."""
PRODUCTS = ("dot_general", "conv_general_dilated", "ragged_dot_general")


@dataclass(frozen=True)
class Recording:
    """What a model was seen to decide by its sizes at a base point.

    Where ``traced`` is false nothing is known, and ``reason`` says why in words.
    """

    base: Mapping[str, int]
    symbols: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    pins: tuple[Pin, ...] = ()
    roundings: tuple[Rounding, ...] = ()
    traced: bool = False
    reason: str = ""
    shapes: tuple[tuple[Any, ...], ...] = ()
    """Products, loops and results: a name, then the forms of their sizes (:func:`shapes_of`)."""
    sizes: tuple[Form, ...] = ()
    """Every size of every array, as a form."""
    texts: tuple[Pin, ...] = ()
    """Sizes that were made a text, or a key to look something up by, at each place."""
    plain: str = ""
    """A symbol that had to stay a plain number, or the others could not have been recorded; ``reason`` says why."""
    slow: bool = False
    """Whether it was given up for the time that it took."""

    @property
    def pinned(self) -> frozenset[str]:
        """Symbols that were used as plain numbers: what was done with those was not seen."""
        return self._told(frozenset(name for pin in self.pins for name in pin.symbols))

    @property
    def rounded(self) -> frozenset[str]:
        """Symbols that went into a plain rounded number: its formula is known, what was decided by it was not seen."""
        return (
            self._told(frozenset(n for made in self.roundings if not made.symbol for n in made.symbols)) - self.pinned
        )

    @property
    def proved(self) -> frozenset[str]:
        """Symbols of which every decision was seen: where the guards hold, the program is the same one."""
        return frozenset(self.symbols) - self.pinned - self.rounded if self.traced else frozenset()

    def read(self, guards: Iterable[Guard]) -> Recording:
        """The same without the keys of lines that were read: what is looked up by those is known."""
        lines = {(guard.place.file, guard.place.line) for guard in guards if guard.by == "frame"}

        def kept(pins: Sequence[Pin]) -> tuple[Pin, ...]:
            return tuple(pin for pin in pins if not (pin.key and (pin.place.file, pin.place.line) in lines))

        return dataclasses.replace(self, pins=kept(self.pins), texts=kept(self.texts))

    def at(self, point: Mapping[str, int]) -> dict[str, int]:
        """A point with the values of the roundings that guards speak of; raises what their formulas raise."""
        found = dict(point)
        for made in self.roundings:
            if made.symbol:
                found[made.symbol] = made.value(found)
        return found

    def changed(self, point: Mapping[str, int]) -> str | None:
        """Why nothing was proved of a point, in words: a guard, a pinned size or a rounding that is another one there."""
        for name, value in self.base.items():
            if name not in self.symbols and point.get(name, value) != value:
                why = f": {self.reason}" if name == self.plain else ""
                return f"{name} is another one, and was recorded as a plain number{why}"
        try:
            base, here = self.at(self.base), self.at(point)
        except (ArithmeticError, ValueError) as problem:
            return f"a rounding has no value there: {problem}"
        broken = next((each for each in self.guards if not each.holds(here)), None)
        if broken is not None:
            return f"{broken} does not hold{broken.place.behind}"
        empty = next((size for size in self.sizes if _vanishes(size, base, here)), None)
        if empty is not None:
            return f"{empty} is no size of an array there"
        for pin in self.pins:
            if _differs(pin.formula, base, here):
                return f"{pin} is another one"
        for made in self.roundings:
            if not made.symbol and _differs(made, base, here):
                return f"{made} is another one{made.place.behind}"
        return None

    def behind(self, names: frozenset[str]) -> frozenset[str]:
        """The model's symbols among names, and those behind the roundings among them."""
        return self._told(names)

    def _told(self, names: frozenset[str]) -> frozenset[str]:
        """The model's symbols among them, and those behind the roundings among them."""
        behind = {made.symbol: made.symbols for made in self.roundings if made.symbol}
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            waiting += behind.get(name, ())
            found |= {name} - set(behind)
        return frozenset(found)


def _differs(side: Any, base: Mapping[str, int], point: Mapping[str, int]) -> bool:
    try:
        return side.value(base) != side.value(point)
    except (ArithmeticError, ValueError):
        return True


def _vanishes(size: Form, base: Mapping[str, int], point: Mapping[str, int]) -> bool:
    """Whether a size of an array that has elements is 0 at a point, where it may be another program."""
    try:
        return size.value(point) < 1 <= size.value(base)
    except (ArithmeticError, ValueError):
        return True


def record(
    model: Model,
    base: Mapping[str, int],
    structural: Iterable[str] = (),
    seconds: float = SECONDS,
    alone: bool = False,
) -> Recording:
    """Trace a model once with every size a symbol that decides at ``base``; ``structural`` symbols stay plain numbers.

    Where that cannot be traced, one symbol more stays plain, the first with which it can: the recording names it in
    ``plain``, unless it is to be made ``alone``. Nothing that the model raises comes through: the recording says in words
    why there is none, be it that another thread records.
    """
    try:
        return _recorded(model, base, set(structural), seconds, alone)
    except Busy as busy:
        return Recording(base, reason=str(busy))


def _recorded(model: Model, base: Mapping[str, int], fixed: Collection[str], seconds: float, alone: bool) -> Recording:
    why = problem()
    if why:
        return Recording(base, reason=f"sizes cannot be recorded with jax {jax.__version__}: {why}")
    names = [name for name in model.symbols if name not in fixed]
    if not names:
        return Recording(base, reason="there are no sizes that are symbols")
    found = _record(model, base, names, seconds)
    if alone or found.traced or found.slow or len(names) < 2:
        return found
    for name in names:
        other = _record(model, base, [n for n in names if n != name], seconds)
        if other.traced:
            texts = (pin for pin in found.texts if pin.symbols == {name})
            return dataclasses.replace(other, plain=name, reason=found.reason, texts=(*other.texts, *texts))
    return found


def _record(model: Model, base: Mapping[str, int], names: Sequence[str], seconds: float) -> Recording:
    renew_budget()
    with warnings.catch_warnings(), recording({name: base[name] for name in names}, seconds) as seen:
        warnings.simplefilter("ignore")  # they were told by the trace of plain numbers
        point = {**base, **model.fixed, **{name: seen.dimension(name) for name in names}}
        reason, shapes, sizes, refused = _trace(model, point, seen)
    if found_of_models(seen.unshadowed):
        return _record(model, base, names, seconds)
    hidden = [Pin(Form.symbol(name), refused) for name in names] if refused else []
    guards, texts = strongest(seen.guards), (*seen.texts.values(), *hidden)
    pins = (*seen.pins, *(pin for pin in texts if pin.key))
    return Recording(base, tuple(names), guards, pins, tuple(seen.roundings), not reason, reason, shapes, sizes,
                     texts=texts, slow=seen.gave_up)  # fmt: skip


def shapes_of(jaxpr: Any, form: Callable[[Any], Any] = int) -> Iterator[tuple[Any, ...]]:
    """What a program's cost is mostly made of: each product with its sizes, each loop with its length, the results.

    ``form`` makes of a size what is told.
    """
    yield from _products(jaxpr, form)
    yield "results", *(tuple(map(form, getattr(atom.aval, "shape", ()))) for atom in jaxpr.outvars)


def _products(jaxpr: Any, form: Callable[[Any], Any]) -> Iterator[tuple[Any, ...]]:
    for eqn in jaxpr.eqns:
        name = eqn.primitive.name
        if name in PRODUCTS:
            atoms = (*eqn.invars, *eqn.outvars)
            yield name, *(tuple(map(form, atom.aval.shape)) for atom in atoms)
        if name == "scan":
            yield name, form(eqn.params["length"])
        for inner in jaxprs_in_params(eqn.params):
            yield from _products(inner, form)


def _sizes(jaxpr: Any) -> Iterator[Any]:
    """Every size of every result in a program, and of every window."""
    for eqn in jaxpr.eqns:
        for result in eqn.outvars:
            yield from getattr(result.aval, "shape", ())
        for of_window in WINDOWS & eqn.params.keys():
            yield from eqn.params[of_window]
        for inner in jaxprs_in_params(eqn.params):
            yield from _sizes(inner)


def _trace(
    model: Model, point: Mapping[str, Any], seen: Recorder
) -> tuple[str, tuple[tuple[Any, ...], ...], tuple[Form, ...], Place | None]:
    """Trace the model: what went wrong, in one line, or the sizes in it; and where the model handed a size to what refused it."""
    try:
        symbolic = dataclasses.replace(
            model,
            specs=tree_of_sizes(model.specs, point),
            arrays=tree_of_sizes(model.arrays, point),
            initialisers=Declared(recorder=seen, plain=model.initialisers),
        )
        _, closed = traced(symbolic, point)
        for pair in meeting(closed.jaxpr):
            left, right = map(seen.side, pair)
            alike = seen.value(left) == seen.value(right)
            seen.note(left, "==" if alike else "!=", right, None)
        shapes = tuple(shapes_of(closed.jaxpr, seen.form))
        forms = dict.fromkeys(seen.form(size) for size in _sizes(closed.jaxpr) if isinstance(size, DIMENSION))
        found = shapes, tuple(form for form in forms if isinstance(form, Form))
        # the model may have caught what was raised
        return (seen.too_long, (), (), None) if seen.gave_up else ("", *found, None)
    except Exception as raised:
        text = str(raised).strip() or type(raised).__name__
        name = "" if isinstance(raised, SymcostError) else f"{type(raised).__name__}: "
        return f"{name}{text.splitlines()[0]}", (), (), refusing(raised)


@dataclass
class Declared(Initialisers):
    """Initialisers taken at their word: what is asked for by its shape has that shape, as it has at the base point."""

    recorder: Recorder = field(kw_only=True)
    plain: Initialisers = field(kw_only=True)

    def abstract(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The shapes of what an initialiser returns, found at the base point and told in sizes."""
        value = self.recorder.value
        if not args or not isinstance(args[0], tuple | list) or not any(isinstance(d, DIMENSION) for d in args[0]):
            return super().abstract(function, args, kwargs)
        asked = tuple(map(value, args[0]))
        if any(isinstance(leaf, DIMENSION) for leaf in jax.tree.leaves((args[1:], kwargs))):
            return super().abstract(function, args, kwargs)
        made = self.plain.abstract(function, (asked, *args[1:]), kwargs)
        if any(leaf.shape != asked for leaf in jax.tree.leaves(made)):
            return super().abstract(function, args, kwargs)
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(tuple(args[0]), leaf.dtype), made)
