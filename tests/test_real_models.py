"""Models that others published, lifted and certified; totals of ResNet-50 against torchvision's published figures."""

from __future__ import annotations

import flaxmodels
import pytest
from effort import needs
from zoo.published import CASES, PACKAGES

from symcost.tracing.face import trace

ROWS = {case.name: case for case in CASES if case.name != "ResNet-50"}  # which has a test of its own


# The published TNT uses a layer that flax calls deprecated: its warning is about that package, not about symcost.
@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore:SelfAttention will be deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", [pytest.param(n, marks=needs(PACKAGES[n], f"the row {n}")) for n in ROWS])
def test_the_closed_form_equals_a_fresh_trace_at_a_point_of_our_own(name: str) -> None:
    factory, (spec,), point, call = ROWS[name].factory, ROWS[name].specs, ROWS[name].real, ROWS[name].call
    costs = trace(factory, spec, call=call)
    assert costs.certificate.held_out
    assert not costs.withdrawn
    fixed = spec
    for symbol, value in point.items():
        fixed = fixed.replace("*" + symbol, f"*{value}") if "*" + symbol in fixed else fixed
        fixed = fixed.replace(f"[{symbol},", f"[{value},").replace(f",{symbol}", f",{value}")
    own = {symbol: point[symbol] for symbol in point if symbol in factory.__code__.co_varnames}
    concrete = trace(lambda: factory(**own), fixed, call=call)
    for convention in ("textbook", "full", "xla"):
        assert costs.subs(**point).total(convention) == concrete.total(convention)


@pytest.mark.campaign  # every run traces it once, for the README's first command
def test_resnet_50_in_batch_resolution_and_classes_gives_the_published_counts() -> None:
    # torchvision 0.29.2, ResNet50 weights metadata: 25,557,032 parameters, 4.089 GMACs at 1x3x224x224.
    costs = trace(
        lambda classes: flaxmodels.ResNet50(output="logits", pretrained=None, num_classes=classes),
        "float32[n,r,r,3]",
        call={"train": False},
    )
    at = costs.subs(n=1, r=224, classes=1000)
    assert at.params == 25_557_032
    assert at.macs == 4_089_184_256
