"""What a compiler changes of a program's collectives, named from both texts; what they do not show has no name."""

from __future__ import annotations

import pytest

from symcost.hlo import parse
from symcost.hlo.explaining.arrays import arrays, totals
from symcost.hlo.explaining.exchange import (
    ADDED,
    BEFORE,
    COLUMN,
    FIRST,
    JOINED,
    PADDED,
    RING,
    SCALED,
    SCATTERED,
    WHOLE,
    Explained,
    explained,
)
from symcost.hlo.explaining.sorts import of_sorts, written_as_sorts

MESH = {"data": 4, "model": 2}
DATA, MODEL = "replica_groups=[2,4]<=[4,2]T(1,0)", "replica_groups=[4,2]<=[8]"
SUM = "sum {\n  a = f32[] parameter(0)\n  b = f32[] parameter(1)\n  ROOT c = f32[] add(a, b)\n}\n"
STEP = "source_target_pairs={{0,2},{2,4},{4,6},{6,0},{1,3},{3,5},{5,7},{7,1}}"


def named(op: str) -> str:
    return f'metadata={{op_name="jit(f)/{op}/dot_general"}}'


def program(*lines: str, before: str = "") -> str:
    body = "\n".join(f"  {line}" for line in ("x = f32[8,4]{1,0} parameter(0)", "z = f32[] constant(0)", *lines))
    return f"HloModule m\n{SUM}{before}ENTRY main {{\n{body}\n}}"


def compared(written: str, compiled: str) -> Explained:
    """The changes, which lead from the bytes of the one to those of the other where nothing is left over."""
    ours, theirs = parse(written), parse(compiled)
    found = explained(ours, theirs, MESH)
    said = totals(arrays(ours, MESH))
    for change in found.changes:
        said[change.kind, change.axes] = said.get((change.kind, change.axes), 0) + change.bytes
    if not (found.lost or found.new):
        assert {along: size for along, size in said.items() if size} == totals(arrays(theirs, MESH))
    return found


TWO = program(
    f"p = f32[8,4]{{1,0}} sine(x), {named('k')}", f"q = f32[8,4]{{1,0}} cosine(x), {named('q')}",
    f"a = f32[8,4]{{1,0}} all-reduce(p), {MODEL}, to_apply=sum, {named('k')}",
    f"b = f32[8,4]{{1,0}} all-reduce(q), {MODEL}, to_apply=sum, {named('q')}", "ROOT c = f32[8,4]{1,0} add(a, b)",
)  # fmt: skip
REDUCED = program(f"ROOT a = f32[8,4]{{1,0}} all-reduce(x), {DATA}, to_apply=sum, {named('k')}")
GATHERED = program(f"ROOT a = f32[32,4]{{1,0}} all-gather(x), {DATA}, dimensions={{0}}, {named('k')}")
WHOLE_SUM = "s = f32[] reduce(a, z), dimensions={0,1}, to_apply=sum"
SUMMED_AFTER = program(f"a = f32[8,4]{{1,0}} all-reduce(x), {MODEL}, to_apply=sum, {named('k')}", f"ROOT {WHOLE_SUM}")
SUMMED_TWICE = program(f"a = f32[8,4]{{1,0}} all-reduce(x), {MODEL}, to_apply=sum, {named('k')}", WHOLE_SUM,
                       f"ROOT r = f32[] all-reduce(s), {DATA}, to_apply=sum, {named('loss')}")  # fmt: skip
NOT_ALONE = program(f"a = f32[8,4]{{1,0}} all-reduce(x), {MODEL}, to_apply=sum, {named('k')}", WHOLE_SUM,
                    "b = f32[8,4]{1,0} negate(a)", "ROOT t = (f32[], f32[8,4]{1,0}) tuple(s, b)")  # fmt: skip
PARTIAL = program("p = f32[4]{0} reduce(x, z), dimensions={0}, to_apply=sum",
                  f"ROOT a = f32[4]{{0}} all-reduce(p), {MODEL}, to_apply=sum, {named('k')}")  # fmt: skip
