"""What only kernels do: read and write blocks, copy and wait, ask for their place, update atomically."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from symcost.rules.base import Array, Facts, Op, Size, Work, add, rule
from symcost.rules.families.elementwise import combined, counted
from symcost.rules.families.layout import free

BLOCKS = (
    "broadcast_to",
    "create_linear",
    "empty_ref",
    "free_ref",
    "freeze",
    "get",
    "get_global",
    "load",
    "masked_load",
    "masked_swap",
    "mgpu_atomic_store",
    "new_ref",
    "pin",
    "remove_memory_space",
    "store",
    "swap",
    "unpin",
    "with_memory_space_constraint",
)
"""Reading, writing and making an array that changes (a kernel's block)."""

COPIES = (
    "async_copy_scales_to_tmem",
    "async_copy_smem_to_tmem",
    "async_copy_sparse_metadata_to_tmem",
    "async_load",
    "async_prefetch",
    "async_store_smem",
    "async_store_tmem",
    "bitcast",
    "copy_gmem_to_smem",
    "copy_smem_to_gmem",
    "dma_start",
    "dma_wait",
    "layout_cast",
    "roll",
    "wgmma_accumulator_deref",
    "wgmma_accumulator_deref_p",
    "wgmma_accumulator_store",
    "wgmma_accumulator_store_p",
)
"""Copies between the memories of an accelerator, and within a register."""

WAITS = (
    "add_dependency",
    "barrier_arrive",
    "barrier_arrive_and_wait",
    "barrier_test",
    "barrier_wait",
    "commit_group",
    "commit_smem",
    "commit_tmem",
    "debug_barrier",
    "debug_barrier_p",
    "delay",
    "get_barrier_semaphore",
    "griddepcontrol_launch_dependents",
    "griddepcontrol_wait",
    "semaphore_read",
    "semaphore_signal",
    "semaphore_signal_multicast",
    "semaphore_signal_parallel",
    "semaphore_wait",
    "tcgen05_commit_arrive",
    "wait_gmem_to_smem",
    "wait_load_tmem",
    "wait_smem_to_gmem",
    "wgmma_wait",
)
"""Order between parts of a kernel."""

PLACES = (
    "has_memory_space",
    "max_contiguous",
    "multiple_of",
    "num_programs",
    "print_layout",
    "prng_join",
    "prng_seed",
    "prng_split",
    "program_id",
    "query_cluster_cancel",
    "set_max_registers",
    "set_max_registers_p",
    "trace_value",
    "try_cluster_cancel",
)
"""Asking for the place in the grid, promises to the compiler, and states that nothing is computed of."""

for names in (BLOCKS, COPIES, WAITS, PLACES):
    add(names, free)


@rule("atomic_cas", "atomic_rmw", "reciprocal")
def per_result(op: Op) -> Work:
    """``#out`` operations: elements in memory combined or compared with one each; divisions, approximate ones too."""
    return counted(op, op.out.size)


@rule("pack_elementwise", "stochastic_round", "unpack_elementwise")
def conversion(op: Op) -> Work:
    """One conversion for each element of the wider side."""
    return counted(op, len(op.ins) * op.ins[0].size if op.name == "pack_elementwise" else op.out.size)


@rule("prng_random_bits")
def random_words(op: Op) -> Work:
    """One integer operation for each word that the accelerator's generator makes."""
    return Work(int_ops=op.out.size)


@rule("matmul_acc_lhs")
def unit_product(op: Op) -> Work:
    """``macs = 256 #lhs``: rows of 256 meet the 256 columns that a matrix unit holds (``matmul_push_rhs``)."""
    return Work(macs=256 * op.ins[0].size, materialises=True)


add(("matmul_pop", "matmul_push_rhs"), free)


def _view(shape: tuple[Size, ...], transforms: Any) -> tuple[Size, ...]:
    """Shape of the part of a block that an instruction reads: that of its last index; all else keeps the elements."""
    if transforms is not None:
        for transform in transforms.unflatten([0] * transforms.num_leaves):
            if hasattr(transform, "get_indexer_shape"):
                shape = transform.get_indexer_shape()
    return shape


def _product_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    acc, lhs = (
        _view(array.shape, params[f"{name}_transforms_tree"]) for name, array in zip(("acc", "a"), ins, strict=False)
    )
    return Facts(sizes={"mnk": (*acc[-2:], prod(lhs) // acc[-2])})


@rule("wgmma_ref", "tcgen05_mma", extract=_product_facts)
def accumulated_product(op: Op) -> Work:
    """``macs = m n k``: a product of blocks in shared memory is added to one of ``m x n``."""
    return Work(macs=prod(op.facts.sizes["mnk"]), materialises=True)


@rule("addupdate")
def addupdate(op: Op) -> Work:
    """One addition for each element that is added to an array that changes."""
    return combined("add", op, op.ins[1].size)
