"""Cost tables: rows in execution order, their totals, groups and values at a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from symcost.costs import fresh
from symcost.costs.at import at_point
from symcost.costs.cost import CONVENTIONS, FULL, TEXTBOOK, XLA, Cost, Count
from symcost.costs.mesh.sharded import OnMesh, Sharded
from symcost.costs.parts import Conditions, Counts, Field, Network, Parts, Rows, known
from symcost.costs.rows import Group, Row, Withdrawn, running
from symcost.errors import DomainError, LiftError, SymcostError
from symcost.formulas.extent import is_large
from symcost.formulas.symbols import integer
from symcost.reading.choices import PEAKS, UNITS, AnyConvention, Convention, LatencyModel, Picture, Rule, Unit
from symcost.reading.given import checked
from symcost.reading.nearest import check_symbols
from symcost.reading.numerals import MAX_BITS, short
from symcost.views import Viewed, view

OF_LAYERS = "known of networks written as layers: this table is of another"


class CostTable(OnMesh, Viewed, kind="table"):
    """Rows with totals, of layers and of traced models alike.

    >>> row = Row(path="fc", op="linear", cost=Cost(macs=6, flops=12), textbook=Cost(macs=6, flops=12))
    >>> CostTable([row, row]).macs
    12
    """

    @checked
    def __init__(self, rows: Sequence[Row]) -> None:
        self._counts: Counts = Rows(rows)
        self.parts = Parts()
        """What it knows besides its counts; a part that it has not is None or empty."""

    @classmethod
    def of(cls, counts: Counts, parts: Parts) -> CostTable:
        """The table of counts that are made when they are asked for, and of the parts that are known."""
        table = cls(())
        table._counts, table.parts = counts, parts
        return table

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per operation, in execution order; alike blocks share a row, with their number in ``times``."""
        return self._counts.rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def withdrawn(self) -> Mapping[str, str]:
        """Conventions whose figures must not be used, and why: asking for them raises."""
        if self.parts.withdrawn is not None:
            return self.parts.withdrawn
        why = next((row.xla.why for row in self.rows if isinstance(row.xla, Withdrawn)), None)
        return {} if why is None else {XLA: why}

    @property
    def conventions(self) -> tuple[Convention, ...]:
        """The conventions of counting that it has figures under.

        >>> CostTable([Row(path="fc", op="linear", xla=Withdrawn("XLA counts otherwise"))]).conventions
        ('textbook', 'full')
        """
        return tuple(convention for convention in CONVENTIONS if convention not in self.withdrawn)

    @checked
    def total(self, convention: AnyConvention = FULL) -> Cost:
        """Sum of all rows under ``"textbook"``, ``"full"`` or ``"xla"``, or as a published convention has it.

        Raises :class:`symcost.LiftError` where the figures of the convention are withdrawn.
        """
        if convention in self.withdrawn:
            raise LiftError(self.withdrawn[convention])
        return self._counts.total(convention)

    @property
    def params(self) -> Count:
        """#Parameters, bias and norm included."""
        return self.total(FULL).params

    @property
    def trainable(self) -> Count:
        """#Parameters that are trained: all of them unless a model was traced with ``wrt``."""
        return self.total(FULL).trainable

    @property
    def active_params(self) -> Count:
        """#Parameters that one token uses: all of them but the experts that it is not sent to."""
        return self.total(FULL).active_params

    @property
    def state(self) -> Count:
        """Elements that the model keeps between calls beside its parameters: moving averages, caches."""
        return self.total(FULL).state

    @property
    def macs(self) -> Count:
        """Multiply-accumulates, padding included."""
        return self.total(FULL).macs

    @property
    def ops(self) -> Count:
        """OPs of the lectures: two for each MAC, nothing else."""
        return self.total(TEXTBOOK).ops

    @property
    def flops(self) -> Count:
        """FLOPs under ``full``: two per MAC and every elementwise and reduction operation."""
        return self.total(FULL).flops

    @property
    def transcendentals(self) -> Count:
        """Evaluations of exp, log, tanh, rsqrt, ... under ``full``."""
        return self.total(FULL).transcendentals

    @property
    def activations(self) -> Count:
        """#Activations under ``textbook``: the input and the results of materialising operations."""
        return self.total(TEXTBOOK).activations

    @checked
    def peak(self, rule: Rule = "liveness", unit: Unit = "elements") -> Count:
        """Peak activations: ``"liveness"`` (all tensors alive at once) or ``"textbook"`` (largest input plus output).

        Of layers the formula takes every repeated block as running, and one that grows as running more than once: where
        that is not so it is an upper bound, and ``subs`` is exact. Raises where the table knows no peak, or none by that rule.
        """
        peak = known(self.parts.peak, "this table knows no peak of activations: make it with sc.table or sc.trace")
        if rule not in PEAKS or unit not in UNITS:
            raise SymcostError(f"unknown peak {rule!r} in {unit!r}: use {' or '.join(PEAKS)}, in {' or '.join(UNITS)}")
        return peak(rule, unit)

    @checked
    def peak_path(self, rule: Rule = "liveness", **point: int) -> str:
        """Path of the operation that runs while the peak is reached, at a point; of equal ones the first.

        Raises where the table does not know it, or knows no such rule.
        """
        path = known(self.parts.peak_path, f"where the peak is reached is {OF_LAYERS}")
        if rule not in PEAKS:
            raise SymcostError(f"unknown peak {rule!r}: use {' or '.join(PEAKS)}")
        return path(rule, point)

    @cached_property
    def peak_activations(self) -> Count:
        """Peak activations in elements, by liveness."""
        return self.peak()

    @cached_property
    def residuals(self) -> Count:
        """Bytes saved by the forward pass for the backward pass; parameters and inputs are not among them."""
        return known(self.parts.residuals, 'residuals exist only for training: trace with mode="train"')()

    @property
    def receptive_field(self) -> Field:
        """Places of the input that one output sees, along each spatial axis; None where it sees all of them.

        Every window adds ``d(k - 1)`` times the product of the strides before it.
        """
        return known(self.parts.receptive_field, f"the receptive field is {OF_LAYERS}")()

    @property
    def receptive_fields(self) -> Mapping[str, Field]:
        """What one output of each layer sees of the input, by the layer's path; of a repeated block in its last run."""
        return known(self.parts.receptive_fields, f"receptive fields are {OF_LAYERS}")()

    @property
    def net(self) -> Any:
        """The network of layers that it is the table of: ``sc.build`` makes a Flax module of it."""
        return self._network.net

    @property
    def input(self) -> tuple[Count, ...]:
        """The shape of the network's input."""
        return self._network.input

    @property
    def _network(self) -> Network:
        problem = "this table is not of a network written as layers with all its symbols: give one of sc.table"
        return known(self.parts.network, problem)

    def cut(self, sharded: Sharded) -> CostTable:
        """The table, which also knows its program cut over a mesh: the symbols of the mesh's sizes are among its own."""
        symbols = tuple(dict.fromkeys((*self.symbols, *sharded.plan.symbols)))
        return CostTable.of(self._counts, replace(self.parts, sharded=sharded, symbols=symbols))

    def where(self, domain: Conditions) -> CostTable:
        """The table, whose numbers hold where other conditions say."""
        return CostTable.of(self._counts, replace(self.parts, domain=domain))

    def _with(self, sharded: Sharded) -> CostTable:
        return CostTable.of(self._counts, replace(self.parts, sharded=sharded))

    @property
    def whole(self) -> CostTable:
        """The table without its plan: the program on one device."""
        if self.parts.sharded is None:
            return self
        plan = self.parts.sharded.plan
        own = self.parts.domain.symbols if self.parts.domain is not None else ()
        symbols = tuple(name for name in self.symbols if name in own or name not in plan.symbols)
        point = {name: value for name, value in self.parts.point.items() if name in own or name not in plan.symbols}
        return CostTable.of(self._counts, replace(self.parts, sharded=None, symbols=symbols, point=point))

    @property
    def grows(self) -> bool:
        """Whether a repeated block grows: its row stands for the mean of all blocks."""
        return self.parts.network is not None and self.parts.network.grows

    @property
    def point(self) -> Mapping[str, int]:
        """The values that were given to symbols."""
        return self.parts.point

    @property
    def domain(self) -> Conditions | None:
        """Where the formulas hold; None where a table says nothing of it."""
        return self.parts.domain

    @property
    def certificate(self) -> Any:
        """How the formulas were checked, where they were derived; else None."""
        return self.parts.certificate

    @property
    def coverage(self) -> Mapping[str, int] | None:
        """Number of operations counted by rules, by probes of the compiler, by users' estimates, and as bounds.

        Where rules of one's own counted any, ``own`` is their number, and ``replaced`` that of those in the place of rules
        that are built in. None where nothing was traced.
        """
        return self.parts.coverage

    @property
    def unknown_trips(self) -> Mapping[str, str]:
        """Symbols of loops whose trip count nobody knows, and where the loops stand."""
        return self.parts.unknown_trips

    @property
    def unknown_macs(self) -> Mapping[str, str]:
        """Symbols of the MACs of kernels that nobody knows, and why."""
        return self.parts.unknown_macs

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Names of the symbols: those of the model, or those in any total."""
        if self.parts.symbols is not None:
            return self.parts.symbols
        names: set[str] = set()
        for convention in self.conventions:
            for value in (number for _, number in self.total(convention).items()):
                names |= {str(s) for s in getattr(value, "free_symbols", ())}
        return tuple(sorted(names))

    @checked
    def groups(self, key: Callable[[Row], str]) -> list[Group]:
        """Rows grouped by ``key``, in order of first appearance."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(key(row), []).append(row)
        return [Group(name, tuple(rows)) for name, rows in grouped.items()]

    @checked
    def by_path(self, depth: int | None = None) -> list[Group]:
        """One group per module path, cut to ``depth`` parts, in the order in which they run."""
        first: dict[str, int] = {}

        def path(row: Row) -> str:
            return "/".join(row.path.split("/")[:depth]) if row.path else ""

        for row, order in zip(self.rows, running(self.rows), strict=True):
            first[path(row)] = min(first.get(path(row), order), order)
        return sorted(self.groups(path), key=lambda group: first[group.name])

    def by_op(self) -> list[Group]:
        """One group per operation."""
        return self.groups(lambda row: row.op)

    def by_phase(self) -> list[Group]:
        """One group per phase: forward, backward, recompute."""
        return self.groups(lambda row: row.phase)

    @checked
    def check_point(self, point: Mapping[str, int]) -> dict[str, int]:
        """The point in Python's integers. Raises for an unknown symbol, and for a value that is no positive integer."""
        check_symbols(point, self.symbols, DomainError)
        whole_point = {}
        for name, value in point.items():
            whole = integer(value)
            if whole is None or whole < 1:
                raise DomainError(f"{name}={short(value)} is outside the domain: {name} must be a positive integer")
            if is_large(whole):
                raise DomainError(
                    f"{name}={short(value)} is outside the domain: {name} must have at most {MAX_BITS} bits"
                )
            whole_point[name] = whole
        return whole_point

    def subs(self, *, check: bool | int = False, **point: int) -> CostTable:
        """The table at a point inside the domain; totals are exact integers once every symbol has a value.

        With ``check`` every number is compared with a fresh trace of the model at that very point, which has a value for
        every symbol: a difference is an error that shows both. There a bounded symbol may be larger than was tried.
        """
        point, check = self._checking(check, point)
        point = self.check_point(point)
        if self.parts.domain is not None and point:
            self.parts.domain.check({**self.point, **point}, tried=not check)
        parts = replace(self.parts, symbols=self.symbols, withdrawn=self.withdrawn)
        table = CostTable.of(*at_point(self._counts, parts, point))
        if check:
            numbers = fresh.check(table)
            table.parts = replace(table.parts, compared=f"{numbers} numbers equal to those of a fresh trace there")
        return table

    def compile(self, *names: str, checked: bool = True, **options: Any) -> Any:
        """The totals as one fast callable on arrays, exact at every point: all that is shown, or the named ones.

        The call takes a column or an integer for every symbol and gives arrays by name; see
        :class:`symcost.sweeps.question.columns.CompiledFormulas`, which also has the formulas on real numbers for JAX's gradients.
        A point outside the domain is a :class:`symcost.DomainError` that names its row, as far as the columns tell: those of
        other symbols of the table may be given too. With ``checked=False`` the formulas are evaluated everywhere, and are
        numbers of no program outside. ``options``: those of quantities, as ``device="tpu-v5p"`` of ``step_time``: what is
        measured in seconds or joules is no count, and comes as the float64 nearest to each exact value.

        Raises :class:`symcost.SpaceError` for a name that is no number of the table, :class:`symcost.SymcostError` for an
        option that is none or lacks.

        >>> import symcost as sc
        >>> d, L = sc.symbols("d L")
        >>> costs = sc.table(sc.Repeat(sc.Linear(c_o=d), L), (1, d))
        >>> costs.compile("params")(d=[8, 16], L=3)["params"].tolist()
        [216, 816]
        """
        return view("table as function")(self, names or None, checked, options)

    def explain(self, *, check: bool | int = False, **point: int) -> str:
        """What it costs and why, in words; with a value for every symbol, in numbers, which ``check`` compares as ``subs`` does."""
        point, check = self._checking(check, point)
        compared = self.subs(check=True, **point).parts.compared if check else ""
        said = view("table in words")(self, **point)
        return f"{said}\n{compared}" if compared else said

    def _checking(self, check: bool | int, point: dict[str, int]) -> tuple[dict[str, int], bool]:
        """The point, and whether to check there; a value of the symbol ``check`` is one."""
        if isinstance(check, bool):
            return point, check
        if "check" not in self.symbols:
            raise SymcostError(f"check={short(check)} must be True or False")
        return {**point, "check": check}, False

    @checked
    def plot(self, kind: Picture = "memory", on: Any = None, dtype: str | None = None, *, at: Mapping[str, int] | None = None,
             batch: str = "n", model: LatencyModel = "roofline", depth: int | None = None, name: str = "",
             file: Any = None) -> Any:  # fmt: skip
        """A picture: ``memory``, ``roofline``, ``latency`` or ``energy``; see :mod:`symcost.report.pictures.plots`."""
        return view("table as picture")(self, kind, on, dtype, at=at, batch=batch, model=model, depth=depth, name=name,
                                        file=file)  # fmt: skip

    @checked
    def save(self, path: str | Path) -> None:
        """Write the table with its certificate and domain to a JSON file, whole or not at all; ``sc.load`` reads it.

        The keys are documented in :mod:`symcost.report.formats.json`.
        """
        view("table as file")(self, Path(path))

    def details(self, width: int | None = None) -> str:
        """Everything that is known, in at most ``width`` columns: every convention, bytes, peaks, certificate, formulas whole.

        >>> print(CostTable([Row(path="fc", op="linear", cost=Cost(macs=6, flops=12))]).details(60))
                  MACs   FLOPs
        module  (full)  (full)
        ──────────────────────
        fc           6      12
        ──────────────────────
        total        6      12
        <BLANKLINE>
        Totals (convention of counting)
        MACs (full)   6
        FLOPs (full)  12
        """
        return view("table in full")(self, width=width)

    def __repr__(self) -> str:
        return view("table in a line")(self)

    def _repr_latex_(self) -> str:
        return view("table as latex")(self)
