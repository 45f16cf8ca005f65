"""Predicted against measured: reference networks at several sizes, run on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.calibrate.timing import fastest
from symcost.devices import Device
from symcost.estimate.latency import latency
from symcost.layers.base import Layer
from symcost.layers.face import table


@dataclass(frozen=True)
class Compared:
    """One network at one size: seconds predicted and measured."""

    name: str
    size: str
    predicted: Fraction
    measured: Fraction

    @property
    def error(self) -> Fraction:
        """``|predicted - measured| / measured``."""
        return abs(self.predicted - self.measured) / self.measured


def networks() -> Iterator[tuple[str, str, Layer, tuple[int, ...]]]:
    """(name, size, layers, input as the layers take it) of what is compared."""
    from symcost.models.catalog import reference
    from symcost.models.nets.gpt2 import block

    for name in ("resnet18", "mobilenet_v2"):
        for r in (96, 160, 224):
            yield name, f"r={r}", reference(name).net(), (1, 3, r, r)
    for r in (96, 160, 224):
        yield "vit", f"d=192, r={r}", reference("vit").net(d=192, H=3, d_f=768, r_max=r), (1, 3, r, r)
    for tokens in (64, 256, 512):
        yield "gpt block", f"d=512, N={tokens}", block(512, 8), (1, tokens, 512)


def compared(
    on: Device, seconds: float, model: str = "fused", on_network: Callable[[str], None] = lambda said: None
) -> list[Compared]:
    """Every network, predicted by the device and measured here."""
    found = []
    for name, size, net, x in networks():
        on_network(f"{name} {size}")
        predicted = latency(table(net, x), on, "float32", model=model).value()
        found.append(Compared(name, size, predicted, _measured(net, x, seconds)))
    return found


def _measured(net: Layer, x: tuple[int, ...], seconds: float) -> Fraction:
    """Seconds of the network as a Flax module, with parameters of the right shapes."""
    import jax
    import jax.numpy as jnp

    from symcost.twins.base import build

    shape = (x[0], *x[2:], x[1]) if len(x) == 4 else x  # images are channels last there
    module = build(net)
    entering = jnp.ones(shape)
    shapes: Any = jax.eval_shape(module.init, jax.random.key(0), entering)
    variables = jax.tree.map(lambda leaf: jnp.full(leaf.shape, 1e-3, leaf.dtype), shapes)
    return fastest(lambda v, a: module.apply(v, a), variables, entering, seconds=seconds)
