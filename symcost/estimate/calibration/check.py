"""Predicted against measured: reference networks at several sizes, run on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from symcost.devices import Device
from symcost.estimate.calibration.timing import in_rounds, timed
from symcost.estimate.time.latency import latency
from symcost.layers.base import Layer
from symcost.layers.table import table
from symcost.reading.choices import LatencyModel


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
    on: Device, seconds: float, model: LatencyModel = "fused", on_network: Callable[[str], None] = lambda said: None
) -> list[Compared]:
    """Every network, predicted by the device and measured here for ``seconds``."""
    predicted: list[tuple[str, str, Fraction]] = []
    running = []
    for name, size, net, x in networks():
        on_network(f"{name} {size}")
        predicted.append((name, size, latency(table(net, x), on, "float32", model=model).value()))
        running.append(timed(net, x))
    in_rounds(running, seconds, on_network)
    return [Compared(*each, run.seconds) for each, run in zip(predicted, running, strict=True)]
