"""Composition: names, symbols, shapes, receptive fields, peaks, conventions of whole networks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
import sympy

import symcost as sc
from symcost.layers.base import Layer, substituted
from symcost.layers.sizes.algebra import ceil_ratio, floor_ratio, largest, plain, ratio, size
from symcost.layers.sizes.tensor import Tensor
from symcost.layers.tape import Tape

n, c, h, w, k, s, d, e, L = sc.symbols("n c h w k s d e L")
IMAGE = (n, c, h, w)


def conv(**options: object) -> Layer:
    """A convolution that keeps the channels."""
    return sc.Conv2d(c_o=c, **options)  # type: ignore[arg-type]


FIELDS = [
    (sc.Sequential(conv(k=3, p=1), conv(k=3, p=1)), "5"),
    (sc.Sequential(conv(k=3, p=1), conv(k=3, p=1), conv(k=3, p=1)), "7"),
    (sc.Sequential(conv(k=3, p=1, s=2), conv(k=3, p=1)), "7"),
    (sc.Repeat(conv(k=3, p=1), L), "2*L + 1"),
    (sc.Repeat(conv(k=k, p="same"), L), "L*(k - 1) + 1"),
    (sc.Repeat(sc.Residual(sc.Sequential(sc.BatchNorm(), sc.ReLU(), conv(k=3, p=1))), L), "2*L + 1"),
    (sc.Sequential(conv(k=k, s=s), conv(k=k, d=d), conv(k=3)), "k + s*d*(k - 1) + 2*s"),
    (sc.Branch(conv(k=1), conv(k=5, p=2)), "5"),
    (sc.Sequential(sc.MaxPool2d(k=2), sc.ConvTranspose2d(c_o=c, k=2, s=2), conv(k=3, p=1)), "4"),
]
"""The lectures: L layers of kernel k see L(k - 1) + 1; strides before multiply what comes after."""


@pytest.mark.parametrize(("net", "field"), FIELDS)
def test_receptive_fields(net: Layer, field: str) -> None:
    found = sc.table(net, IMAGE).receptive_field
    assert found is not None
    assert [sc.equal(axis, sc.parse(field)) for axis in found] == [True, True]


def test_a_repeated_stride_sees_what_as_many_layers_see() -> None:
    net, x = sc.Sequential(conv(k=3, p=1), conv(k=3, s=2, p=1)), (1, c, 1, 1)
    thrice = sc.table(sc.Sequential(net, net, net), x)
    repeated = sc.table(sc.Repeat(net, 3), x)
    assert repeated.receptive_field == thrice.receptive_field
    last = {path.partition("/")[2]: field for path, field in thrice.receptive_fields.items()}
    assert {path.partition("/")[2]: field for path, field in repeated.receptive_fields.items()} == last
    assert sc.table(sc.Repeat(net, L), x).receptive_field is None


@pytest.mark.parametrize("depths", [(1, 1, 2, 2, 2), (2, 2, 4, 4, 4)])
def test_vgg_in_the_depth_of_its_stages_is_each_vgg(depths: tuple[int, ...]) -> None:
    names = [f"L{stage}" for stage in range(1, 6)]
    at = dict(zip(names, depths, strict=True))
    table = sc.models.vgg16(**dict(zip(names, names, strict=True)), bn=True)
    for convention in sc.CONVENTIONS:
        assert table.subs(**at).total(convention) == sc.models.vgg16(**at, bn=True).total(convention)


def test_adaptive_pooling_holds_at_every_resolution() -> None:
    table = sc.models.vgg16(r="r")
    for r in (32, 100, 224, 256, 300):
        assert table.subs(r=r).total() == sc.models.vgg16(r=r).total()


def test_every_layer_has_a_receptive_field() -> None:
    fields = sc.models.alexnet().receptive_fields
    assert [fields[name] for name in ("conv1", "pool5", "fc6")] == [(11, 11), (195, 195), None]
    table = sc.table(sc.Repeat(conv(k=3, p=1), L), IMAGE)
    assert table.subs(L=4).receptive_fields == {"block_#": (9, 9)}


def test_known_networks_see_as_much_as_is_published() -> None:
    """Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill 2019: 195 and 212."""
    for name, last in (("alexnet", "pool5"), ("vgg16", "pool5")):
        layers = dict(sc.models.__getattr__(name).net().layers)
        kept = {key: layers[key] for key in list(layers)[: list(layers).index(last) + 1]}
        assert sc.table(sc.Sequential(**kept), (1, 3, 224, 224)).receptive_field == (
            (195,) * 2 if name == "alexnet" else (212,) * 2
        )


@pytest.mark.parametrize("layer", [sc.GlobalAvgPool(), sc.SqueezeExcitation(2), sc.InstanceNorm(), sc.Flatten()])
def test_layers_that_join_all_places_see_everything(layer: Layer) -> None:
    assert sc.table(sc.Sequential(conv(k=3), layer), IMAGE).receptive_field is None


def test_layers_are_named_by_kind_and_number_or_by_keyword() -> None:
    net = sc.Sequential(sc.Linear(8), sc.ReLU(), sc.Linear(8), head=sc.Linear(2))
    assert [row.path for row in sc.table(net, (1, 4)).rows] == ["", "linear_0", "relu_0", "linear_1", "head"]


def test_a_block_is_a_plain_function() -> None:
    def block(width: object) -> Layer:
        return sc.Residual(sc.Sequential(sc.LayerNorm(), sc.Linear(4 * width), sc.GELU(), sc.Linear(width)))  # type: ignore[operator]

    table = sc.table(sc.Repeat(block(d), L), (n, d))
    assert sc.equal(table.params, L * (8 * d**2 + 7 * d))
    assert [row.times for row in table.rows[1:]] == [L] * 5
    assert table.subs(n=1, d=2, L=3).params == 3 * (32 + 14)


def test_substitution_takes_numbers_and_expressions() -> None:
    net = sc.Sequential(sc.Linear("4*d"), sc.Linear(c_o=d))
    assert net.subs(d=3) == sc.Sequential(sc.Linear(12), sc.Linear(3))
    assert net.subs(d="2*c") == sc.Sequential(sc.Linear("8*c"), sc.Linear("2*c"))
    assert substituted(net, {}) == net


def test_peaks_are_named_by_their_rule() -> None:
    table = sc.table(sc.Residual(sc.Sequential(sc.Linear(4 * d), sc.ReLU(), sc.Linear(d))), (n, d))
    assert sc.equal(table.peak("textbook"), 5 * d * n)
    assert sc.equal(table.peak("liveness"), 6 * d * n)
    assert sc.equal(table.peak("liveness", "bytes"), 24 * d * n)
    assert sc.equal(table.peak_activations, table.peak())
    with pytest.raises(
        sc.SymcostError, match="unknown peak 'live' in 'elements': use liveness or textbook, in elements or bytes"
    ):
        table.peak("live")


def test_a_network_that_keeps_nothing_has_no_textbook_peak() -> None:
    assert sc.table(sc.ReLU(), (1, 2)).peak("textbook") == 0


def test_tables_print_in_every_format() -> None:
    from symcost.report import FORMATS

    table = sc.table(sc.Repeat(sc.Linear(d), L), (n, d))
    assert "block_#" in str(table)
    assert table._repr_html_().startswith("<")
    assert table._repr_latex_()
    assert "L*d**2*n" in str(table.subs(n=2)).replace("2*L*d**2", "L*d**2*n")
    for render in FORMATS.values():
        assert "d**2" in (text := render(table)) or "d^{2}" in text


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("4*d", 4 * d),
        (sympy.Integer(3), 3),
        ("ceiling(h/2)", sympy.ceiling(h / 2)),
        ("Mod(h, 2)", h - 2 * sympy.floor(h / 2)),
        ("Max(a, b)", sc.parse("Max(a, b)")),
    ],
)
def test_sizes_are_read_from_what_people_write(value: object, made: object) -> None:
    assert sc.equal(plain(size(value, "d")), made)


def test_sizes_are_divided_exactly() -> None:
    assert (ratio(6, 4), floor_ratio(7, 2), ceil_ratio(7, 2), largest([1, 3])) == (Fraction(3, 2), 3, 4, 3)
    assert plain(ratio(size("d", "d"), 2)) == d / 2


def test_symbols_must_be_positive_integers() -> None:
    with pytest.raises(sc.ShapeError, match=r"the symbol x is not a positive integer: make it with symcost\.symbols"):
        sc.Linear(sympy.Symbol("x"))
    with pytest.raises(sc.ShapeError, match="is not part of a size: use"):
        sc.Linear(sympy.sin(d))


GROWING = [
    sc.Repeat(sc.Branch(sc.Identity(), sc.Linear(e)), L),
    sc.Sequential(
        sc.Linear(40), sc.Repeat(sc.Branch(sc.Linear(3), sc.Identity(), sc.Sequential(sc.LayerNorm(), sc.Linear(e))), L)
    ),
    sc.Residual(sc.Sequential(sc.Repeat(sc.Branch(sc.Identity(), sc.Linear(e)), L), sc.Linear(d))),
    sc.Repeat(sc.Sequential(sc.Repeat(sc.Branch(sc.Identity(), sc.Linear(e)), L), sc.GELU()), 2),
]  # fmt: skip
"""Blocks that add channels, as DenseNet's do."""


