"""Times of collectives: the worked questions of the scaling book, laws of rings and switches, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import symcost as sc
from symcost.costs.mesh.collectives import KINDS

KIB = 1024
TORI = ("google-tpu-v4", "google-tpu-v5e", "google-tpu-v5p", "google-tpu-v6e", "google-tpu-7x")
GPUS = ("nvidia-a100-sxm-80gb", "nvidia-h100-sxm", "nvidia-h200-sxm", "nvidia-b200-hgx")


def took(kind: str, on: str, size: Any, sent: Any, axes: str = "X", **places: Any) -> Any:
    """Seconds of a collective along axes of one letter each."""
    row = sc.Collective(kind=kind, axes=tuple(axes), size=size, bytes=sent)  # type: ignore[arg-type]
    return sc.collective_time(row, on, places or None).seconds


ACROSS = sc.MeshAxis("infiniband", inside=8)
# jax-ml.github.io/scaling-book: question, what it asks, and the printed answer with the place of its last digit.
QUESTIONS: list[tuple[str, Any, str, str]] = [
    ("sharding 2.1", lambda: took("all-gather", "tpu-v4", 4, 2 * 1024 * 4096 // 4), "23e-6", "1e-6"),
    ("sharding 2.2", lambda: took("all-gather", "tpu-v4", 16, 2 * 1024 * 4096, "XY", X=sc.MeshAxis(lengths=(4,)),
                                  Y=sc.MeshAxis(lengths=(4,))), "46e-6", "1e-6"),
    ("sharding 3", lambda: took("all-gather", "tpu-v4", 4, 2 * 128), "2e-6", "1e-6"),
    ("sharding quiz 2.1", lambda: took("all-gather", "tpu-v5e", 4, 2 * 2048 * 8192), "560e-6", "10e-6"),
    ("sharding quiz 2.2", lambda: took("all-gather", "tpu-v5e", 4, 2 * 256 * 256), "3e-6", "1e-6"),
    ("tpus 6", lambda: took("all-gather", "tpu-v5e", 16, 16 * 10**9, X=sc.MeshAxis(lengths=(4, 4))), "167e-3", "1e-3"),
    ("gpus quiz 1", lambda: took("all-gather", "h100", 8, 2 * 1024 * 16384), "65e-6", "1e-6"),
    ("gpus 2.3", lambda: took("all-gather", "h100", 8, 2 * 4096 * 65536), "1.04e-3", "0.01e-3"),
    ("gpus 4.5", lambda: took("all-gather", "h100", 16, 514 * 10**9, X=ACROSS), "1", "0.01"),
    ("gpus, leaf", lambda: took("reduce-scatter", "h100", 256, 413 * 10**9, X=ACROSS), "1", "0.01"),
    ("gpus, SHARP", lambda: took("all-reduce", "h100", 8, 450 * 10**9, X=sc.MeshAxis(reduces=True)), "1", "0.01"),
    ("gpus, b200", lambda: took("all-reduce", "b200", 8, 900 * 10**9), "1.75", "0.01"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "answer", "digit"), [row[1:] for row in QUESTIONS], ids=[row[0] for row in QUESTIONS])
def test_the_books_questions_are_answered_to_the_printed_digit(ask: Any, answer: str, digit: str) -> None:
    assert abs(Fraction(str(ask())) - Fraction(answer)) < Fraction(digit), "rounded or cut off"


def test_a_ring_takes_as_long_however_many_there_are() -> None:
    V, X = sc.symbols("V X")
    assert took("all-gather", "tpu-v5p", X, 18 * 10**10) == sympy.Max(1, X / 2000000, evaluate=False)
    row = sc.Collective(kind="all-reduce", axes=("X",), size=X, bytes=V)
    found = sc.collective_time(row, "tpu-v5p")
    assert found.bandwidth == V / 90000000000
    assert found.latency == X / 1000000
    assert found.assumed == "X as rings"
    assert str(found) == f"{found.seconds} s on ici; X as rings"


def test_rings_that_the_shape_of_a_slice_decides_are_told() -> None:
    """Chapter tpus: a 2x2x4 has none on its axis of 4, since rings come with whole cubes; a v5e has one on every axis of 16."""
    rows = [sc.Collective(kind="all-gather", axes=("X",), size=size, bytes=1) for size in (4, 16)]
    told = [sc.collective_time(row, on).assumed for on in ("tpu-v4", "tpu-v5e") for row in rows]
    assert told == ["X as rings", "X as rings", "", ""]
    assert sc.collective_time(rows[0], "tpu-v4", {"X": sc.MeshAxis(ring=True)}).assumed == ""


def test_axes_of_a_mesh_are_as_long_as_it_says() -> None:
    X, Y = sc.symbols("X Y")
    row = sc.Collective(kind="all-gather", axes=("X", "Y"), size=X * Y, bytes=1)
    found = sc.collective_time(row, "tpu-v4", mesh={"X": X, "Y": Y})
    assert found.latency == sympy.expand((X + Y) / 2000000)
    assert found.assumed == "X and Y as rings"
    assert str(sc.collective_time(row, "tpu-v4")) == "1/180000000000 s on ici; X and Y as rings"
    line = sc.collective_time(
        sc.Collective(kind="all-gather", axes=("X", "Y"), size=8, bytes=1), "tpu-v4", mesh={"X": 4, "Y": 2}
    )
    assert (line.latency, line.assumed) == (sympy.Rational(4, 10**6), ""), "3 and 1 hops, where an axis of 2 is no ring"


def test_more_axes_of_a_torus_share_the_bytes() -> None:
    cube = {"X": sc.MeshAxis(lengths=(16, 16, 16))}
    row = sc.Collective(kind="reduce-scatter", axes=("X",), size=4096, bytes=54 * 10**10)
    found = sc.collective_time(row, "tpu-v5p", cube)
    assert (found.bandwidth, found.latency) == (1, sympy.Rational(24, 10**6))
    long = sc.collective_time(row, "tpu-v5p", {"X": sc.MeshAxis(lengths=(8, 16, 32))})
    assert (long.bandwidth, long.latency) == (1, sympy.Rational(28, 10**6))
    some = sc.collective_time(row, "tpu-v5p", {"X": sc.MeshAxis(axes=3)})
    assert (some.bandwidth, some.latency, some.assumed) == (1, None, "X as rings")
    with pytest.raises(
        sc.SymcostError, match="how many hops of ici there are is not known: give the lengths of its axes"
    ):
        _ = some.seconds
    spread = sc.Collective(kind="all-to-all", axes=("X",), size=4096, bytes=1)
    with pytest.raises(sc.SymcostError, match="an all-to-all on several axes of ici takes as long as their longest"):
        sc.collective_time(spread, "tpu-v5p", {"X": sc.MeshAxis(axes=3)})
    assert sc.collective_time(spread, "tpu-v5p", {"X": sc.MeshAxis(lengths=(8, 16, 32))}).bandwidth == sympy.Rational(
        32, 8 * 9 * 10**10
    )


@pytest.mark.parametrize("on", TORI)
@given(quarters=st.integers(1, 7), sent=st.integers(1, 2**40))
def test_an_all_to_all_of_a_ring_takes_a_quarter_of_gathering_all(on: str, quarters: int, sent: int) -> None:
    """Chapter sharding, "our final communication primitive"; and a line takes longer than a ring."""
    size, ring, line = 4 * quarters, sc.MeshAxis(ring=True), sc.MeshAxis(ring=False)
    rows = {kind: sc.Collective(kind=kind, axes=("X",), size=size, bytes=sent) for kind in KINDS}
    whole = sc.Collective(kind="all-gather", axes=("X",), size=size, bytes=size * sent)
    taken = {kind: sc.collective_time(row, on, {"X": ring}) for kind, row in rows.items()}
    assert 4 * taken["all-to-all"].bandwidth == sc.collective_time(whole, on, {"X": ring}).bandwidth
    for kind, row in rows.items():
        assert sc.collective_time(row, on, {"X": line}).bandwidth >= taken[kind].bandwidth
        assert sc.collective_time(row, on, {"X": line}).latency >= taken[kind].latency


@pytest.mark.parametrize("on", [*TORI, *GPUS])
@given(size=st.sampled_from([1, 2, 4, 8]), sent=st.integers(0, 2**40), more=st.integers(1, 2**30))
def test_an_all_reduce_is_a_reduce_scatter_and_an_all_gather(on: str, size: int, sent: int, more: int) -> None:
    gather, scatter, reduce = (took(kind, on, size, sent) for kind in ("all-gather", "reduce-scatter", "all-reduce"))
    assert reduce == gather + scatter
    assert all(took(kind, on, size, sent + more) >= took(kind, on, size, sent) for kind in KINDS), (
        "more bytes, no less time"
    )
    assert size != 1 or not any(took(kind, on, 1, sent) for kind in KINDS), "one device has nobody to talk to"


@pytest.mark.parametrize("on", GPUS)
@given(nodes=st.integers(1, 64), sent=st.integers(1, 2**40))
def test_groups_of_whole_nodes_send_over_all_their_adapters(on: str, nodes: int, sent: int) -> None:
    """Chapter gpus, cross-node collectives: max over levels of (D - 1)/(D W)."""
    inner, outer = (sc.device(on).network(name).bandwidth for name in ("nvlink", "infiniband"))
    found = took("all-gather", on, 8 * nodes, sent, X=ACROSS)
    expected = max(Fraction(7, 8) / inner, Fraction(nodes - 1, nodes) / (8 * outer)) * sent
    assert Fraction(str(found)) == expected
    spread = took("all-to-all", on, 8 * nodes, sent, X=ACROSS)
    assert Fraction(str(spread)) == max(Fraction(7, 8 * nodes) / inner, Fraction(nodes - 1, nodes) / outer) * sent


@given(slices=st.integers(1, 8), inside=st.sampled_from([1, 4, 8, 16]), sent=st.integers(0, 2**40))
def test_on_two_networks_shards_are_sent_between_slices(slices: int, inside: int, sent: int) -> None:
    """Reduce-scatter inside, all-reduce of the shards over the data center, all-gather inside."""
    both = dict(axes=("slices", "X"), size=slices * inside, bytes=sent)
    places, mesh = {"slices": "dcn"}, {"slices": slices, "X": inside}
    taken = {
        kind: sc.collective_time(sc.Collective(kind=kind, **both), "tpu-v5p", places, mesh=mesh)  # type: ignore[arg-type]
        for kind in ("all-gather", "reduce-scatter", "all-reduce")
    }
    shard = sympy.Rational(sent, inside)
    assert taken["all-reduce"].seconds == (
        2 * took("all-gather", "tpu-v5p", inside, sent) + took("all-reduce", "tpu-v5p", slices, shard, X="dcn")
    )
    assert taken["all-reduce"].seconds == taken["all-gather"].seconds + taken["reduce-scatter"].seconds
    assert taken["all-reduce"].network == "ici and dcn"
    assert taken["all-reduce"].bandwidth <= taken["all-reduce"].seconds


def test_on_two_networks_symbols_stay() -> None:
    tpu = "tpu-v5p"
    S, V, X = sc.symbols("S V X")
    row = sc.Collective(kind="all-reduce", axes=("S", "X"), size=S * X, bytes=V)
    found = sc.collective_time(row, tpu, {"S": "dcn"}, mesh={"X": X})
    assert sympy.expand(found.bandwidth - V / 90000000000 - 2 * (V / X) * (S - 1) / S / 6250000000) == 0
    assert found.assumed == "X as rings"
    whole = sc.Collective(kind="all-reduce", axes=("S", "X"), size=256 * S, bytes=V)
    lengths = sc.collective_time(whole, tpu, {"S": "dcn", "X": sc.MeshAxis(lengths=(16, 16))})
    assert [part.network for part in lengths.parts] == ["ici", "dcn", "ici"]
    with pytest.raises(
        sc.SymcostError, match="all-reduce along S and X is on two networks, and how many devices X has is not"
    ):
        sc.collective_time(row, tpu, {"S": "dcn"})
    with pytest.raises(
        sc.SymcostError, match="all-to-all along S and X is on several networks at once: give it as one"
    ):
        sc.collective_time(sc.Collective(kind="all-to-all", axes=("S", "X"), size=16, bytes=1), tpu, {"S": "dcn"})


GATHER = sc.Collective(kind="all-gather", axes=("X",), size=16, bytes=8)


@pytest.mark.parametrize(
    ("row", "on", "places", "error", "message"),
    [
        (3, "h100", None, sc.SymcostError, r"a int is no collective: give Collective\(kind="),
        (GATHER, "nvidia-l4", None, sc.DeviceError, "device nvidia-l4: no network between several of them is published"),
        (GATHER, "h100", None, sc.DeviceError, "16 devices along X are more than the 8 of nvidia-h100-sxm's nvlink: "
         "place it on infiniband, as {'X': 'infiniband'}"),
        (GATHER, "h100", {"X": 3}, sc.SymcostError, r"the place of axis X is 3: give the name of a network, or MeshAxis"),
        (GATHER, "h100", {"X": "ici"}, sc.DeviceError, "no network 'ici' is published: there are nvlink, infiniband"),
        (GATHER, "tpu-v5e", {"X": sc.MeshAxis(axes=3)}, sc.DeviceError,
         "3 axes of ici are needed along X: google-tpu-v5e has 2 of them"),
        (GATHER, "tpu-v5e", {"X": sc.MeshAxis(lengths=(4, 8))}, sc.SymcostError,
         "the lengths 4 x 8 along X make 32 devices, not 16"),
        (GATHER, "tpu-v5e", {"X": sc.MeshAxis(lengths=(4,))}, sc.SymcostError, "the lengths 4 along X make 4 devices, not 16"),
        (GATHER, "h100", {"X": sc.MeshAxis("infiniband", inside=16)}, sc.DeviceError,
         "inside=16 devices are more than the 8 of nvidia-h100-sxm's nvlink"),
        (GATHER, "tpu-v4", {"X": sc.MeshAxis(reduces=True)}, sc.DeviceError,
         "ici of google-tpu-v4 has no switches that could reduce: leave out reduces"),
        (GATHER, "nvidia-a100-sxm-80gb", {"X": sc.MeshAxis("infiniband", reduces=True)}, sc.DeviceError,
         "infiniband of nvidia-a100-sxm-80gb is not known to reduce in its switches: leave out reduces"),
        (GATHER, "tpu-v4", {"X": sc.MeshAxis("dcn", inside=4)}, sc.SymcostError,
         "inside=4 is of groups that share nodes, and dcn of google-tpu-v4 has no switch inside"),
        (sc.Collective(kind="gather", axes=("X",), size=16, bytes=8), "tpu-v4", None, sc.SymcostError,  # type: ignore[arg-type]
         "unknown kind of collective 'gather': did you mean all-gather?"),
        (sc.Collective(kind="all-gather", axes=("X",), size=0, bytes=8), "tpu-v4", None, sc.SymcostError,
         "size=0 must be a positive integer or a formula"),
        (sc.Collective(kind="all-gather", axes=("X",), size=4, bytes=-8), "tpu-v4", None, sc.SymcostError,
         "bytes=-8 must be 0 or more"),
        (sc.Collective(kind="all-gather", axes=("X",), size=512, bytes=8), "tpu-v6e", None, sc.DeviceError,
         "512 devices along X are more than the 256 of google-tpu-v6e's ici: place it on dcn"),
    ],
)  # fmt: skip
def test_what_cannot_be_timed_is_refused(row: Any, on: str, places: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sc.collective_time(row, on, places)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(axes=0), "axes=0 of a mesh axis must be a positive integer"),
        (dict(axes=3, lengths=(4, 4)), "axes=3 and 2 lengths of a mesh axis differ: leave out axes"),
        (dict(lengths=(0, 4)), "length=0 must be a positive integer or a formula"),
        (dict(inside="1/2"), "inside=1/2 must be a positive integer or a formula"),
    ],
)
def test_a_place_is_checked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        sc.MeshAxis(**given)


@pytest.mark.parametrize("on", ["tpu-v5e", "tpu-7x", "h100"])
@given(kind=st.sampled_from(KINDS), size=st.integers(2, 8), sent=st.integers(1, 2**30), ring=st.booleans())
def test_a_formula_at_a_point_is_the_number_there(on: str, kind: Any, size: int, sent: int, ring: bool) -> None:
    places = {"X": sc.MeshAxis(ring=ring)}
    X, V = sc.symbols("X V")
    formula = sc.collective_time(sc.Collective(kind=kind, axes=("X",), size=X, bytes=V), on, places)
    number = sc.collective_time(sc.Collective(kind=kind, axes=("X",), size=size, bytes=sent), on, places)
    at = {"X": size, "V": sent}
    assert sc.evaluate(formula.bandwidth, at) == Fraction(str(number.bandwidth))
    assert sc.evaluate(formula.seconds, at) == Fraction(str(number.seconds))
