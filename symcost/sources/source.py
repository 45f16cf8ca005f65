"""One way from a name to a model: a saved file, a reference network, or ``PKG.MOD:NAME`` with its inputs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from symcost.costs.fresh import Untraceable
from symcost.costs.saved.load import is_saved
from symcost.costs.saved.load import load as load_saved
from symcost.costs.spec import check_texts
from symcost.errors import DomainError, SymcostError
from symcost.models.catalog import REFERENCES, Reference, literal, reference
from symcost.reading.numerals import bare, short
from symcost.sources.texts import bind, integer, load, made
from symcost.sources.tracing import TracingOptions

_TRIPS = re.compile(r"\btrips_\w+")
OF_PARAMETERS = ("active", "referee", "plan")
"""Options of tracing that leave the program as it is."""


def is_traced(model: str) -> bool:
    """Whether a name is of a model's program, ``PKG.MOD:NAME``."""
    return ":" in model and not is_saved(model)


def unseen(*texts: str) -> list[str]:
    """Symbols in texts that only a trace finds: how often a loop runs.

    >>> unseen("n", "trips_while <= 4")
    ['trips_while']
    """
    return [name for text in texts for name in _TRIPS.findall(text)]


def check_names(names: Iterable[str], symbols: Collection[str]) -> None:
    """Raise for a name that is none of the symbols, unless only a trace can tell."""
    for name in names:
        if name not in symbols and not unseen(name):
            raise DomainError(f"unknown symbol {short(name)}: the symbols here are {', '.join(symbols) or 'none'}")


def is_model(name: str) -> bool:
    """Whether a name is a program, a saved file or a reference network, rather than a git revision."""
    return is_traced(name) or is_saved(name) or name in REFERENCES