@pytest.mark.parametrize("net", GROWING)
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_blocks_that_grow_are_summed_in_closed_form(net: Layer, depth: int) -> None:
    table = sc.table(net, (n, d))
    point = {name: value for name, value in dict(n=2, d=7, e=3, L=depth).items() if name in table.symbols}
    own = {name: value for name, value in point.items() if name in "eL" or (name == "d" and net is GROWING[2])}
    exact = sc.table(net.subs(**own), (2, 7))
    for convention in (*sc.CONVENTIONS, "torchvision", "fvcore"):
        assert table.subs(**point).total(convention) == exact.total(convention)
        assert table.total(convention).map(lambda value: sc.evaluate(value, point)) == exact.total(convention)
    assert [row.path for row in table.subs(**point).rows] == [row.path for row in exact.rows]
    for rule in ("textbook", "liveness"):
        assert table.subs(**point).peak(rule) == exact.peak(rule)
        if depth > 1:  # a single block leaves the formula an upper bound
            assert sc.evaluate(table.peak(rule), point) == exact.peak(rule)
        assert sc.evaluate(table.peak(rule), point) >= exact.peak(rule)


def test_a_growing_cost_that_is_no_polynomial_needs_a_number() -> None:
    @dataclass(frozen=True)
    class Half(Layer):
        """An operation for every second channel."""

        def forward(self, tape: Tape, x: Tensor) -> Tensor:
            return tape.emit(self.kind, x, x, flops=x.n * floor_ratio(x.channels, 2))

    block = sc.Branch(Half(), sc.Linear(1))
    with pytest.raises(sc.ShapeError, match=r"grows by 1 channels, .* no sum in closed form: give times=L as a number"):
        sc.table(sc.Repeat(block, L), (1, 4))
    assert sc.table(sc.Repeat(block, 2), (1, 4)).flops == 2 + 2 * 4 + 1 + 2 + 2 * 5 + 1


def test_a_block_that_runs_zero_times_has_no_part_in_the_peak() -> None:
    net = sc.Sequential(sc.Linear(4), sc.Repeat(sc.Sequential(sc.Linear(100), sc.Linear(4)), "L - 1"))
    table = sc.table(net, ("n", 4))
    for rule in ("textbook", "liveness"):
        assert [table.subs(n=1, L=L).peak(rule) for L in (1, 2)] == [8, 104]


@pytest.mark.parametrize("times", ["L", 10**9])
def test_blocks_that_keep_their_width_are_one_row_whatever_their_number(times: object) -> None:
    table = sc.table(sc.Repeat(sc.Sequential(mix=sc.Linear("d"), act=sc.ReLU()), times), ("n", "d"))
    at = table.subs(n=1, d=8, **({"L": 10**9} if times == "L" else {}))
    assert not table.grows
    assert [row.path for row in at.rows] == ["", "block_#/mix", "block_#/act"]
    assert (at.macs, at.peak()) == (64 * 10**9, 16)
