"""Fit and solve: published limits, exact answers that brute force confirms, certified monotone or refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import symcost as sc
from symcost.estimate.questions.constraint import read
from symcost.estimate.questions.quantities import Setting
from symcost.formulas.prove.growth import monotone_from
from symcost.formulas.symbols import evaluate

d, L = sc.symbols("d L")
MLP = sc.table(sc.Sequential(up=sc.Linear(d), body=sc.Repeat(sc.Linear(d), L)), ("n", 784))
BOARD = sc.Device(
    name="board", source="round numbers", peak={"float32": 10**9}, power=1,
    memories=(sc.MemoryLevel(name="ram", size=10**6, bandwidth=10**8, holds=("weights", "activations")),),
)  # fmt: skip


def test_what_fits_a_microcontroller() -> None:
    """MCUNet's network for five images a second fits 320 KB and 1 MB with int8; MobileNetV2 does not (arXiv:2007.10319)."""
    small, large = (sc.fits(table, "stm32f746", "int8") for table in (sc.models.mcunet_in1(), sc.models.mobilenet_v2()))
    assert small
    assert not large
    sram, flash = large.limits
    assert (sram.memory, sram.holds, sram.available) == ("sram", ("activations",), 320 * 1024)
    assert sram.needed == 1505280
    assert sram.margin == 320 * 1024 - 1505280
    assert sram.layer.startswith("block_2")
    assert flash.needed == 3504872 + 34112  # parameters and the moving averages of batch norm, 2 c for every norm
    assert flash.layer == "fc"
    assert "does not fit, 1,177,600 bytes (1,150 KiB) are missing; peak in block_2" in str(sram)


def test_the_layer_at_fault_is_where_the_peak_is() -> None:
    """By hand, 64 places: beside ``up`` are 4 + 8 channels, beside ``down`` the input too, 4 + 8 + 4; ``wide`` reads most."""
    block = sc.Residual(sc.Sequential(up=sc.Conv2d(c_o=8, k=1, bias=False), down=sc.Conv2d(c_o=4, k=1, bias=False)))
    net = sc.Sequential(block=block, wide=sc.Conv2d(c_o=9, k=1, bias=False))
    sram, flash = sc.fits(sc.table(net, (1, 4, 8, 8)), "stm32f746").limits
    assert (sram.needed, sram.layer, sram.why) == (64 * 16, "block/body/down", "peak in")
    assert (flash.layer, flash.why) == ("wide", "most in")
    textbook, _ = sc.fits(sc.table(net, (1, 4, 8, 8)), "stm32f746", rule="textbook").limits
    assert (textbook.needed, textbook.layer) == (64 * 13, "wide")
    batched = sc.fits(sc.table(net, ("n", 4, 8, 8)).subs(n=3), "stm32f746").limits[0]
    assert (batched.needed, batched.layer) == (3 * 64 * 16, "block/body/down")


def test_the_heaviest_weights_are_so_in_their_own_widths() -> None:
    net = sc.table(sc.Sequential(a=sc.Linear(10, bias=False), b=sc.Linear(9, bias=False)), (1, 10))
    assert sc.fits(net, "stm32f746").limits[1].layer == "a"
    assert sc.fits(net, "stm32f746", weights={"": 8, "a": 4}).limits[1].layer == "b"


def test_a_traced_table_names_its_largest_input_and_output() -> None:
    net = sc.Sequential(up=sc.Linear(32), down=sc.Linear(8))
    sram, _ = sc.fits(sc.trace(sc.build(net), "float32[1,16]"), "stm32f746").limits
    assert sram.why == "largest input and output in"
    assert sram.layer.startswith("up")


def test_a_memory_of_both_holds_their_sum() -> None:
    (ram,) = sc.fits(sc.models.alexnet(), "nvidia-a100-sxm-80gb", "float32").limits
    used = sc.memory(sc.models.alexnet(), "float32")
    assert ram.needed == used.weights + used.activations


def test_fits_needs_numbers_and_memories() -> None:
    with pytest.raises(sc.SymcostError, match=r"the size of the activations needs a number for n: give n=\.\.\."):
        sc.fits(sc.models.alexnet(n="n"), BOARD, "float32")
    with pytest.raises(sc.DeviceError, match="has no memory that holds weights or activations"):
        sc.fits(sc.models.alexnet(), "horowitz-45nm")
    with pytest.raises(sc.DeviceError, match="no size of its sram is published"):
        sc.fits(sc.models.alexnet(), "arm-ethos-u55-256")
    with pytest.raises(sc.DeviceError, match="google-tpu-v5e has no published peak for float64: there are peaks for"):
        sc.fits(sc.models.alexnet(), "google-tpu-v5e", "float64")
    with pytest.raises(sc.DeviceError, match="stm32f746 has no published peak for bfloat16"):
        sc.solve(sc.models.mcunet_in1(r="r"), "fits", largest="r", on="stm32f746", dtype="bfloat16")
    assert sc.fits(sc.models.mcunet_in1(), "tiny-ai", "int4")  # a class of devices publishes no peak for any type


