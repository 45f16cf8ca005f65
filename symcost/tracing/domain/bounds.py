"""Certification and the edges of the domain: where does the closed form still equal a fresh trace?"""

from __future__ import annotations

from symcost.errors import LiftError
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.domain.further import Further
from symcost.tracing.domain.high import HighEdge
from symcost.tracing.domain.low import LowEdge
from symcost.tracing.domain.multiples import Multiples
from symcost.tracing.domain.round_sizes import RoundSizes
from symcost.tracing.domain.special import Special
from symcost.tracing.domain.spread import Spread
from symcost.tracing.domain.together import both_moved
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import Point
from symcost.tracing.sampling.signals import Irregular


def certify(explorer: Explorer) -> list[Point]:
    """Check a far joint point above and one below, narrowing the domain until both agree; the held-out points."""
    if not explorer.base:
        explorer.require({})
        explorer.witness.offer({})
        return []
    if not explorer.proved:
        Multiples(explorer).check()
    HighEdge(explorer).find()
    _together(explorer)
    Further(explorer, explorer.upto, explorer.far).check()
    if explorer.rounded:
        Spread(explorer, explorer.rounded).check()
    if not explorer.proved:
        RoundSizes(explorer).check()
    LowEdge(explorer).find()
    if explorer.patterned:
        explorer.shallow()
    if not explorer.proved:
        Special(explorer).check(explorer.widths, explorer.constants)
    Special(explorer).check_numbers(explorer.sizes())
    fresh = [p for p in explorer.held_out if p not in explorer.sampled]
    if not fresh:
        raise LiftError(
            f"no held-out point inside the domain could be traced ({explorer.domain}): give samples={{...}}"
        )
    return fresh


def _together(explorer: Explorer) -> None:
    """Compare the form where two depths are moved at once that one rounding or clamp has."""
    for point in both_moved(explorer.totals.forms.values(), explorer.structural, explorer.base):
        inside = explorer.domain.problem(point) is None and explorer.sampler.works(point)
        if inside and (reason := explorer.difference(point)):
            raise Irregular(f"the closed form is not right at {where(point)}: {reason}")
