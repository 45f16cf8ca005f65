"""Random linen and nnx models: the closed form equals XLA's own count and a concrete trace, exactly, at random points.

``SYMCOST_EXAMPLES=5000`` explores that many fresh examples instead of the fixed ones of every day.
"""

from __future__ import annotations

import jax
import pytest
from effort import EXPLORE, also_campaign, by_turns, examples
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_models import Network
from random_networks import inside, networks, sides

from symcost.costs.cost import CONVENTIONS, METRICS
from symcost.costs.table import CostTable
from symcost.hlo import analyse
from symcost.tracing.face import trace
from symcost.tracing.program.given import make_model
from symcost.tracing.program.spec import array_at, parse_spec

SHARES = {("image", "forward"): 55, ("sequence", "forward"): 60, ("tokens", "forward"): 40, ("volume", "forward"): 45,
          ("image", "train"): 20, ("sequence", "train"): 25, ("tokens", "train"): 10}  # fmt: skip
DAILY = {"forward": 2, "train": 1}
CASES = [
    pytest.param(family, api, mode, id=f"{family}-{api}-{mode}", marks=by_turns(i, j, 2))
    for i, (family, mode) in enumerate(SHARES)
    for j, api in enumerate(("linen", "nnx"))
]
"""Every run takes each kind of model by one of the two, and the campaign both."""


# -- the properties ------------------------------------------------------------------------------------------------
def compare(net: Network, mode: str, lifted: CostTable, point: dict[str, int]) -> None:
    """The closed form against XLA, a concrete trace, and flax's own parameters, at one point."""
    made = make_model(net.factory, (net.spec,), mode=mode)
    program = made.at(point)
    theirs = analyse(jax.jit(program.function).lower(*program.args).compiler_ir("hlo").as_hlo_text())
    ours = lifted.subs(**point)
    xla = ours.total("xla")
    assert (xla.flops, xla.transcendentals) == (theirs.flops, theirs.transcendentals), (
        f"XLA counts otherwise at {point}"
    )
    own = {name: point[name] for name in net.free}
    array = array_at(parse_spec(net.spec), point)
    concrete = trace(lambda: net.factory(**own), f"{array.dtype}[{','.join(map(str, array.shape))}]", mode=mode)
    for convention in CONVENTIONS:
        left, right = ours.total(convention), concrete.total(convention)
        bounds = lifted.domain.bounds_at_one if lifted.domain.has_one(point) else frozenset()
        wrong = [
            f"{m}: form {ours_m}, trace {theirs_m}"
            for m in METRICS
            if (ours_m := getattr(left, m)) != (theirs_m := getattr(right, m))
            and not (m in bounds and ours_m > theirs_m)
        ]
        assert not wrong, f"{convention} at {point}: {'; '.join(wrong)}"
    assert ours.total("full").params == net.parameters(own, array), f"parameters at {point}"


@also_campaign
@pytest.mark.parametrize(("family", "api", "mode"), CASES)
def test_closed_form_of_a_random_model_equals_xla_and_a_concrete_trace(family: str, api: str, mode: str) -> None:
    @settings(
        max_examples=max(1, EXPLORE // len(CASES)) if EXPLORE else examples(DAILY[mode], SHARES[family, mode]),
        derandomize=not EXPLORE,
        database=None,
        deadline=None,  # the first example pays for jax's own start
        suppress_health_check=[HealthCheck.too_slow],  # an example is a lift of some twenty traces
        phases=[Phase.generate],  # shrinking a model of many traces takes longer than reading it
    )
    @given(
        networks(family, api, mode),
        st.lists(st.lists(st.integers(0, 60), min_size=6, max_size=6), min_size=1, max_size=2),
    )
    def holds(net: Network, offsets: list[list[int]]) -> None:
        lifted = trace(net.factory, net.spec, mode=mode)
        # Only a number of heads has a largest value here: that of the width they divide.
        bounded = {name for side in sides(lifted.domain) for name in side.at_most}
        assert not bounded - {"H"}, f"bounded above: {lifted.domain}"
        for numbers in offsets:
            compare(net, mode, lifted, inside(lifted, numbers))

    holds()
