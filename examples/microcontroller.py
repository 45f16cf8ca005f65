"""MobileNetV2 for a microcontroller: every width, resolution, expansion and depth of its six stages.

The network as Sandler et al. (arXiv:1801.04381) have it, in symbols: ``w`` is the width multiplier in twentieths, ``r`` the
resolution, ``e`` the expansion of the blocks, ``L1`` to ``L6`` the blocks of each stage. Channels follow the multiplier
as ``make_divisible`` has it: to the nearest multiple of 8, and one more where that would lose over 10 %.
"""

from __future__ import annotations

import symcost as sc

CHANNELS = (32, 16, 24, 32, 64, 96, 160, 320)
"""Of the stem and of the seven stages at width 1."""
STRIDES = (1, 2, 2, 2, 1, 2, 1)
HEAD = 1280


def divisible(channels: int) -> str:
    """``make_divisible(channels * w / 20)`` in integers.

    >>> [sc.evaluate(sc.parse(divisible(32)), {"w": w}) for w in (7, 10, 20, 28)]
    [16, 16, 32, 48]
    """
    nearest = f"Max(8, 8*floor({channels}*w/160 + 1/2))"
    return f"{nearest} + 8*Min(1, Max(0, 9*{channels}*w - 200*{nearest}))"


def channels() -> dict[str, str]:
    """Every symbol for channels as a formula of the width; the head is never narrowed."""
    return {**{f"c{i}": divisible(c) for i, c in enumerate(CHANNELS)}, "c8": f"8*floor({HEAD}*Max(w, 20)/160 + 1/2)"}


def convolution(c_o: object, k: int, s: int = 1) -> sc.Layer:
    """Convolution, norm and activation."""
    return sc.Sequential(sc.Conv2d(c_o=c_o, k=k, s=s, p=k // 2, bias=False), sc.BatchNorm(), sc.ReLU6())


def block(c_i: object, c_o: object, expansion: object, s: int) -> sc.Sequential:
    """An inverted bottleneck, without the way around it."""
    depthwise = sc.Sequential(sc.DepthwiseConv2d(k=3, s=s, p=1, bias=False), sc.BatchNorm(), sc.ReLU6())
    project = sc.Sequential(sc.Conv2d(c_o=c_o, k=1, bias=False), sc.BatchNorm())
    if expansion == 1:
        return sc.Sequential(depthwise=depthwise, project=project)
    return sc.Sequential(expand=convolution(c_i * expansion, 1), depthwise=depthwise, project=project)


def network() -> sc.CostTable:
    """The costs in batch ``n``, ``C`` classes, ``r``, ``e``, ``L1`` to ``L6`` and the channels ``c0`` to ``c8``."""
    n, r, e, C = sc.symbols("n r e C")
    c = sc.symbols(" ".join(channels()))
    layers = {"stem": convolution(c[0], 3, s=2), "stage_0": block(c[0], c[1], 1, 1)}
    for i in range(1, 7):
        (depth,) = sc.symbols(f"L{i}")
        layers[f"stage_{i}"] = block(c[i], c[i + 1], e, STRIDES[i])
        layers[f"stage_{i}_more"] = sc.Repeat(sc.Residual(block(c[i + 1], c[i + 1], e, 1)), depth - 1)
    return sc.table(
        sc.Sequential(**layers, head=convolution(c[8], 1), gap=sc.GlobalAvgPool(), fc=sc.Linear(C)), (n, 3, r, r)
    )


def main() -> None:
    """The published network, and the largest of its depths under a microcontroller's limits, by width."""
    costs, depths = network(), {f"L{i}": range(1, 9) for i in range(1, 7)}
    published = {f"L{i}": depth for i, depth in enumerate((2, 3, 4, 3, 3, 1), 1)}
    print(sc.sweep(costs, sc.Space(n=1, C=1000, w=20, r=224, e=6, **published), define=channels()))
    space = sc.Space(n=1, C=2, w=[5, 10, 15], r=[96, 128], e=[2, 4, 6], **depths)
    limits = ["peak_textbook <= 320_000", "params <= 1_000_000", "macs <= 300_000_000"]
    print()
    print(
        sc.sweep(
            costs, space, limits, maximize="macs", top=3, define=channels(), show=("params", "macs", "peak_textbook")
        )
    )


if __name__ == "__main__":
    main()
