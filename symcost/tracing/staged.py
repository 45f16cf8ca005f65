"""Each depth by itself: where no one form holds for a number of stages, one over the other symbols for each of the first few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symcost.costs.evidence import BOUNDED, Evidence
from symcost.errors import LiftError
from symcost.formulas.form import Form, as_form
from symcost.tracing.beyond import Piece
from symcost.tracing.evidence.guard import guard
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.joined import joined

ALONE = "no one form holds for all depths, and each of these has its own"


def staged(sampler: Sampler, name: str, most: int, derived: Callable[[Sampler], Piece]) -> Piece | None:
    """The forms of the first depths, each derived with the depth as a number, as one in pieces; nothing where few have one.

    ``most`` depths are tried, from the first with which the model works.
    """
    model, pieces = sampler.model, list[tuple[int, Piece]]()
    for depth in range(1, most + 2):
        fixed = replace(model, fixed={**model.fixed, name: depth})
        try:
            pieces.append((depth, derived(Sampler(fixed, sampler.on_trace, sampler.keys, sampler.macs))))
        except LiftError:
            if depth > 1:
                break
        if len(pieces) == most:
            break
    if len(pieces) < 2:
        return None
    last = pieces[-1][0]
    told = Evidence(BOUNDED, f"tried up to {last:,}: {ALONE}", last)
    found: Piece | None = None
    for depth, piece in pieces:
        here = _at(piece, sampler, name, depth, told)
        own = guard(Form.symbol(name), ">=", as_form(depth))
        found = here if found is None or own is None else joined(here, found, own)
        here.domain.at_least |= {name: depth} if found is here and depth > 1 else {}
        here.domain.tried |= {name: depth} if depth == last else {}
    return found


def _at(piece: Piece, sampler: Sampler, name: str, depth: int, told: Evidence) -> Piece:
    """A form that was derived with a depth as a number, as one where the symbol has that value."""
    domain, own, witness = piece.domain, {name: depth}, piece.explorer.witness
    domain.symbols, domain.evidence = (*domain.symbols, name), {**domain.evidence, name: told}
    witness.sampler, witness.point = sampler, None if witness.point is None else {**witness.point, **own}
    fitted, held_out = (
        tuple({**point, **own} for point in points) for points in (piece.certificate.fitted, piece.certificate.held_out)
    )
    return replace(piece, certificate=replace(piece.certificate, fitted=fitted, held_out=held_out))
