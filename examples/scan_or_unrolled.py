"""One transformer written twice, with a Python loop and with ``nn.scan``: the same work, and who counts it.

XLA's own analysis and flax's ``tabulate`` count the body of a scan once, whatever its length. The closed form says
L times, because that is what the program runs; under the convention ``xla`` it agrees with XLA in both. (XLA counts in
float32, exact below 2**24; the sizes here stay below.)
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

import symcost as sc


class Block(nn.Module):
    """A pre-norm transformer block, in the form that ``nn.scan`` asks for: carry in, (carry, nothing) out."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array, _: None = None) -> tuple[jax.Array, None]:
        x = x + nn.MultiHeadDotProductAttention(num_heads=4, name="attention")(nn.LayerNorm()(x))
        h = nn.gelu(nn.Dense(4 * self.d, name="up")(nn.LayerNorm()(x)))
        return x + nn.Dense(self.d, name="down")(h), None


class Unrolled(nn.Module):
    """L blocks in a Python loop."""

    d: int
    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for index in range(self.L):
            x, _ = Block(self.d, name=f"block_{index}")(x)
        return x


class Scanned(nn.Module):
    """L blocks in one ``nn.scan``, parameters stacked."""

    d: int
    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        scan = nn.scan(Block, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.L)
        return scan(self.d, name="blocks")(x, None)[0]


def flops_by_xla(module: nn.Module, x: jax.Array) -> int:
    """What XLA's analysis of the program before optimisation says."""
    variables = jax.eval_shape(module.init, jax.random.key(0), x)
    return int(jax.jit(module.apply).lower(variables, x).cost_analysis()["flops"])


def flops_by_flax(module: nn.Module, x: jax.Array) -> str:
    """What flax's table says in its column ``flops`` of the whole model."""
    table = module.tabulate(jax.random.key(0), x, compute_flops=True, depth=0, console_kwargs={"width": 240})
    row = next(line for line in table.splitlines() if type(module).__name__ in line and "│" in line)
    return row.split("│")[5].strip()


def main(d: int = 32, L: int = 6) -> dict[str, tuple[int, int, int, str]]:
    """(MACs, FLOPs under xla, FLOPs by XLA, FLOPs by flax) of both models at a point."""
    x = jnp.zeros((1, 64, d))
    found = {}
    for model in (Unrolled, Scanned):
        at = sc.trace(model, "float32[n,N,d]").subs(n=1, N=64, d=d, L=L)
        theirs = flops_by_xla(model(d, L), x), flops_by_flax(model(d, L), x)
        found[model.__name__] = at.macs, at.total("xla").flops, *theirs
    return found


def verdicts(*targets: str, d: int = 32, L: int = 6) -> dict[str, sc.Verdict]:
    """What the compilers make of both models, and what every counter says: corrected, they differ by 2 L operations.

    A trip of a compiled loop adds to its counter and compares it: that is all.
    """
    at = dict(n=1, N=64, d=d, L=L)
    return {
        model.__name__: sc.verify(model, "float32[n,N,d]", at=at, targets=targets, against=("flax", "roofline", "xla"))
        for model in (Unrolled, Scanned)
    }


if __name__ == "__main__":
    print(f"{'':10}{'MACs':>14}{'FLOPs (xla)':>14}{'cost_analysis':>16}{'tabulate':>12}")
    for name, (macs, flops, xla, flax) in main().items():
        print(f"{name:10}{macs:14,}{flops:14,}{xla:16,}{flax:>12}")
    for name, verdict in verdicts("cpu").items():
        print(f"\n{name}: {verdict}")
