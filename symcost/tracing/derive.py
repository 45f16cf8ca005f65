"""The main job: attempts at a closed form until one is certified, and what the program decides beyond it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import LiftError
from symcost.system.collector import rare_collections
from symcost.system.stack import with_room
from symcost.tracing.beyond import Piece, beyond_bounds, unmoved
from symcost.tracing.checking.certify import LineTotals
from symcost.tracing.counting.active import read_shares, shared, shares_at
from symcost.tracing.evidence.floats.meaning import comparisons, sizes
from symcost.tracing.evidence.guard import Guard, all_hold, both_ways, not_both, strongest
from symcost.tracing.evidence.loops import halved, looped, turns
from symcost.tracing.evidence.record import Recording
from symcost.tracing.evidence.seen import decided, framed, of_depths, recorded
from symcost.tracing.fitting.align import all_records, same
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.joined import joined
from symcost.tracing.lifted import Lifted
from symcost.tracing.options import Options
from symcost.tracing.pieces import Side
from symcost.tracing.program.model import Model
from symcost.tracing.program.paths import kinds_of_modules
from symcost.tracing.program.repeated.tables import tables_kept
from symcost.tracing.program.spec import where
from symcost.tracing.resampled import Resampled
from symcost.tracing.sampling.guided import jointly
from symcost.tracing.sampling.sample import STEPS, Point, Values, check_positive, multiples
from symcost.tracing.sampling.signals import Branch, Counterexample, Irregular, NoPattern, OnTrial, Turn
from symcost.tracing.staged import staged

MAX_ROUNDS = 8
SMALLEST = range(1, 64)
"""Sizes at which what is divided by may be 0: ``r // 7``."""
FEW_LAYERS = 3
"""Which of its sampled values a depth has where parameters are tried that its layers may be compared with."""


