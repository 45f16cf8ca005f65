"""Published networks for microcontrollers, as MCUNet's authors measured them, against closed forms at int8.

Configurations and figures: github.com/mit-han-lab/tinyml, commit e899b1b, mcunet/README.md and mcunet/assets/configs
(Lin et al.: MCUNet, arXiv:2007.10319). Their kB are 1024 bytes.

    python examples/tinyml.py
"""

from __future__ import annotations

from dataclasses import dataclass

import symcost as sc
from symcost.models.catalog import reference
from symcost.models.nets.blocks import conv_norm, depthwise_norm


@dataclass(frozen=True)
class Published:
    """What was published of one network.

    ``activations``, ``sram`` and ``flash`` in KiB: the tensors alone, and both memories under TinyEngine.
    """

    name: str
    r: int
    net: sc.Layer
    macs: str
    params: str
    activations: int
    sram: int
    flash: int

    @property
    def image(self) -> tuple[int, int, int, int]:
        """Shape of the input."""
        return 1, 3, self.r, self.r


def narrow(stem: int, head: int, blocks: str) -> sc.Sequential:
    """A network narrower than its authors made it: channels of the stem and before the classifier, and its blocks.

    A block is ``kernel,hidden,out,stride`` with ``+`` where the input goes around it; no hidden channels, no expansion.
    """
    act = sc.ReLU6()
    parts: dict[str, sc.Layer] = {"stem": conv_norm(stem, 3, act, s=2)}
    for index, text in enumerate(blocks.split()):
        k, hidden, c_o, s = map(int, text.rstrip("+").split(","))
        expand = {"expand": conv_norm(hidden, 1, act)} if hidden else {}
        body = sc.Sequential(**expand, depthwise=depthwise_norm(k, act, s=s), project=conv_norm(c_o, 1))
        parts[f"block_{index}"] = sc.Residual(body) if text.endswith("+") else body
    return sc.Sequential(**parts, head=conv_norm(head, 1, act), gap=sc.GlobalAvgPool(), fc=sc.Linear(1000))


def searched(index: int) -> sc.Layer:
    """One of MCUNet's own networks."""
    return reference(f"mcunet_in{index}").net()


MBV2 = ("3,0,8,1 3,48,8,2 3,48,8,1+ 3,48,16,2 3,96,16,1+ 3,96,16,1+ 3,96,24,2 3,144,24,1+ 3,144,24,1+ 3,144,24,1+ "
        "3,144,32,1 3,192,32,1+ 3,192,32,1+ ")  # fmt: skip
PUBLISHED = (
    Published("mbv2-w0.3-r80", 80, narrow(16, 384, MBV2 + "3,192,48,2 3,288,48,1+ 3,288,48,1+ 3,288,96,1"),
              "7.3M", "0.63M", 94, 98, 745),
    Published("mbv2-w0.35-r144", 144, narrow(16, 448, MBV2 + "3,192,56,2 3,336,56,1+ 3,336,56,1+ 3,336,112,1"),
              "23.5M", "0.75M", 303, 308, 862),
    Published("proxyless-w0.25-r112", 112, narrow(8, 320,
              "3,0,8,1 5,24,8,2 3,24,8,1+ 7,24,16,2 3,48,16,1+ 5,48,16,1+ 5,48,16,1+ 7,96,24,2 5,72,24,1+ 5,72,24,1+ "
              "5,72,24,1+ 5,144,24,1 5,72,24,1+ 5,72,24,1+ 5,72,24,1+ 7,144,48,2 7,288,48,1+ 7,144,48,1+ 7,144,48,1+ "
              "7,288,80,1"), "10.7M", "0.57M", 98, 114, 701),
    Published("proxyless-w0.3-r176", 176, narrow(16, 384,
              "3,0,8,1 5,24,16,2 3,48,16,1+ 7,48,16,2 3,48,16,1+ 5,48,16,1+ 5,48,16,1+ 7,96,24,2 5,72,24,1+ 5,72,24,1+ "
              "5,72,24,1+ 5,144,32,1 5,96,32,1+ 5,96,32,1+ 5,96,32,1+ 7,192,64,2 7,384,64,1+ 7,192,64,1+ 7,192,64,1+ "
              "7,384,96,1"), "38.3M", "0.75M", 242, 292, 892),
    Published("mcunet-10fps", 48, searched(0), "6.4M", "0.7M", 45, 54, 889),
    Published("mcunet-5fps", 96, searched(1), "12.8M", "0.6M", 90, 107, 770),
    Published("mcunet-256kb", 160, searched(2), "67.3M", "0.73M", 325, 242, 878),
    Published("mcunet-320kb", 176, searched(3), "81.8M", "0.74M", 333, 293, 897),
    Published("mcunet-512kb", 160, searched(4), "125.9M", "1.7M", 413, 456, 1876),
)  # fmt: skip


@dataclass(frozen=True)
class Ours:
    """The same figures from closed forms, in bytes at int8; ``in_place`` with depthwise results over their inputs."""

    macs: int
    params: int
    activations: int
    in_place: int


def ours(published: Published) -> Ours:
    """One network, computed."""
    net = published.net
    table = sc.table(net, published.image)
    in_place = sc.patched(net, published.image, "stem", 1, depthwise_in_place=True).whole_peak
    return Ours(table.total("textbook").macs, table.params, sc.memory(table, "int8").activations, in_place)


def main() -> None:
    """One line per network, and what explains the differences."""
    print(f"{'':22}{'MACs':>16}{'parameters':>18}{'activations, KiB':>20}{'SRAM, KiB':>24}{'flash, KiB':>22}")
    for each in PUBLISHED:
        found = ours(each)
        print(
            f"{each.name:22}{each.macs:>8}{found.macs / 1e6:>7.1f}M{each.params:>9}{found.params / 1e6:>8.2f}M"
            f"{each.activations:>10}{found.activations / 1024:>10.2f}{each.sram:>12}{found.in_place / 1024:>12.1f}"
            f"{each.flash:>12}{found.params / 1024:>10.1f}"
        )
    print("\neach pair: published, ours. Activations are the largest set of tensors alive at once, one byte each.")
    print("SRAM is what TinyEngine allocates: with depthwise convolutions in place (ours) and its own buffers beside")
    print("(8 to 56 KiB: patches unrolled for the matrix product, kernels). Flash holds the weights (ours) and beside")
    print("them the code, the 32-bit biases and the scales of every channel.")


if __name__ == "__main__":
    main()
