"""MCUNet's five networks for ImageNet, as its authors searched them: inverted bottlenecks with kernels of 3, 5 and 7.

Lin et al.: MCUNet: Tiny Deep Learning on IoT Devices, arXiv:2007.10319; configurations and figures of
github.com/mit-han-lab/tinyml, commit e899b1b, mcunet/assets/configs, and github.com/mit-han-lab/mcunet, model zoo.
"""

from __future__ import annotations

from functools import partial

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU6
from symcost.layers.kinds.combine import Sequential
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.pool import GlobalAvgPool
from symcost.layers.sizes.algebra import Size
from symcost.models.nets.blocks import conv_norm
from symcost.models.nets.mobilenet import inverted

Block = tuple[int, int, int, int]
"""Expansion, kernel, channels and stride."""
IN0: tuple[Block, ...] = (
    (1, 3, 16, 1), (4, 5, 16, 2), (3, 3, 16, 1), (4, 3, 16, 1), (5, 7, 24, 2), (4, 5, 24, 1), (5, 5, 24, 1),
    (5, 7, 48, 2), (4, 5, 48, 1), (5, 3, 56, 1), (4, 5, 56, 1), (5, 3, 56, 1), (6, 3, 112, 2), (4, 5, 112, 1),
    (6, 3, 192, 1),
)  # fmt: skip
IN1: tuple[Block, ...] = (
    (1, 3, 8, 1), (4, 3, 16, 2), (3, 3, 16, 1), (3, 7, 24, 2), (5, 3, 24, 1), (5, 3, 40, 2), (4, 7, 40, 1),
    (4, 5, 48, 1), (3, 3, 48, 1), (4, 3, 48, 1), (5, 7, 96, 2), (4, 5, 96, 1), (4, 5, 96, 1), (6, 3, 160, 1),
)  # fmt: skip
IN2: tuple[Block, ...] = (
    (1, 3, 8, 1), (3, 5, 16, 2), (6, 7, 16, 1), (5, 3, 16, 1), (5, 5, 16, 1), (5, 3, 24, 2), (6, 7, 24, 1),
    (6, 5, 24, 1), (4, 7, 40, 2), (5, 5, 40, 1), (5, 3, 48, 1), (5, 5, 48, 1), (4, 3, 48, 1), (6, 5, 96, 2),
    (4, 5, 96, 1), (3, 5, 96, 1), (4, 3, 96, 1), (5, 5, 160, 1),
)  # fmt: skip
IN3: tuple[Block, ...] = (
    (1, 3, 8, 1), (3, 7, 16, 2), (5, 3, 16, 1), (5, 7, 16, 1), (4, 5, 16, 1), (5, 5, 24, 2), (5, 5, 24, 1),
    (5, 5, 24, 1), (5, 3, 40, 2), (6, 7, 40, 1), (4, 5, 40, 1), (5, 5, 48, 1), (5, 7, 48, 1), (5, 3, 48, 1),
    (6, 3, 96, 2), (5, 7, 96, 1), (4, 3, 96, 1), (5, 7, 160, 1),
)  # fmt: skip
IN4: tuple[Block, ...] = (
    (1, 3, 16, 1), (3, 7, 24, 2), (5, 3, 24, 1), (4, 5, 24, 1), (5, 7, 40, 2), (4, 3, 40, 1), (4, 7, 40, 1),
    (3, 7, 80, 2), (3, 3, 80, 1), (3, 7, 80, 1), (4, 3, 96, 1), (3, 5, 96, 1), (3, 5, 96, 1), (4, 7, 192, 2),
    (3, 7, 192, 1), (3, 5, 192, 1), (4, 5, 320, 1),
)  # fmt: skip


def _mcunet(c: int, blocks: tuple[Block, ...], classes: Size = 1000) -> Sequential:
    parts: dict[str, Layer] = {"stem": conv_norm(c, 3, ReLU6(), s=2)}
    for index, (t, k, c_o, s) in enumerate(blocks, 1):
        parts[f"block_{index}"] = inverted(c, c_o, t, s, k)
        c = c_o
    return Sequential(**parts, gap=GlobalAvgPool(), fc=Linear(classes))


mcunet_in0 = partial(_mcunet, 24, IN0)
"""10 images a second on an STM32F746, resolution 48: 0.75 million parameters, 6.4 million MACs."""
mcunet_in1 = partial(_mcunet, 16, IN1)
"""5 images a second on an STM32F746, resolution 96: 0.64 million parameters, 12.8 million MACs."""
mcunet_in2 = partial(_mcunet, 16, IN2)
"""For 256 KB of memory and 1 MB of flash, resolution 160: 0.73 million parameters, 67.3 million MACs."""
mcunet_in3 = partial(_mcunet, 16, IN3)
"""For 320 KB of memory and 1 MB of flash, resolution 176: 0.74 million parameters, 81.8 million MACs."""
mcunet_in4 = partial(_mcunet, 32, IN4)
"""For 512 KB of memory and 2 MB of flash, resolution 160: 1.73 million parameters, 125.9 million MACs."""