AT_ONCE = program("s = f32[] reduce(x, z), dimensions={0,1}, to_apply=sum",
                  f"ROOT r = f32[] all-reduce(s), replica_groups=[1,8]<=[8], to_apply=sum, {named('loss')}")  # fmt: skip
ONE_SUM = f"a = f32[8,4]{{1,0}} all-reduce(x), {MODEL}, to_apply=sum, {named('k')}"
OTHER_SUM = f"r = f32[8,4]{{1,0}} all-reduce(a), {DATA}, to_apply=sum, {named('k')}"
REDUCED_TWICE = program(ONE_SUM, f"ROOT {OTHER_SUM}")
READ_BETWEEN = program(ONE_SUM, OTHER_SUM, "ROOT b = f32[8,4]{1,0} add(a, r)")
ALONG_BOTH = program(f"ROOT r = f32[8,4]{{1,0}} all-reduce(x), replica_groups=[1,8]<=[8], to_apply=sum, {named('q')}")
PRODUCT = program(f"d = f32[4,4]{{1,0}} dot(x, x), lhs_contracting_dims={{0}}, rhs_contracting_dims={{0}}, {named('k')}",
                  f"ROOT a = f32[16,4]{{1,0}} all-gather(d), {DATA}, dimensions={{0}}, {named('k')}")  # fmt: skip
OPERAND = program(f"ROOT a = f32[32,4]{{1,0}} all-gather(x), {DATA}, dimensions={{0}}, {named('k')}")
OTHER_OPERAND = program(f"ROOT a = f32[32,4]{{1,0}} all-gather(x), {DATA}, dimensions={{0}}, {named('q')}")
ROW = "v = f32[2]{0} constant({1, 2})", f"g = f32[8]{{0}} all-gather(v), {DATA}, dimensions={{0}}, {named('q')}"
EXCHANGED = f"e = f32[8,4]{{1,0}} all-to-all(x), {DATA}, dimensions={{0}}, {named('k')}"
SPREAD = "b = f32[8,4]{1,0} broadcast(g), dimensions={0}"
MULTIPLIED = program(*ROW, EXCHANGED, SPREAD, "ROOT y = f32[8,4]{1,0} multiply(b, e)")
APART = program(*ROW, EXCHANGED, SPREAD, "ROOT y = f32[8,4]{1,0} add(b, e)")
ONCE_MORE = program(EXCHANGED, f"f = f32[8,4]{{1,0}} all-to-all(x), {DATA}, dimensions={{0}}, {named('q')}",
                    "ROOT y = f32[8,4]{1,0} add(e, f)")  # fmt: skip
SCATTER = f"""scatter {{
  p = f32[8,4]{{1,0}} parameter(0)
  r = f32[8,4]{{1,0}} all-reduce(p), channel_id=1, {DATA}, to_apply=sum
  i = s32[] constant(0)
  ROOT s = f32[2,4]{{1,0}} dynamic-slice(r, i, i), dynamic_slice_sizes={{2,4}}
}}
"""


def once(*terms: str) -> str:
    """One all-reduce of a sum of these."""
    made = [f"t{k} = f32[8,4]{{1,0}} sine(x), {named(term)}" for k, term in enumerate(terms)]
    return program(*made, f"s = f32[8,4]{{1,0}} add(t0, t{len(terms) - 1})",
                   f"ROOT a = f32[8,4]{{1,0}} all-reduce(s), {MODEL}, to_apply=sum, {named(terms[-1])}")  # fmt: skip


def columns(left: str, right: str) -> str:
    """A product of 8 x 4 numbers with others, summed over the first size and then over devices."""
    sizes = "4,16" if left == "x" else "16,4"
    product = f"d = f32[{sizes}]{{1,0}} dot({left}, {right}), lhs_contracting_dims={{0}}, rhs_contracting_dims={{0}}"
    return program("w = f32[8,16]{1,0} broadcast(z), dimensions={}", "v = f32[8,16]{1,0} iota(), iota_dimension=0", product,
                   f"ROOT a = f32[{sizes}]{{1,0}} all-reduce(d), {DATA}, to_apply=sum, {named('k')}")  # fmt: skip


