"""A phone app: the largest image for which MobileNetV2 runs 30 times a second on one core of a Pixel 4, and what bounds it.

python examples/phone.py
"""

from __future__ import annotations

import symcost as sc

PHONE = "arm-cortex-a76-pixel-4"
FRAME = "latency <= 1/30 and model_size <= 25 MB"
"""What the app allows: one frame of its camera, and its download."""


def main() -> None:
    """One line for each width of the network: the largest resolution, and what it costs there."""
    for width in ("0.5", "1", "1.4"):
        net = sc.models.mobilenet_v2(r="r", width=width)
        found = sc.solve(net, FRAME, largest="r", within=range(32, 1025, 32), on=PHONE, dtype="float32")
        there = net.subs(r=found.value)
        time = sc.latency(there, PHONE, "float32")
        print(f"width {width:>3}: r = {found.value:>3}, {there.macs:>13,} MACs, {sc.model_size(there):>10,} B, "
              f"{float(time.value()) * 1e3:.1f} ms, bound by {time.bound}; {time.assumed}")  # fmt: skip


if __name__ == "__main__":
    main()