def test_the_largest_width_is_exact() -> None:
    found = sc.solve(MLP, "params <= 25_000_000", largest="d", given=dict(L=12))  # no constraint asks for the batch
    assert found.method == "bisection, certified monotone"
    width = int(found)
    assert MLP.subs(L=12, n=1, d=width).params <= 25_000_000 < MLP.subs(L=12, n=1, d=width + 1).params
    ((text, left, right),) = found.constraints
    assert (text, left, right) == ("params <= 25_000_000", MLP.subs(L=12, n=1, d=width).params, 25_000_000)


def test_the_least_batch_of_a_throughput_is_the_first_that_reaches_it() -> None:
    found = sc.solve(MLP, "throughput >= 6000", smallest="n", given=dict(L=2, d=64), within=range(1, 200), on=BOARD)
    rates = [sc.throughput(MLP.subs(L=2, d=64, n=size), BOARD) for size in (found.value - 1, found.value)]
    assert rates[0] < 6000 <= rates[1]


def test_several_constraints_and_the_smallest() -> None:
    given = dict(L=2, d=64)
    found = sc.solve(MLP, ["latency <= 0.01", "total_bytes <= 1e6", "n >= 3"], largest="n", given=given, on=BOARD)
    n = int(found)
    for size, holds in ((n, True), (n + 1, False)):
        at = MLP.subs(n=size, **given)
        used = sc.memory(at).total
        assert (sc.latency(at, BOARD).value() <= 0.01 and used <= 10**6) == holds
    least = sc.solve(MLP, "params > 1000", smallest="L", given=dict(d=1, n=1))
    assert MLP.subs(L=int(least), d=1, n=1).params > 1000 >= MLP.subs(L=int(least) - 1, d=1, n=1).params


def test_fits_is_a_constraint() -> None:
    found = sc.solve(sc.models.mcunet_in1(r="r"), "fits", largest="r", on="stm32f746", dtype="int8")
    r = int(found)
    assert sc.fits(sc.models.mcunet_in1(r=r), "stm32f746", "int8")
    assert not sc.fits(sc.models.mcunet_in1(r=r + 1), "stm32f746", "int8")


def test_only_sizes_in_the_domain_are_found() -> None:
    heads = sc.table(sc.Attention(H="H"), (1, 16, d))
    found = sc.solve(heads, "params <= 100_000", largest="d", given=dict(H=8))
    assert int(found) % 8 == 0
    assert 4 * int(found) ** 2 <= 100_000
    assert 4 * (int(found) + 8) ** 2 > 100_000 - 4 * (int(found) + 8)


def test_what_is_not_certified_is_enumerated_or_refused() -> None:
    table = sc.table(sc.Sequential(sc.Linear(d), sc.Linear("d")), (1, 3))
    with pytest.raises(sc.SymcostError, match=r"not certified monotone in d: give the sizes to try, as within=range"):
        sc.solve(table, "d * (params % 7) <= 30", largest="d")
    found = sc.solve(table, "d * (params % 7) <= 30", largest="d", within=range(1, 100))
    assert found.method == "enumeration"
    assert int(found) == max(s for s in range(1, 100) if s * (table.subs(d=s).params % 7) <= 30)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("d % 64 == 0", lambda size, params: size % 64 == 0),
        ("params % 7 == 3", lambda size, params: params % 7 == 3),
        ("d % 2 == 1 or d % 5 == 0", lambda size, params: size % 2 == 1 or size % 5 == 0),
        ("not d % 3 == 1", lambda size, params: size % 3 != 1),
    ],
)
def test_remainders_are_stepped_over(asked: str, meant: Callable[[int, int], bool]) -> None:
    table = sc.table(sc.Sequential(sc.Linear(d), sc.Linear("d")), (1, 3))

    def holds(size: int) -> bool:
        params = table.subs(d=size).params
        return 1000 <= params <= 25_000 and meant(size, params)

    sizes = [size for size in range(1, 200) if holds(size)]
    where = [asked, "params <= 25_000", "params >= 1000"]
    assert int(sc.solve(table, where, largest="d")) == max(sizes)
    assert int(sc.solve(table, where, smallest="d")) == min(sizes)


def test_a_polynomial_that_falls_before_it_grows() -> None:
    found = sc.solve(MLP, "d**2 - 40*d + params*0 <= 100", largest="d", given=dict(L=1, n=1))
    assert int(found) == max(s for s in range(1, 200) if s * s - 40 * s <= 100)
    below = sc.solve(MLP, ["d**2 - 40*d <= 0 - 100", "d <= 10"], largest="d", given=dict(L=1, n=1))
    assert (int(below), below.method) == (10, "enumeration")


