"""A training plan for TPUs: how many chips hold the state of a GPT, and the days that its tokens take.

With Adam in mixed precision a parameter has 16 bytes of state (Rajbhandari et al., ZeRO, arXiv:1910.02054, section 3.1), here
divided over the chips; the other half of each memory is left to activations. A step is three forward passes, and 20 tokens
a parameter are seen (Hoffmann et al., arXiv:2203.15556).

    python examples/tpu_plan.py
"""

from __future__ import annotations

from fractions import Fraction

import symcost as sc

STATE, TOKENS, PASSES = 16, 20, 3
UTILISATION = Fraction(2, 5)
"""Share of the peak that training reaches: an assumption, which ``sc.mfu`` replaces by a measurement."""
SIZES = {"gpt2-medium": dict(d=1024, H=16, L=24), "gpt2-xl": dict(d=1600, H=25, L=48), "6.7B": dict(d=4096, H=32, L=32)}
DAY = 24 * 60 * 60


def plan(size: str, chip: str) -> tuple[int, int, Fraction]:
    """Parameters, chips in powers of two, and days, all exact."""
    device = sc.device(chip)
    net = sc.models.gpt2(**SIZES[size])
    (memory,) = device.memories
    chips = 1
    while 2 * STATE * net.params > chips * memory.size:
        chips *= 2
    flops = PASSES * TOKENS * net.params * Fraction(net.total("textbook").flops, 1024)
    return net.params, chips, flops / (UTILISATION * chips * device.peak["bfloat16"] * DAY)


def main() -> None:
    """A line for each size on each chip."""
    for size in SIZES:
        for chip in ("google-tpu-v5e", "google-tpu-v6e"):
            params, chips, days = plan(size, chip)
            print(f"{size:>11} on {chips:>2} x {chip}: {params:>13,} parameters, {float(days):8.1f} days")


if __name__ == "__main__":
    main()