@dataclass(frozen=True)
class Source:
    """A model by its name, its inputs, how it is traced, and values.

    ``at`` has values to put in; ``point`` those that the one who asks needs for itself. Of a reference network both give
    parameters, numbers or symbols or expressions, but for the symbols that ``how.arg`` or ``at`` has left in it.
    Files and modules lie in ``folder``. ``file``: the name is that of a saved table, whatever its ending.
    ``compare``: whether numbers at a point are compared with a fresh trace there; unless said, those of a program at one.

    >>> source = Source("resnet18", how=TracingOptions(arg={"r": "s"}), point={"n": "2", "s": "64"})
    >>> source.table().symbols, source.left
    (('s',), {'s': 64})
    >>> Source("resnet18", at={"n": "m", "classes": "10"}).table().macs
    1813566464*m
    """

    model: str
    specs: Sequence[Any] = ()
    how: TracingOptions = field(default_factory=TracingOptions)
    at: Mapping[str, str] = field(default_factory=dict)
    point: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    file: bool = False
    compare: bool | None = None

    @property
    def saved(self) -> bool:
        """Whether it is the file of a saved table."""
        return self.file or is_saved(self.model)

    @property
    def traced(self) -> bool:
        """Whether it is a program."""
        return not self.file and is_traced(self.model)

    def check(self) -> Source:
        """Itself, unless something is wrong that shows without a trace."""
        if not self.saved and not self.traced:
            _network(self.model)
        if self.compare and not self.traced:
            raise SymcostError(
                f"--check compares with a fresh trace, and {self._without_program}, or leave --check out"
            )
        if self.traced:
            self.how.check()
            check_texts(self.specs)
        else:
            self._refuse(() if self.saved else ("arg",))
        _ = self._placed
        return self

    def symbols(self) -> list[str]:
        """Symbols of a program, as far as nothing needs to be traced."""
        self.check()
        self._find()
        return self.how.symbols(self.model, self.specs)

    def table(self, on_trace: Callable[[int], None] = lambda count: None) -> Any:
        """Its costs, with the values of ``at`` put in.

        Raises:
            SymcostError: what is wrong with the name, its options or its values, before anything is traced.
        """
        placed = self.check()._placed
        if self.traced:
            if placed.values:
                check_names(placed.values, self.symbols())
            self._find()
            costs = self.how.table(self.model, self.specs, on_trace)
        elif self.saved:
            costs = load_saved((self.folder or Path()) / self.model)
        else:
            costs = _network(self.model)(**placed.parameters)
        return self.put(costs, placed.values)

    def put(self, costs: Any, values: Mapping[str, int]) -> Any:
        """A table with values put in: those of a program at one point are compared with a fresh trace there.

        Where that is impossible and nobody asked for it, the table says so.
        """
        whole = bool(values) and not set(costs.symbols) - set(values)
        check = self.compare if self.compare is not None else whole and costs.parts.fresh is not None
        if not values and not check:
            return costs
        try:
            return costs.subs(check=check, **values)
        except Untraceable as problem:
            if self.compare:
                raise
            made = costs.subs(**values)
            made.parts = replace(made.parts, compared=f"not compared: {problem}")
            return made

    @property
    def _without_program(self) -> str:
        if self.saved:
            return f"{bare(self.model)} is a saved table, which has no model: name the model itself, PKG.MOD:NAME"
        return f"{bare(self.model)} is a network of layers: symcost verify compares it with its Flax twin; ask that"

    def check_program(self) -> Source:
        """Itself, unless it has no program that compilers could be asked about; nothing is traced."""
        self.how.check()
        check_texts(self.specs)
        if self.saved:
            raise SymcostError(
                f"a verdict needs the program, PKG.MOD:NAME or a reference network: {short(self.model)} is a saved table"
            )
        if self.at and self.traced:
            name = next(iter(self.at))
            raise SymcostError(f"a verdict is about the whole program: give {short(name)} its value with --at")
        _ = self._placed
        return self

    def program(self) -> tuple[Any, tuple[Any, ...], dict[str, Any], str]:
        """What :func:`symcost.verify` takes: the model, its inputs, options by name, and what another process imports."""
        self.check_program()
        given = {name: value for name, value in self.how.given.items() if name not in ("arg", *OF_PARAMETERS)}
        if self.traced:
            self._find()
            found, fixed = load(self.model), dict(self.how.arg)
            costs = None if self.specs or self.how else made(found)
            if costs is not None:  # a network written as layers is its own program
                return costs, (), {}, ""
            bound = found if self.how.function else bind(found, fixed, self.model)
            return bound, tuple(self.specs), given, "" if fixed else self.model
        return _network(self.model)(**self._placed.parameters), tuple(self.specs), given, ""

    @property
    def left(self) -> dict[str, int]:
        """The values of ``point`` that are no parameters of a network."""
        return self._placed.left

    @property
    def sized(self) -> dict[str, str]:
        """Of a reference network the sizes of its input and the parameters that were given, but for its symbols.

        >>> Source("resnet18", at={"n": "8", "r": "r"}).sized
        {'n': '8'}
        """
        if self.saved or self.traced:
            return {}
        given = {**_network(self.model).sizes, **self._placed.parameters}
        return {name: str(value) for name, value in given.items() if str(value) != name}

    @property
    def _placed(self) -> _Placed:
        """Where every value belongs."""
        if self.saved or self.traced:
            return _Placed({}, _integers(self.at), _integers(self.point))
        fixed, known = {name: str(value) for name, value in self.how.arg.items()}, _network(self.model).parameters
        own = {name: text for name, text in self.at.items() if name not in fixed and (name in known or not fixed)}
        asked = {n: t for n, t in self.point.items() if n in known and n not in fixed and n not in self.at}
        return _Placed(
            {name: literal(text) for name, text in {**fixed, **own, **asked}.items()},
            _integers({name: text for name, text in self.at.items() if name not in own}),
            _integers({name: text for name, text in self.point.items() if name not in asked}),
        )

    def _refuse(self, allowed: Sequence[str]) -> None:
        """Raise for what only a program has."""
        wrong = [*(["specs"] if self.specs else []), *(name for name in self.how.given if name not in allowed)]
        if wrong:
            raise SymcostError(
                f"{' and '.join(wrong)} {'are' if len(wrong) > 1 else 'is'} for a model to trace, not {bare(self.model)}: "
                f"give PKG.MOD:NAME, or leave {'them' if len(wrong) > 1 else 'it'} out"
            )

    def _find(self) -> None:
        """Let modules be found in the folder too."""
        if self.folder is not None and str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))


@dataclass(frozen=True)
class _Placed:
    """Values by where they belong: parameters of a network, symbols to put in, symbols of the one who asks."""

    parameters: Mapping[str, Any]
    values: dict[str, int]
    left: dict[str, int]


def _integers(given: Mapping[str, str]) -> dict[str, int]:
    return {name: integer(f"--at {bare(name)}", text) for name, text in given.items()}


def _network(name: str) -> Reference:
    try:
        return reference(name)
    except SymcostError as problem:
        raise SymcostError(f"{problem}; a model to trace is PKG.MOD:NAME, a saved table FILE.json") from None
