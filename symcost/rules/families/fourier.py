"""The Fourier transform, a kernel of a library that XLA costs itself."""

from __future__ import annotations

from math import prod

from symcost.rules.base import Op, Work, log2_floor, rule, sizes


@rule("fft", extract=sizes(lengths="fft_lengths"))
def fft(op: Op) -> Work:
    """``5 # sum(floor(log2 L))`` FLOPs, ``#`` the complex side; XLA: ``8 #in prod(floor(log2 L))``.

    The radix-2 convention of the FFT literature: ten real operations per butterfly of two points. A real
    transform costs the complex one of its half spectrum.
    """
    stages = [log2_floor(length) for length in op.facts.sizes["lengths"]]
    side = op.ins[0] if "complex" in op.ins[0].dtype else op.out
    return Work(flops=5 * side.size * sum(stages), xla_flops=8 * op.ins[0].size * prod(stages), materialises=True)