def reduced_column(size: int) -> str:
    """A sum of one column, for several operations at once."""
    return program(f"c = f32[{size}]{{0}} iota(), iota_dimension=0",
                   f"ROOT a = f32[{size}]{{0}} all-reduce(c), {DATA}, to_apply=sum, {named('loss')}")  # fmt: skip


EQUAL_COLUMNS, EQUAL_ROWS, OTHER_COLUMNS = columns("x", "w"), columns("w", "x"), columns("x", "v")
REDUCED_COLUMN, REDUCED_ROW = reduced_column(4), reduced_column(16)


def ring(steps: int) -> str:
    lines = [
        f"p{k} = f32[8,4]{{1,0}} collective-permute(x), channel_id={k + 1}, {STEP}, {named('k')}" for k in range(steps)
    ]
    return program(*lines, "ROOT y = f32[8,4]{1,0} negate(x)")


@pytest.mark.parametrize(
    ("written", "compiled", "because"),
    [
        (TWO, once("k", "q"), {ADDED}),
        (TWO, program(f"ROOT a = (f32[8,4]{{1,0}}, f32[4,8]{{1,0}}) all-reduce(x, x), {MODEL}, to_apply=sum"), set()),
        (TWO, program("l = f32[32]{0} bitcast(x)", "c = f32[64]{0} concatenate(l, l), dimensions={0}",
                      f"ROOT a = f32[64]{{0}} all-reduce(c), {MODEL}, to_apply=sum"), set()),
        (REDUCED, program("ROOT s = f32[2,4]{1,0} fusion(x), kind=kCustom, calls=scatter", before=SCATTER), {SCATTERED}),
        (REDUCED, program(f"ROOT s = f32[2,4]{{1,0}} reduce-scatter(x), {DATA}, dimensions={{0}}, to_apply=sum"), {SCATTERED}),
        (program(f"ROOT s = f32[2,4]{{1,0}} reduce-scatter(x), {DATA}, dimensions={{0}}, to_apply=sum"), REDUCED, {WHOLE}),
        (GATHERED, ring(3), {RING}),
        (GATHERED, ring(5), {RING}),
        (GATHERED, program("h = bf16[8,4]{1,0} convert(x)", f"ROOT a = bf16[32,4]{{1,0}} all-gather(h), {DATA}, dimensions={{0}}"),
         {"sent as bfloat16 in place of float32"}),
        (SUMMED_AFTER, PARTIAL, {FIRST}),
        (SUMMED_TWICE, AT_ONCE, {FIRST}),
        (REDUCED_TWICE, ALONG_BOTH, {JOINED}),
        (REDUCED, program("l = f32[16,2]{1,0} bitcast(x)",
                          f"ROOT s = f32[4,2]{{1,0}} reduce-scatter(l), {DATA}, dimensions={{0}}, to_apply=sum"), {SCATTERED}),
        (PRODUCT, OPERAND, {BEFORE}),
        (EQUAL_COLUMNS, REDUCED_COLUMN, {COLUMN}),
        (EQUAL_ROWS, REDUCED_COLUMN, {COLUMN}),
        (MULTIPLIED, ONCE_MORE, {SCALED}),
        (GATHERED, program("w = f32[32,4]{1,0} broadcast(z), dimensions={}", "i = s32[] constant(0)",
                           "u = f32[32,4]{1,0} dynamic-update-slice(w, x, i, i)",
                           f"ROOT a = f32[32,4]{{1,0}} all-reduce(u), {DATA}, to_apply=sum"), {PADDED}),
    ],
)  # fmt: skip
def test_a_change_that_the_text_shows_has_a_name(written: str, compiled: str, because: set[str]) -> None:
    found = compared(written, compiled)
    assert (found.lost, found.new) == ([], [])
    assert {change.because for change in found.changes} == because


