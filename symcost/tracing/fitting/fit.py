"""Exact closed forms of columns of integers: what function of the symbols gave these values at these points?

A column is one integer of one record over all sample points. Forms are tried from simple to rich, always against more
points than unknowns, over the rationals:

- a constant, a known column (a symbol or an earlier result), or an affine function of one;
- a Laurent monomial ``c x^a y^b ...`` (``d/H``, ``n N``);
- affine combinations of products of known columns (``h w + 1``, ``n (T + S)``), polynomials up to degree 3;
- ``q floor((f + a)/s) + c`` of a known column, ``c1 f + c2 floor((f + a)/s) + c3``, and roundings
  ``q Max(least, [alpha m]) + c`` of a Laurent monomial (capacities, rounded widths).

Where several forms of a floor family agree on all points, they are kept as rivals: :meth:`Fitter.rivals` tells a point
at which they differ, so that the caller can sample there, and :meth:`Fitter.settled` takes none of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property

from symcost.formulas.form import Form, floor
from symcost.formulas.functions import floors_opened
from symcost.tracing.fitting.binary import doublings, halvings, logarithms
from symcost.tracing.fitting.features import BESIDE, bends, column_of, is_dimension, is_line
from symcost.tracing.fitting.rivals import part
from symcost.tracing.fitting.rounding import roundings, shifts_of_floor
from symcost.tracing.fitting.solve import Column, affine, combine, fitting, power

Point = Mapping[str, int]
MAX_DEGREE = 3
MAX_RIVALS = 24
MAX_PERIOD = 32
MAX_HINTS = 80


class Fitter:
    """Fits columns over one set of sample points; every distinct column is fitted once."""

    def __init__(
        self,
        symbols: Sequence[str],
        points: Sequence[Point],
        strides: Iterable[int] = (2,),
        floors: bool = True,
        previous: Fitter | None = None,
        compared: Mapping[str, Iterable[int]] | None = None,
        meant: Collection[Form] = (),
        sizes: Iterable[Form] = (),
    ) -> None:
        self.symbols = tuple(symbols)
        self.points = list(points)
        self.floors = floors
        self.strides = sorted({s for s in strides if s > 1} | {2})
        self._previous = previous
        self._bends = {n: {v + near for v in values for near in BESIDE} for n, values in (compared or {}).items()}
        self._axes: dict[str, Fitter] = {}
        self._on_axis = {
            name: [
                i
                for i, p in enumerate(self.points)
                if all(p[o] == self.points[0][o] for o in self.symbols if o != name)
            ]
            for name in self.symbols
        }
        self.fitted: dict[Column, Form | None] = {}
        self.rival_forms: dict[Column, list[Form]] = {}
        self.known: dict[Column, Form] = {}
        for name in self.symbols:
            column = tuple(point[name] for point in self.points)
            self.known.setdefault(column, Form.symbol(name))
        self._hints: list[tuple[Column, Form]] = []
        self._meant: dict[Column, dict[Form, None]] = {}  # forms that these points do not tell apart
        self._by_hint: set[Column] = set()
        for form in (*meant, *sizes):
            column = column_of(form, self.points) if form.symbols <= set(self.symbols) else None
            if column is not None:
                self._knows(column, form, hint=form in meant)
        self._alike: dict[str, list[tuple[int, int]]] = {
            name: [
                (i, j)
                for i, j in itertools.combinations(range(len(self.points)), 2)
                if all((self.points[i][other] == self.points[j][other]) != (other == name) for other in self.symbols)
            ]
            for name in self.symbols
        }

    def _knows(self, column: Column, form: Form, hint: bool) -> None:
        """A form that is meant; a rounding that sums are made of is told without floors where no point has a remainder."""
        plain = floors_opened(form) if hint else form
        exact = plain if [plain.value(point) for point in self.points] == list(column) else form
        self.known.setdefault(column, exact)
        self._meant.setdefault(column, {})[exact] = None
        if hint:
            self._hints.append((column, exact))

    # -- the public verbs --------------------------------------------------------------------------------------
    def fit_all(self, columns: Iterable[Column]) -> list[Column]:
        """Fit every column, simple ones first so that richer ones can stand on them; return those left over."""
        waiting = sorted({c for c in columns if c not in self.fitted}, key=lambda c: (len(self.depends(c)), -max(c)))
        if self._previous is not None:
            waiting = [column for column in waiting if not self._still_holds(column, self._previous)]
        for rich in (False, True):
            while waiting:
                left = [column for column in waiting if self.fit(column, rich) is None]
                progressed = len(left) < len(waiting)
                for column in left:
                    self.fitted.pop(column)
                waiting = left
                if not progressed:
                    break
        return waiting

    def fit(self, column: Column, rich: bool = True) -> Form | None:
        """The simplest form that gives the column at every point, or nothing; ``rich`` allows sums of features."""
        if column in self.fitted:
            return self.fitted[column]
        names = self.depends(column)
        bent = self._hinted(column) or bends(column, self.points, names, self._bends) if len(set(column)) > 1 else None
        forms = [bent] if bent else list(itertools.islice(self._candidates(column, rich), 1))
        if not bent and forms and not forms[0].is_polynomial and self.floors:
            forms = self._floor_forms(column) or self._rivals_of(forms[0], column, rich)
        forms = list(dict.fromkeys((*forms, *self._meant.get(column, ()))))
        self._by_hint |= {column} if bent else set()
        self._settle(column, forms)
        return self.fitted[column]

    def settled(self, column: Column) -> Form | None:
        """The form of a column, or nothing where another one agrees with it at every point, and not beyond them."""
        form = self.fit(column)
        slow = self._slow(column) if column in self.rival_forms else []
        rivals = [rival for rival in self.rival_forms.get(column, [])[1:] if form in slow or rival not in slow]
        return None if form is None or any(part(form, rival, self.points) for rival in rivals) else form

    def _slow(self, column: Column) -> list[Form]:
        """Logarithms that give the column: a held-out point tells a floor from those."""
        names = self.depends(column)
        known = [(c, f) for c, f in self.known.items() if f.symbols == names and len(names) == 1 and is_dimension(f)]
        return [form for family in (logarithms, halvings) for form in family(column, known)]

    def _rivals_of(self, first: Form, column: Column, rich: bool) -> list[Form]:
        """The form that was found, and roundings of several symbols that agree with it so far."""
        names = self.depends(column)
        rounded = itertools.islice(self._rounded(column, names), MAX_RIVALS) if rich and len(names) > 1 else ()
        return list(dict.fromkeys((first, *rounded)))

    def _settle(self, column: Column, forms: list[Form]) -> None:
        self.fitted[column] = forms[0] if forms else None
        if len(forms) > 1:
            self.rival_forms[column] = forms
        if forms and forms[0].number is None:
            self.known.setdefault(column, forms[0])

    def _still_holds(self, column: Column, previous: Fitter) -> bool:
        """Take over what earlier points settled, if it holds at the new ones."""
        old = column[: len(previous.points)]
        form = previous.fitted.get(old)
        if form is None:
            return False
        new = list(zip(self.points, column, strict=True))[len(old) :]
        forms = [f for f in previous.rival_forms.get(old, [form]) if all(f.value(p) == v for p, v in new)]
        if forms:
            self._settle(column, forms)
        return bool(forms)

    @property
    def all_meant(self) -> bool:
        """Whether every form is a number, a symbol or one of those that are meant."""
        return all(form is None or self._is_meant(form) for form in self.fitted.values())

    def guessed(self, columns: Iterable[Column], floats: bool = False) -> bool:
        """Whether one of these columns has steps that no line of the program was seen to make.

        What is made of ``floats`` is clamped and compared across what they decide: only plain steps are doubted there.
        """
        forms = (self.fitted.get(column) for column in columns if column not in self._by_hint)
        steps = [form for form in forms if form is not None and not form.is_polynomial and not self._is_meant(form)]
        return any(not floats or self._is_plain_step(form) for form in steps)

    def _is_plain_step(self, form: Form) -> bool:
        """Whether it is made of floors alone, of which one at least is none of the program's."""
        return floors_opened(form).is_polynomial and not set(form.floor_arguments()) <= self._roundings

    def _is_meant(self, form: Form) -> bool:
        return form.number is not None or form in self._told

    @cached_property
    def _roundings(self) -> set[Form]:
        """What is rounded down in the forms that are meant."""
        return {inside for form in self._told for inside in form.floor_arguments()}

    @cached_property
    def _told(self) -> set[Form]:
        return {*map(Form.symbol, self.symbols), *(form for forms in self._meant.values() for form in forms)}

    def depends(self, column: Column) -> frozenset[str]:
        """Symbols along whose axis alone the column changes."""
        return frozenset(n for n, pairs in self._alike.items() if any(column[i] != column[j] for i, j in pairs))

    def rivals(self, candidates: Iterable[Point]) -> Point | None:
        """The point that tells most of the forms apart that agree so far, if any does."""
        best, most = None, 0
        for point in candidates:
            told = sum(len({form.value(point) for form in forms}) - 1 for forms in self.rival_forms.values())
            if told > most:
                best, most = point, told
        return best

    # -- candidates, simple to rich ----------------------------------------------------------------------------
    def _candidates(self, column: Column, rich: bool) -> Iterator[Form]:
        if len(set(column)) == 1:
            yield Form.constant(column[0])
            return
        if column in self.known:
            yield self.known[column]
            return
        names = self.depends(column)
        singles = [(c, f) for c, f in self.known.items() if f.symbols <= names]
        for values, form in singles:
            if len(names) == len(form.symbols) and (fit := affine(column, [values])):
                yield combine(fit, [form])
        if (form := self._monomial(column, names)) is not None:
            yield form
        if len(names) == 1:
            yield from self._polynomials(column, names)
            yield from self._floor_forms(column)
        plain = [(c, f) for c, f in singles if is_dimension(f)]
        pairs = [
            (tuple(x * y for x, y in zip(a, b, strict=True)), f * g)
            for (a, f), (b, g) in itertools.combinations_with_replacement(plain, 2)
        ]
        for values, form in pairs:
            if form.symbols == names and (fit := affine(column, [values])):
                yield combine(fit, [form])
        if len(names) > 1 and (form := self._separable(column, names)) is not None:
            yield form
        if len(names) > 2:
            symbols = [Form.symbol(name) for name in sorted(names)]
            if fit := affine(column, [tuple(point[name] for point in self.points) for name in sorted(names)]):
                yield combine(fit, symbols)
        if rich:
            yield from self._two_features(column, names, plain, pairs)
            lines = [(c, f) for c, f in singles if is_line(f)]
            for (a, f), (b, g) in itertools.product(lines, [*lines, *plain]):
                product = tuple(x * y for x, y in zip(a, b, strict=True))
                if f.symbols | g.symbols == names and (fit := affine(column, [product])):
                    yield combine(fit, [f * g])
            if self.floors:
                yield from self._rounded(column, names)

    def _two_features(self, column: Column, names: frozenset[str], plain: list[tuple[Column, Form]],
                      pairs: list[tuple[Column, Form]]) -> Iterator[Form]:  # fmt: skip
        some = pairs[:60]
        for firsts, seconds in ((plain, plain), (pairs, plain), (some, some)):
            for i, j in fitting(column, [values for values, _ in firsts], [values for values, _ in seconds]):
                (a, f), (b, g) = firsts[i], seconds[j]
                apart = (firsts is not seconds or i < j) and f.symbols | g.symbols == names
                fit = affine(column, [a, b], surplus=2) if apart else None
                # Fractions beside a floor are an accident of few points: sizes are sums of whole steps.
                if fit and (all(c.denominator == 1 for c in fit) or (f.is_polynomial and g.is_polynomial)):
                    yield combine(fit, [f, g])

    def _floor_forms(self, column: Column) -> list[Form]:
        """Sums over stages that double; or all forms of the floor families, the simplest first: they are rivals of one another."""
        names = self.depends(column)
        own = [(c, f) for c, f in self.known.items() if f.symbols == names and len(names) == 1]
        doubled = list(doublings(column, own))
        for is_feature in (is_dimension, is_line) if self.floors and not doubled else ():
            known = [(c, f) for c, f in own if is_feature(f)]
            families = (self._windows, self._window_sums, self._any_floor, logarithms, halvings, self._periodic)
            found = [f for family in families for f in itertools.islice(family(column, known), MAX_RIVALS)]
            if found:
                return list(dict.fromkeys(found))
        return doubled

    def _windows(self, column: Column, plain: list[tuple[Column, Form]]) -> Iterator[Form]:
        """``floor((f + a)/s) + c`` with a stride of the program: the output of a window over a known size."""
        for values, form in plain:
            for s in self.strides:
                for a in range(s):
                    c = column[0] - (values[0] + a) // s
                    if all((v + a) // s + c == y for v, y in zip(values, column, strict=True)):
                        yield floor((form + a) / s) + c

    def _window_sums(self, column: Column, plain: list[tuple[Column, Form]]) -> Iterator[Form]:
        """``c1 f + c2 floor((f + a)/s) + c3`` in integers: window positions inside the input."""
        for values, form in plain:
            for s in self.strides:
                for a in range(s):
                    inner = tuple((v + a) // s for v in values)
                    fit = affine(column, [values, inner], surplus=3)
                    if fit and all(c.denominator == 1 for c in fit):
                        yield combine(fit, [form, floor((form + a) / s)])

    def _periodic(self, column: Column, plain: list[tuple[Column, Form]]) -> Iterator[Form]:
        """``sum c_a floor((f + a)/s) + c``: linear but for a remainder modulo ``s`` (the floors of all shifts span these)."""
        for values, form in plain:
            for s in self.strides:
                if s > MAX_PERIOD or len({v % s for v in values}) < s:
                    continue
                inner = [tuple((v + a) // s for v in values) for a in range(s)]
                fit = affine(column, inner, sparse=True, surplus=3)
                if fit and all(c.denominator == 1 for c in fit):
                    yield combine(fit, [floor((form + a) / s) for a in range(s)])

    def _any_floor(self, column: Column, plain: list[tuple[Column, Form]]) -> Iterator[Form]:
        """``q floor((f + a)/s) + c`` with any step."""
        for values, form in plain:
            for q, s, a, c in shifts_of_floor(column, values, self.strides):
                yield q * floor((form + a) / s) + c

    def _separable(self, column: Column, names: frozenset[str]) -> Form | None:
        """A product of one function per symbol, each fitted along its own axis: ``(r - 4)(r - 1) d``."""
        base = column[0]
        if base == 0:
            return None
        product = Form.constant(1)
        for name in sorted(names):
            axis = self._axis(name)
            part = axis.fit(tuple(column[i] for i in self._on_axis[name]))
            if part is None:
                return None
            product = product * part
        product = product * (Fraction(1) / Fraction(base) ** (len(names) - 1))
        broken = not product.is_polynomial and any(Fraction(c).denominator > 1 for c in product.terms.values())
        return product if not broken and self._holds(product, column) else None  # sizes are sums of whole steps

    def _axis(self, name: str) -> Fitter:
        """A fitter of the points that differ from the first in one symbol only, with the columns known so far."""
        axis = self._axes.get(name)
        rows = self._on_axis[name]
        if axis is None:
            axis = self._axes[name] = Fitter((name,), [self.points[i] for i in rows], self.strides, self.floors)
        for column, form in self.known.items():
            if form.symbols == {name}:
                axis.known.setdefault(tuple(column[i] for i in rows), form)
        return axis

    def _monomial(self, column: Column, names: frozenset[str]) -> Form | None:
        """``c prod x^k``, each exponent read off along its symbol's axis."""
        form = Form.constant(1)
        for name in sorted(names):
            i, j = next((i, j) for i, j in self._alike[name] if column[i] != column[j])
            exponent = power(column[j], column[i], self.points[j][name], self.points[i][name])
            if exponent is None:
                return None
            form = form * Form.symbol(name) ** exponent
        base = form.value(self.points[0])
        if base == 0 or column[0] == 0:
            return None
        form = form * (Fraction(column[0]) / base)
        return form if self._holds(form, column) else None

    def _polynomials(self, column: Column, names: frozenset[str]) -> Iterator[Form]:
        (name,) = names
        x = tuple(point[name] for point in self.points)
        distinct = len(set(x))
        for degree in range(2, MAX_DEGREE + 1):
            if distinct < degree + 2:  # one surplus equation at least
                return
            powers = [tuple(v**k for v in x) for k in range(1, degree + 1)]
            if fit := affine(column, powers, sparse=True):
                yield combine(fit, [Form.symbol(name) ** k for k in range(1, degree + 1)])

    def _hinted(self, column: Column) -> Form | None:
        """A sum of steps that the program was seen to round and to clamp by: ``Max(8, 8*floor(..)) + 8`` where it says so."""
        names = self.depends(column)
        hints = [(c, f) for c, f in self._hints if f.symbols <= names and len(set(c)) > 1][:MAX_HINTS]
        columns = [values for values, _ in hints]
        pairs = (pair for pair in fitting(column, columns, columns) if pair[0] < pair[1])
        for some in itertools.chain(zip(range(len(hints))), pairs):
            forms = [hints[k][1] for k in some]
            if frozenset().union(*(form.symbols for form in forms)) == names:
                fit = affine(column, [columns[k] for k in some], surplus=2)
                if fit and all(c.denominator == 1 for c in fit):
                    return combine(fit, forms)
        return None

    def _rounded(self, column: Column, names: frozenset[str]) -> Iterator[Form]:
        """Roundings of a Laurent monomial whose exponents the growth of the values suggests."""
        options = []
        for name in sorted(names):
            pairs = [(i, j) for i, j in self._alike[name] if column[i] > 0 < column[j]]
            slopes = {
                round(math.log(column[j] / column[i]) / math.log(self.points[j][name] / self.points[i][name]))
                for i, j in pairs
            }
            options.append([(name, k) for k in sorted(slopes, key=abs) if k and abs(k) <= 2])
        for exponents in itertools.product(*options):
            form = Form.constant(1)
            for name, exponent in exponents:
                form = form * Form.symbol(name) ** exponent
            values = [Fraction(form.value(point)) for point in self.points]
            for rounding in roundings(column, values):
                yield rounding(form)

    def _holds(self, form: Form, column: Column) -> bool:
        return all(form.value(point) == value for point, value in zip(self.points, column, strict=True))