class Derivation(Resampled):
    """Everything on the way from a model to its closed form."""

    def run(self) -> CostTable:
        """The closed form, or a :class:`LiftError`, which says too what was too large to be traced."""
        try:
            piece = self._whole_or_staged()
        except LiftError as problem:
            if self.sampler.refused and self.sampler.refused not in str(problem):
                raise LiftError(f"{problem}; larger points were left out, where {self.sampler.refused}") from None
            raise
        lines, totals = piece.lines, LineTotals(piece.lines)
        made = Lifted(lines, totals, piece.peaks, piece.residuals, piece.certificate, piece.domain, tuple(self.symbols),
                      piece.unknown, shared(lines, self.shares))  # fmt: skip
        return (made.refereed(piece.explorer.witness.ask) if self.options.referee else made).table()

    def _whole_or_staged(self) -> Piece:
        """The closed form, or one for each of the first depths where the program changes with one in no regular way."""
        try:
            return self.piece(self.options.max_pieces)
        except LiftError as problem:
            depths = [name for name in self.structural if name not in (*self.fixed, *self.choice.inputs, *self.halved)]
            names = [*self._compared_with_layers(depths), *sorted(depths, key=self._adds_layers)]
            if not names or self.options.max_pieces < 2 or (len(names) == 1 and not isinstance(problem, NoPattern)):
                raise
            for name in names:
                most = max(self.options.max_pieces, (self.options.upto or {}).get(name, 0))
                if (found := staged(self.sampler, name, most, self._alone)) is not None:
                    return found
            raise

    def _compared_with_layers(self, depths: Sequence[str]) -> list[str]:
        """Parameters by whose least values alone a program of some layers is another one: ``i >= L - K``."""
        deep = {name: self.values[name][FEW_LAYERS] for name in depths if self.values[name][FEW_LAYERS:]}
        others = [n for n in self.symbols if n not in (*depths, *self.fixed, *self.choice.inputs)] if deep else []
        tried = {n: [{**self.base, **deep, n: v} for v in (1, 2, *self.values[n][:2])] for n in others}
        works = {name: points for name, points in tried.items() if all(map(self.sampler.works, points))}
        made = {
            n: [[(r.key, r.sizes) for r in all_records(self.sampler(p))] for p in points] for n, points in works.items()
        }
        return [name for name, (one, two, large, larger) in made.items() if one != two and large == larger]

    def _adds_layers(self, name: str) -> bool:
        """Whether each step of a depth adds to the program: what layers are compared with alone adds nothing beyond them."""
        points = ({**self.base, name: value} for value in self.values[name][:4])
        sizes = [len(self.sampler(point).records) for point in points if self.sampler.works(point)]
        return all(before < after for before, after in itertools.pairwise(sizes))

    def _alone(self, sampler: Sampler) -> Piece:
        """The closed form of a model with one symbol less."""
        options = self.options.beside(sampler.model.symbols, self.choice.allowed, {})
        return Derivation(sampler, options, self.shares).piece(1)

    def piece(self, pieces: int) -> Piece:
        """The closed form where the program decides as it does at the samples, and beyond in so many pieces at most."""
        self.choice.make()
        self._watch()
        self.guards = self._seen()
        for moved in (self._octaves, self._counting):
            if moved():
                self._watch()
                self.guards = self._seen()
        self.looped = [name for name in looped(self.guards) if name in self.sizes]
        self._meant = [*sizes(self.recording), *halved(self.guards)]
        self.extra += turns(self.guards, {name: self.base[name] for name in self.sizes})
        found = self._settled_on()
        derivable = any(record.origin for record in all_records(self.lifts[0].programs[0]))
        if derivable and found.domain.at_least and not self._derive:
            found = self._wider(found)
        if any(found.domain.at_least.get(name, 1) >= self.base[name] > 1 for name in self.sizes):
            found = self._inside(found)
        self._turn()
        return self._decided(self._clamped(found), pieces)

    def _clamped(self, found: Piece) -> Piece:
        """The form again with samples where floats are clamped and compared otherwise: it may hold there too."""
        exact = {comparison.exact for comparison in comparisons(self.recording)}
        sides = [
            Side(found, each, self.values, self.within, dict(self.recording.base))
            for each in self.guards
            if each in exact
        ]
        points = [point for side in sides for point in side.different()]
        if not points:
            return found
        self.extra += [{name: point[name] for name in self.sizes} for point in points]
        try:
            return self._unmixed(self._settle())
        except LiftError:
            self.extra.clear()
            return found

    def _settled_on(self) -> Piece:
        """A form by trial, or else one where the program decides as it was seen to."""
        try:
            return self._unmixed(self._of_two())
        except LiftError:
            self._coarseness.clear()
            self.choice.make()
            known = self.guards or self.recording.sizes
            if not known or not all_hold(self.guards, self.base):
                raise
            self.within = (*self.within, *self.guards)
            self._meant = [*self._meant, *self.recording.sizes]
            self.extra.clear()
            self.compared.update(self._above or {})  # shallow samples again, and all that they are to lie beside
            self._above = None
            self._deepen()
            return self._settle()

    def _of_two(self) -> Piece:
        """A form, at last one without floors of several symbols that are 1, where a program may skip a step."""
        try:
            return self._settle()
        except LiftError:
            self._least = 2
            if not self._existing():
                self._least = 1
                raise
            self.extra.clear()
            return self._settle()

    def _unmixed(self, found: Piece) -> Piece:
        """The form, unless it was fitted to both ways of a decision and is wrong at a near point that goes the first way."""
        for each in self.guards:
            if all(each.holds(point) for point in found.certificate.fitted):
                continue
            same = Side(found, each.denied, self.values, self.within, dict(self.recording.base)).points
            inside = [point for point in same if found.domain.problem(point) is None and self.sampler.works(point)]
            if any(found.explorer.difference(point) is not None for point in inside):
                raise LiftError(f"the closed form is not right where {each}: it was fitted where that is otherwise too")
        return found

    def _turn(self) -> None:
        """See the decisions of the samples that were settled on, where they are others than those begun with."""
        if all(self.recording.base[name] == self.base[name] for name in self.sizes):
            return
        before = [guard if guard.holds(self.base) else guard.denied for guard in self.guards]
        self.guards = list(dict.fromkeys((*self._seen(), *before)))

    def _seen(self) -> list[Guard]:
        """What the program decides at the base by its sizes."""
        known = self.proof.at(self.base, self.structural)
        seen = known or recorded(self.sampler, self.base, self.structural, self.landmarks)
        free = [name for name in self.structural if name not in self.halved]
        self.numbered, self.limits = of_depths(self.sampler, seen, free, self.values)
        read = framed(self.sampler, seen, self.values, self.structural)
        self.recording = seen.read(read)
        return self._fresh(seen, read)

    def _fresh(self, seen: Recording, read: Sequence[Guard]) -> list[Guard]:
        """What a recording saw the program decide, and what is read from lines of the model's that had plain numbers."""
        found = (self.numbered.get(guard, guard) for guard in (*decided(seen, self.base), *read))
        return [guard for guard in dict.fromkeys(found) if guard not in self.decided]

    def _decides(self, point: Point) -> list[Guard] | None:
        """What the program decides by its sizes at another point, or nothing where that was not recorded."""
        seen = recorded(self.sampler, point, self.structural, self.landmarks)
        if not seen.traced and self.recording.traced:
            return None
        return self._fresh(seen, framed(self.sampler, seen, self.values, self.structural))

    @property
    def _met(self) -> list[Guard]:
        """Decisions that are looked at one by one, however they fall."""
        return both_ways((*self.guards, *self.within))

    def _decided(self, found: Piece, pieces: int) -> Piece:
        """What the program was seen to decide by its sizes: each decision is met, of no account, or splits the form."""
        split: list[tuple[Guard, Piece]] = []
        together: list[tuple[Guard, Guard]] = []
        skipped = self._existing() if self._least > 1 else []
        unasked = [each for each in unmoved(found, self.recording.sizes) if each not in self.guards]
        for number, guard in enumerate((*self.guards, *skipped, *unasked, *beyond_bounds(found)), 1):
            found.domain.guards = tuple(other for other in found.domain.guards if other != guard)
            if any(strongest((known, guard)) == (known,) for known, _ in split):
                continue  # it holds wherever this form is used
            within = [*(other for other in self.side if other != guard), *(known for known, _ in split)]
            side = Side(found, guard, self.values, within, dict(self.recording.base), self._decides, self._met)
            verdict = side.verdict()
            if verdict == "other" and len(guard.symbols) > 1 and (wider := side.relaxed()) is not None:
                side, guard = wider, wider.guard
            needed = guard in self.within  # without it no form was found at all
            if verdict == "alike" and (beside := side.matters_with(self.guards[number:])) is not None:
                joint = not_both(guard, beside) if side.exception else None
                if joint is not None and not needed:
                    together.append((beside, joint))
                    continue
                verdict = "other"
            if verdict == "alike" and not needed:
                continue
            left = pieces - 1 - sum(piece.number for _, piece in split)
            other = self._other(side, left) if left > 0 and guard.readable and self._tells(guard) else None
            if other is not None:
                side.freed()
                split.append((guard, other))
            elif verdict == "other" or needed:
                found.domain.guards = (*found.domain.guards, guard)
        apart = {*found.domain.guards, *(guard for guard, _ in split)}  # a decision that is met by itself needs no more
        found.domain.guards += tuple(joint for beside, joint in together if beside not in apart)
        for guard, other in reversed(split):
            found = joined(found, other, guard)
        return found

    def _tells(self, guard: Guard) -> bool:
        """Whether a decision has a value at small sizes too: a form cannot be split by one that divides by 0 there."""
        points = ({**self.base, name: value} for name in guard.symbols & set(self.sizes) for value in SMALLEST)
        try:
            return all(side.value(point) is not None for point in points for side in (guard.left, guard.right))
        except ZeroDivisionError:
            return False

    def _other(self, side: Side, pieces: int) -> Piece | None:
        """The closed form on the other side of a decision, if there is one, where earlier ones are as they were seen."""
        earlier = [guard for guard in side.within if guard not in self.within]
        known = both_ways((*earlier, side.guard))
        for sampler, samples in itertools.chain(self._across(side), side.attempts(self.sampler), self._small(side)):
            options = self.options.beside(sampler.model.symbols, {**self.choice.allowed, **samples}, self.values)
            within = [g for g in (*side.within, side.guard.denied) if g.symbols <= set(sampler.model.symbols)]
            try:
                return Derivation(sampler, options, self.shares, (*self.decided, *known), within).piece(pieces)
            except NoPattern:
                return None
            except LiftError:
                continue
        return None

    def _across(self, side: Side) -> Iterator[tuple[Sampler, dict[str, Values]]]:
        """Samples on the other side of a decision by several sizes, where all decisions are known."""
        if self._proved and len(side.guard.symbols) > 1:
            values = self.choice.across(self.recording, side.guard, side.within)
            if values is not None:
                yield self.sampler, values

    def _small(self, side: Side) -> Iterator[tuple[Sampler, dict[str, Values]]]:
        """Samples on the other side of a decision by several sizes, all of them small: ``E*T <= 1625``."""
        names = sorted(side.guard.symbols)
        if len(names) > 1 and set(names) <= set(self.sizes):
            met = (side.guard.denied, *(each for each in side.within if each.symbols <= set(names)))
            yield from ((self.sampler, values) for values in jointly(met, names))

    def _wider(self, found: Piece) -> Piece:
        """Sizes whose lower bound may come of maps smaller than a kernel: the form that counts those too, if it holds."""
        self._derive = True
        try:
            other = self.certified()
        except LiftError:
            return found
        low, lower = found.domain.at_least, other.domain.at_least
        gained = any(lower.get(n, 1) < low[n] for n in low) and all(lower.get(n, 1) <= low.get(n, 1) for n in lower)
        return other if gained else found

    def _inside(self, found: Piece) -> Piece:
        """The form again, of samples below which it held nowhere, where the program decides as it was seen to."""
        if not self.guards or not all_hold(self.guards, self.base):
            return found
        before, self.within = self.within, (*self.within, *self.guards)
        try:
            other = self.certified()
        except LiftError:
            return found
        finally:
            self.within = before
        low, lower = found.domain.at_least, other.domain.at_least
        return other if all(lower.get(name, 1) <= least for name, least in low.items()) else found

    def _settle(self) -> Piece:
        """Attempts with better values each time, until one is certified."""
        for _ in range(MAX_ROUNDS):
            try:
                return self.certified()
            except Branch as branch:
                self._follow(branch)
                self.extra.clear()
            except Turn as turn:
                if not self._past(turn):
                    raise LiftError(str(turn)) from None
            except Irregular as problem:
                if not any(
                    ways() for ways in (self._everywhere, self._digits, self._beyond, self._pattern, self._progression)
                ):
                    raise NoPattern(str(problem)) from None
            except Counterexample as found:
                self._on_trial = found.between
                self.extra += [{name: point[name] for name in self.sizes} for point in found.points]
            except OnTrial:
                self._on_trial, self._settled = False, not self._enlarged()
                self.extra.clear()
        try:
            return self.certified()
        except Counterexample as found:
            raise LiftError(
                f"the closed form is not right at {where(found.points[0])}: {found}; give samples={{...}} or steps={{...}} "
                f"for {', '.join(self._rounded_names or self.sizes)}"
            ) from None

    def _follow(self, branch: Branch) -> None:
        """Keep to the multiples where the program is the one found there: the values that people use."""
        for step in STEPS:
            if branch.name in self.fixed or branch.value % step:
                continue
            values = multiples(step)
            if self.choice.steady(branch.name, values) and same(
                self.sampler({**self.base, branch.name: values[0]}),
                self.sampler({**self.base, branch.name: branch.value}),
            ):
                self.values[branch.name] = values
                return
        raise LiftError(f"{branch}; give steps={{{branch.name!r}: ...}} for the values that you mean")