@pytest.mark.parametrize(
    ("written", "compiled", "lost", "new"),
    [
        (TWO, once("k", "k"), 1, 0),  # the sum does not contain the other
        (GATHERED, ring(1), 1, 1),  # too few steps for a ring
        (GATHERED, ring(9), 1, 9),  # too many for one
        (GATHERED, program(f"ROOT a = f32[32,4]{{1,0}} all-gather(x), {MODEL}, dimensions={{0}}"), 1, 1),  # another axis
        (GATHERED, program("b = f32[32,4]{1,0} broadcast(z), dimensions={}",
                           f"ROOT a = f32[32,4]{{1,0}} all-reduce(b), {DATA}, to_apply=sum"), 1, 1),  # no slice in it
        (REDUCED, program("ROOT y = f32[8,4]{1,0} negate(x)"), 1, 0),
        (NOT_ALONE, PARTIAL, 1, 1),  # more than its sum is read
        (SUMMED_TWICE, PARTIAL.replace("/k/", "/q/"), 2, 1),  # for another operation
        (READ_BETWEEN, ALONG_BOTH, 2, 1),
        (PRODUCT, OTHER_OPERAND, 1, 1),  # for another operation
        (APART, ONCE_MORE, 1, 1),  # nothing is multiplied
        (EQUAL_COLUMNS, REDUCED_ROW, 1, 1),  # the sizes of the equal numbers
        (OTHER_COLUMNS, REDUCED_COLUMN, 1, 1),  # its columns are no equal ones
    ],
)  # fmt: skip
def test_what_the_text_does_not_show_has_no_name(written: str, compiled: str, lost: int, new: int) -> None:
    found = compared(written, compiled)
    assert (len(found.lost), len(found.new)) == (lost, new)
    assert not found.changes


def test_fusions_of_one_channel_are_each_counted() -> None:
    """A compiler of TPUs gives every reduce-scatter in a fusion channel 1."""
    lines = [f"s{k} = f32[2,4]{{1,0}} fusion(x), kind=kCustom, calls=scatter" for k in range(2)]
    module = parse(program(*lines, "ROOT y = f32[2,4]{1,0} add(s0, s1)", before=SCATTER))
    assert totals(arrays(module, MESH)) == {("reduce-scatter", ("data",)): 2 * 128}


def largest(size: int, opcode: str, gathered: bool) -> str:
    """A program that takes the largest of rows, with an operation of its own or a sort, of its own rows or of all."""
    made = f"g = f32[{size},4]{{1,0}} all-gather(x), {DATA}, dimensions={{0}}, {named('k')}" if gathered else ""
    took = f'{opcode}({"g" if gathered else "x"}), metadata={{op_name="jit(f)/net/top_k"}}'
    return program(*([made] if made else []), f"ROOT t = (f32[{size},4]{{1,0}}, s32[{size},4]{{1,0}}) {took}")


@pytest.mark.parametrize(("size", "opcode", "gathered", "sorts"), [
    (8, "sort", False, True), (32, "sort", True, False), (32, "topk", True, False), (16, "sort", False, False),
])  # fmt: skip
def test_top_k_is_a_sort_where_the_text_has_one_of_each_devices_rows(
    size: int, opcode: str, gathered: bool, sorts: bool
) -> None:
    cut, again = parse(largest(32, "topk", True)), parse(largest(8, "sort", False))
    rows = largest(size, opcode, gathered).replace(
        "f32[8,4]{1,0} parameter", f"f32[{8 if gathered else size},4] parameter"
    )
    assert written_as_sorts(cut, again, parse(rows)) is sorts
    (cause,) = of_sorts(cut, again, MESH)
    assert (cause.kind, cause.axes, cause.bytes) == ("all-gather", ("data",), -512)
