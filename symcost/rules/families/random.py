"""Random bits: Threefry-2x32 with its 20 rounds, and the hardware generator behind ``rbg`` keys.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A
block turns two 32-bit counters into two 32-bit words under a key of two words. One round is an addition, a
rotation (two shifts and an or) and an exclusive or: 5 operations. Two additions inject the key first; after
every 4 rounds three more inject the key and the group's number. In total ``2 + 5 (4 * 5 + 3) = 117``
operations per block.

XLA keeps the 5 groups of 4 rounds in a loop and counts its body once: ``2 + 4 * 5 + 3 = 25`` per block, and 9
for the loop's own counters. Counts are those of jax's default settings (partitionable Threefry, 32-bit
types).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from symcost.errors import RuleError
from symcost.rules.base import Array, Facts, Op, Size, Work, is_one, rule

ROUNDS_PER_GROUP, GROUPS, ROUND = 4, 5, 5
INJECTED, FIRST = 3, 2
BLOCK = FIRST + GROUPS * (ROUNDS_PER_GROUP * ROUND + INJECTED)
BLOCK_UNDER_XLA = FIRST + ROUNDS_PER_GROUP * ROUND + INJECTED
KEY_SCHEDULE = 2
"""Per key: the third key word is the exclusive or of the two and a constant."""
LOOP = 9
SEED = {"uint32": 1, "int32": 3}
"""Operations that split a seed in two words, by its type."""


def _threefry(blocks: Size, keys: Size, more: Size = 0) -> tuple[Size, Size]:
    """``(all rounds, as XLA reports)`` for blocks under keys, with ``more`` operations around."""
    around = KEY_SCHEDULE * keys + more
    return BLOCK * blocks + around, BLOCK_UNDER_XLA * blocks + LOOP + around


def _integer(counts: tuple[Size, Size]) -> Work:
    return Work(int_ops=counts[0], xla_flops=counts[1])


def _keys_of(dtype: str) -> str:
    """Name of a key type's generator.

    >>> _keys_of("key<fry>")
    'fry'
    """
    generator = dtype.removeprefix("key<").removesuffix(">")
    if generator not in ("fry", "rbg"):
        raise RuleError(f"random keys of type {dtype} have no rule: symcost counts key<fry> and key<rbg>")
    return generator


def _draw_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    return Facts(static=(len(tuple(params["shape"])), params.get("bit_width", 32)))


def _counters(op: Op) -> Size:
    """Operations that number the blocks: a sum over dimensions, split in two words, ``(2 dims + 1) #``.

    Dimensions of length 1 need no counter; where all are, two operations remain.
    """
    rank, _ = op.facts.static
    if not rank:
        return 0
    shape = op.out.shape[len(op.ins[0].shape) :]
    units = [is_one(size) for size in shape]
    counted: Size = len(shape)
    for unit in units:
        counted = counted - unit
    return (2 * counted + 1) * prod(shape) + prod(units)


@rule("threefry2x32")
def threefry2x32(op: Op) -> Work:
    """``117 #out + 2 #keys`` integer operations; XLA: ``25 #out + 2 #keys + 9``."""
    return _integer(_threefry(op.out.size, op.ins[0].size))


@rule("random_bits", extract=_draw_facts)
def random_bits(op: Op) -> Work:
    """Threefry: ``(117 + 1) #out + 2 #keys`` plus the counters; one more per word under 32 bits.

    The two words of a block are folded by an exclusive or (64 bits join them, with 4 operations). ``rbg``
    keys call the generator once: see :func:`rng_bit_generator`.
    """
    keys = op.ins[0]
    width = op.facts.static[1]
    if _keys_of(keys.dtype) == "rbg":
        if keys.shape:
            raise RuleError("random_bits of several rbg keys at once has no rule: draw from one key")
        return Work(int_ops=op.out.size + 2, xla_flops=2, xla_transcendentals=op.out.size + 2)
    joined = {32: 1, 64: 4}.get(width, 2)
    return _integer(_threefry(op.out.size, keys.size, joined * op.out.size + _counters(op)))


def _streams(keys: Array) -> int:
    """Threefry keys in one key: an ``rbg`` key is two of them."""
    return 2 if _keys_of(keys.dtype) == "rbg" else 1


@rule("random_split", extract=_draw_facts)
def random_split(op: Op) -> Work:
    """One Threefry block per new key and stream (``rbg`` keys have two), plus the counters."""
    keys, streams = op.ins[0], _streams(op.ins[0])
    return _integer(_threefry(streams * op.out.size, streams * keys.size, _counters(op)))


@rule("random_fold_in")
def random_fold_in(op: Op) -> Work:
    """One Threefry block per key and stream, plus the seed's two words."""
    keys, streams = op.ins[0], _streams(op.ins[0])
    seeding = SEED["uint32"] * op.ins[1].size
    return _integer(_threefry(streams * op.out.size, streams * keys.size, seeding))


@rule("random_seed")
def random_seed(op: Op) -> Work:
    """``3`` integer operations per seed (shift, mask, conversion), ``1`` for an unsigned one."""
    seeds = op.ins[0]
    if seeds.dtype not in SEED:
        raise RuleError(f"a seed of type {seeds.dtype} has no rule: use int32 or uint32")
    return Work(int_ops=SEED[seeds.dtype] * seeds.size)


@rule("rng_bit_generator")
def rng_bit_generator(op: Op) -> Work:
    """``#bits + 2`` integer operations, one per word and state word; XLA calls them transcendentals.

    XLA also counts the 6 reinterpretations of a 128-bit state as two 64-bit words and back.
    """
    words = op.outs[-1].size + 2
    return Work(int_ops=words, xla_flops=6, xla_transcendentals=words)


@rule("rng_uniform")
def rng_uniform(op: Op) -> Work:
    """``#out`` transcendentals, as XLA counts its generator."""
    return Work(transcendentals=op.out.size)