BAD = [
    (
        dict(where="params <= 10"),
        r"no d satisfies the constraints: at d=\d+ params <= 10 does not hold \([\d,]+ against 10\)",
    ),
    (dict(where="latncy <= 10 ms"), "unknown name 'latncy' in 'latncy <= 10 ms': did you mean latency"),
    (dict(where="d <= 10 ms"), "compares a count with seconds"),
    (dict(where="params >= 10"), "there is no largest d: the constraints hold for every larger size"),
    (dict(where="parms <= 10"), r"unknown name 'parms' in 'parms <= 10': did you mean params"),
    (dict(where="params"), "cannot read 'params' as a condition: compare two expressions"),
    (dict(where="1 <= params <= 2"), "no d satisfies the constraints"),
    (dict(where="__import__('os') <= 2"), "cannot read"),
    (dict(within=[7, "a"]), "within has 'a': give positive integers"),
    (dict(within=range(3)), "within has 0: give positive integers"),
    (dict(where=[]), "there is no constraint: give one such as"),
    (dict(where="latency <= 1"), "latency, throughput and energy need a device"),
    (dict(where="params <= 1e999999"), "out of range: use an exponent"),
    (dict(where="params <= 1/0"), "divides by zero"),
    (dict(largest="q"), "unknown symbol 'q': the symbols here are L, d, n"),
    (dict(smallest="d"), "give largest= or smallest=, one of them"),
    (dict(given=dict(n=1)), r"solve needs a number for L: give L=\.\.\."),
    (dict(where="macs <= 10", given={}), r"solve needs a number for L, n: give L=\.\.\., n=\.\.\."),
    (dict(given=dict(L=12, n=1, d=3)), "d is looked for and given as 3"),
    (dict(given=dict(L=0, n=1)), "L=0 is outside the domain"),
    (dict(given=dict(L=12, n=1, q=3)), "unknown symbol 'q'"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_questions_are_one_line(options: dict[str, object], message: str) -> None:
    asked = {"where": "params <= 25_000_000", "largest": "d", "given": dict(L=12, n=1), **options}
    with pytest.raises(sc.SymcostError, match=message):
        sc.solve(MLP, **asked)  # type: ignore[arg-type]


def test_a_symbol_named_like_a_quantity_is_ambiguous() -> None:
    table = sc.table(sc.Linear("params"), (1, 3))
    with pytest.raises(sc.SymcostError, match="'params' in 'params <= 3' is a symbol of the table and a quantity"):
        sc.solve(table, "params <= 3", largest="params")


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.01", sympy.Rational(1, 100)), ("25e6", 25 * 10**6), ("1.5e-3", sympy.Rational(3, 2000)), ("25_000", 25000)],
)
def test_decimals_are_exact(text: str, value: object) -> None:
    (constraint,) = read(f"d <= {text}", Setting(MLP))
    assert constraint.right == value


coefficients = st.lists(st.integers(-20, 20), min_size=2, max_size=5)


@settings(max_examples=150, deadline=None)
@given(terms=coefficients, divisor=st.integers(1, 5), rounded=st.booleans())
def test_certified_growth_never_falls(terms: list[int], divisor: int, rounded: bool) -> None:
    form = sum((c * d**i for i, c in enumerate(terms)), start=sympy.Integer(0))
    form = form + sympy.floor(d / divisor) if rounded else form
    found = monotone_from(form, "d")
    assume(found is not None)
    assert found is not None
    start, direction = found
    values = [evaluate(form, {"d": start + step}) for step in range(60)]
    assert values == sorted(values, reverse=direction < 0)
    assert direction or len(set(values)) == 1


@settings(max_examples=60, deadline=None)
@given(budget=st.integers(1000, 10**6), depth=st.integers(1, 30))
def test_bisection_agrees_with_trying_every_size(budget: int, depth: int) -> None:
    given = dict(L=depth, n=1)
    tried = [s for s in range(1, 1400) if 784 * s + s + depth * (s * s + s) <= budget]
    if not tried:
        with pytest.raises(sc.SymcostError):
            sc.solve(MLP, f"params <= {budget}", largest="d", given=given)
    else:
        assert int(sc.solve(MLP, f"params <= {budget}", largest="d", given=given)) == tried[-1]


@pytest.mark.parametrize(("width", "heads"), [(24, 12), (20_014, 10_007), (2 * 1_000_003, 1_000_003)])
def test_the_largest_number_of_heads_is_a_divisor_of_the_width(width: int, heads: int) -> None:
    costs = sc.models.gpt2(d="d", H="H", L=1)  # parameters do not depend on the heads, each of which is 2 wide at least
    assert int(sc.solve(costs, "params <= 10**20", largest="H", given={"d": width})) == heads
    assert int(sc.solve(costs.subs(d=width), "params <= 10**20", largest="H")) == heads


def test_the_domain_ends_what_no_constraint_ends() -> None:
    costs = sc.trace_function(lambda x, table: x + table[: x.shape[0]], "float32[N,d]", "float32[64,d]")
    assert int(sc.solve(costs, "flops <= 10**12", largest="N", given={"d": 3})) == 64
    with pytest.raises(sc.SymcostError, match="there is no largest d: the constraints hold for every larger size"):
        sc.solve(costs, "N <= 10", largest="d", given={"N": 3})