def derive(
    model: Any, options: Options, on_trace: Callable[[int], None], active: Mapping[str, Any] | None = None
) -> CostTable:
    """Closed form of a model; ``active`` gives shares of its parameters by pattern."""
    check_positive("axes", model.axes)
    options.check(model.symbols)
    shares = read_shares(active, model.symbols)

    with rare_collections(), tables_kept(), kinds_of_modules() as kinds:
        try:
            costs = with_room(Derivation(Sampler(model, on_trace), options, shares).run)
        except LiftError as problem:  # the stages' own signals are of no use to who reads of it
            raise LiftError(str(problem)) from None
    if model.example and costs.domain is not None:
        costs.domain.notes.append(model.example)
    costs.parts = replace(costs.parts, fresh=Fresh(model, shares), name=model.name or kinds.get("", ""), kinds=kinds)
    return costs


@dataclass(frozen=True)
class Fresh:
    """The model that a closed form was derived of, and the shares of its parameters: called, one trace at a point."""

    model: Model
    shares: Any

    def __call__(self, point: Mapping[str, int]) -> CostTable:
        """The program at one point, traced anew: every number of it is plain, but for loops of unknown length."""
        model = self.model
        there = replace(model, fixed={**model.fixed, **{name: point[name] for name in model.symbols}})
        made = derive(there, Options(referee=False), lambda count: None, shares_at(self.shares, point))
        return made.subs(**{name: point[name] for name in made.symbols})
