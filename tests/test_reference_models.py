"""Reference networks: the published figures, the trace of their Flax twins, XLA, and the lectures' table."""

from __future__ import annotations

from collections.abc import Callable

import jax
import pytest
from effort import repeated
from layer_case import compiled, factory, unequal

import symcost as sc
from symcost.layers.layered import PEAKS
from symcost.models.catalog import REFERENCES, Reference

TORCHVISION = "torchvision 0.29.2, models: weights' metadata, num_params and _ops (conv and matmul MACs)"
MCUNET = "github.com/mit-han-lab/mcunet, README, model zoo, #Params and MACs"
GOLDEN = [
    ("alexnet", 60965224, "0.724", "lectures: 60,954,656 weights, 724,406,816 MACs"),
    ("alexnet_torchvision", 61100840, "0.714", TORCHVISION),
    ("vgg11", 132863336, "7.609", TORCHVISION),
    ("vgg13", 133047848, "11.308", TORCHVISION),
    ("vgg16", 138357544, "15.47", TORCHVISION),
    ("vgg19", 143667240, "19.632", TORCHVISION),
    ("resnet18", 11689512, "1.814", TORCHVISION),
    ("resnet34", 21797672, "3.664", TORCHVISION),
    ("resnet50", 25557032, "4.089", TORCHVISION),
    ("resnet101", 44549160, "7.801", TORCHVISION),
    ("resnet152", 60192808, "11.514", TORCHVISION),
    (
        "mobilenet_v1",
        4231976,
        "0.569",
        "arXiv:1704.04861, table 8: 4.2 M, 569 M; trainable in Keras' MobileNet: 4,231,976",
    ),
    ("mobilenet_v2", 3504872, "0.301", TORCHVISION),
    ("squeezenet", 1248424, "0.819", TORCHVISION),
    ("densenet121", 7978856, "2.834", TORCHVISION),
    ("efficientnet_b0", 5288548, "0.386", TORCHVISION),
    ("efficientnet_b1", 7794184, "0.687", TORCHVISION),
    ("efficientnet_b2", 9109994, "1.088", TORCHVISION),
    ("efficientnet_b3", 12233232, "1.827", TORCHVISION),
    ("efficientnet_b4", 19341616, "4.394", TORCHVISION),
    ("efficientnet_b5", 30389784, "10.266", TORCHVISION),
    ("efficientnet_b6", 43040704, "19.068", TORCHVISION),
    ("efficientnet_b7", 66347960, "37.746", TORCHVISION),
    ("convnext_tiny", 28589128, "4.456", TORCHVISION),
    ("vit", 86567656, "17.564", TORCHVISION),
    (
        "efficientvit_b1",
        9102024,
        "0.519",
        "github.com/mit-han-lab/efficientvit, de7d773, applications/efficientvit_cls: 9.1M, 0.52G at 224",
    ),
    ("mcunet_in0", 749840, "0.0064", f"{MCUNET}: 0.75M, 6.4M"),
    ("mcunet_in1", 636232, "0.0128", f"{MCUNET}: 0.64M, 12.8M"),
    ("mcunet_in2", 729392, "0.0673", f"{MCUNET}: 0.73M, 67.3M"),
    ("mcunet_in3", 737408, "0.0818", f"{MCUNET}: 0.74M, 81.8M"),
    ("mcunet_in4", 1732640, "0.1259", f"{MCUNET}: 1.73M, 125.9M"),
    (
        "gpt2",
        124439808,
        "145.824",
        "openai/gpt-2, 124M; 124439808 in Hugging Face's gpt2; no MACs are printed: held by XLA",
    ),
    (
        "llama",
        8030261248,
        "7959.648",
        "arXiv:2407.21783, 8B; 8030261248 in Meta-Llama-3-8B; no MACs are printed: held by XLA",
    ),
]


@pytest.mark.parametrize(("name", "params", "gmacs", "source"), GOLDEN, ids=[row[0] for row in GOLDEN])
def test_totals_are_the_published_ones(name: str, params: int, gmacs: str, source: str) -> None:
    table = REFERENCES[name]()
    assert table.params == params, source
    digits = len(gmacs.partition(".")[2])
    assert round(table.macs, digits - 9) == int(gmacs.replace(".", "")) * 10 ** (9 - digits), source


def test_every_network_has_a_golden_row() -> None:
    assert {name for name, *_ in GOLDEN} == set(REFERENCES)


def test_the_first_llama_has_its_published_parameters() -> None:
    """arXiv:2302.13971, table 2: 6.7B; 6,738,415,616 in the weights of LLaMA 7B."""
    assert sc.models.llama(H_kv=32, d_f=11008, V=32000).params == 6738415616


def test_the_tiny_network_fits_its_microcontroller() -> None:
    """320 kB of memory, 1 MB of flash, 8 bits: the lectures' tiny AI."""
    table = sc.models.mcunet_in1()
    assert table.peak() <= 320_000
    assert sc.model_size(table, bits=8) <= 1_000_000


SMALL = {
    "llama": dict(N=64, d=128, H=8, H_kv=2, d_f=256, V=1000, L=4),
    "gpt2": dict(N=64),
    "efficientnet_b7": dict(r=128),
}
"""Sizes at which the twins are traced, where the published ones take long."""


LARGER = {
    "resnet34", "resnet152", "densenet121", "efficientnet_b0", "efficientnet_b7", "mcunet_in0", "efficientvit_b1",
    "mobilenet_v1",
}  # fmt: skip
"""Of the kind of another that every run compares, with other widths and depths, or of layers that tests/test_layers.py
compares one by one; these the campaign compares.
"""
BETWEEN = {
    "resnet101": "resnet152", **{f"efficientnet_b{i}": "efficientnet_b7" for i in range(1, 7)},
    **{f"mcunet_in{i}": "mcunet_in0" for i in range(1, 5)},
}  # fmt: skip
"""Sizes of a family, and the one that the campaign compares; the whole campaign alone compares all."""


def marks(name: str) -> list[pytest.MarkDecorator]:
    """Which runs compare a network."""
    if name in BETWEEN:
        return repeated(f"in {BETWEEN[name]}")
    return [pytest.mark.campaign] * (name in LARGER)


ROWS = [pytest.param(entry, id=name, marks=marks(name)) for name, entry in REFERENCES.items()]


def test_every_family_is_compared() -> None:
    assert REFERENCES.keys() >= {*BETWEEN} | LARGER
    assert {*BETWEEN.values()} <= LARGER - BETWEEN.keys()


@pytest.mark.parametrize("entry", ROWS)
def test_layers_equal_the_trace_and_xla(entry: Reference) -> None:
    """At concrete sizes, through the tracer's count of the program as it stands; XLA is asked here, once."""
    table = entry(**{"r": min(entry.r, 224), **SMALL.get(entry.name, {})} if "r" in entry.sizes else SMALL[entry.name])
    module = sc.build(table.net)
    n, *rest = table.input
    shape = (n, *rest[1:], rest[0]) if len(rest) == 3 else table.input
    traced = sc.trace(module, f"{entry.dtype}[{','.join(map(str, shape))}]", referee=False)
    assert unequal(table, traced) == []
    assert [table.peak(rule) for rule in PEAKS] == [traced.peak(rule) for rule in PEAKS]
    params, xla = compiled(module, jax.ShapeDtypeStruct(shape, entry.dtype))
    total = table.total("xla")
    assert (total.params, total.flops, total.transcendentals) == (params, xla.flops, xla.transcendentals)


SYMBOLIC = [
    ("alexnet", "float32[n,r,r,3]", dict(n="n", r="r", classes="C")),
    ("resnet18", "float32[n,r,r,3]", dict(n="n", r="r", w="w", classes="C")),
    ("vit", "float32[n,224,224,3]", dict(n="n", d="d", L="L", d_f="f", classes="C")),
    ("gpt2", "int32[n,N]", dict(n="n", N="N", d="d", L="L", V="V")),
    ("llama", "int32[n,N]", dict(n="n", N="N", d="d", H=8, H_kv=2, d_f="f", L="L", V="V")),
]


DEEP = {"resnet18", "vit", "gpt2", "llama"}
"""Left to the campaign: depths of layers are symbols in ``test_layers.py`` too."""


@pytest.mark.parametrize(
    ("name", "spec", "symbols"),
    [pytest.param(*row, id=row[0], marks=[pytest.mark.campaign] * (row[0] in DEEP)) for row in SYMBOLIC],
)
def test_layers_equal_the_trace_in_symbols(name: str, spec: str, symbols: dict[str, object]) -> None:
    table = REFERENCES[name](**symbols)
    assert unequal(table, sc.trace(factory(table.net), spec, referee=False)) == []


LECTURES = [
    ("conv1", (96, 55, 55), 34848, 105415200, 290400),
    ("pool1", (96, 27, 27), 0, 0, 69984),
    ("conv2", (256, 27, 27), 307200, 223948800, 186624),
    ("pool2", (256, 13, 13), 0, 0, 43264),
    ("conv3", (384, 13, 13), 884736, 149520384, 64896),
    ("conv4", (384, 13, 13), 663552, 112140288, 64896),
    ("conv5", (256, 13, 13), 442368, 74760192, 43264),
    ("pool5", (256, 6, 6), 0, 0, 9216),
    ("fc6", (4096,), 37748736, 37748736, 4096),
    ("fc7", (4096,), 16777216, 16777216, 4096),
    ("fc8", (1000,), 4096000, 4096000, 1000),
]
"""EfficientML.ai and Foundations of Edge AI: AlexNet with groups, batch 1, bias ignored, padding counted."""


def test_alexnet_is_the_lectures_line_by_line() -> None:
    table = sc.models.alexnet()
    found = {row.path: row for row in table.rows}
    for name, out, params, macs, activations in LECTURES:
        row = found[name]
        cost = row.under("textbook")
        assert (row.out[1:], cost.params, cost.macs, cost.activations) == (out, params, macs, activations)
    total = table.total("textbook")
    assert (total.params, total.macs, total.activations) == (60954656, 724406816, 932264)
    assert table.peak("textbook") == 440928
    assert sc.model_size(table, 32, convention="textbook") == 243818624
    assert sc.model_size(table, 8, convention="textbook") == 60954656


SHAPES = [(4, 3, 0, 1, 2), (6, 4, 1, 1, 5), (5, 3, 1, 1, 5), (5, 3, 2, 1, 7), (7, 3, 0, 2, 3), (224, 11, 2, 4, 55),
          (55, 3, 0, 2, 27), (27, 5, 2, 1, 27), (13, 3, 0, 2, 6)]  # fmt: skip


@pytest.mark.parametrize(("h", "k", "p", "s", "out"), SHAPES)
def test_convolutions_have_the_lectures_output_sizes(h: int, k: int, p: int, s: int, out: int) -> None:
    assert sc.Conv2d(c_o=1, k=k, p=p, s=s).out((1, 1, h, h)) == (1, 1, out, out)


def test_a_symbolic_network_takes_its_numbers_back() -> None:
    table = sc.models.resnet50(n="n", r="r", L1="L1", L2="L2", L3="L3", L4="L4", w="w", classes="C")
    at = table.subs(n=1, r=224, L1=3, L2=4, L3=6, L4=3, w=64, C=1000)
    for convention in (*sc.CONVENTIONS, "torchvision", "fvcore"):
        assert at.total(convention) == sc.models.resnet50().total(convention)
    assert at.peak() == sc.models.resnet50().peak()


SCALED = [
    ("mobilenet_v1", dict(width="a/20"), lambda a: dict(width=f"{a}/20")),
    ("mobilenet_v2", dict(width="a/20"), lambda a: dict(width=f"{a}/20")),
    ("efficientnet_b0", dict(width="a/10", depth="a/5"), lambda a: dict(width=f"{a}/10", depth=f"{a}/5")),
]


@pytest.mark.parametrize(("name", "symbols", "numbers"), SCALED, ids=[row[0] for row in SCALED])
def test_multipliers_may_be_symbols(
    name: str, symbols: dict[str, str], numbers: Callable[[int], dict[str, str]]
) -> None:
    """At every multiplier of the lattice the formula is the network's own count, or the point is refused with a reason."""
    table, refused = REFERENCES[name](**symbols), []
    for a in range(1, 45):
        if problem := table.domain.problem({"a": a}):
            assert "the input goes around the body where both have one shape" in problem
            refused.append(a)
            continue
        own = REFERENCES[name](**numbers(a))
        for convention in (*sc.CONVENTIONS, "torchvision", "fvcore"):
            assert table.subs(a=a).total(convention) == own.total(convention)
        assert [table.subs(a=a).peak(rule) for rule in PEAKS] == [own.peak(rule) for rule in PEAKS]
    assert all(a < 10 for a in refused)  # 1.4, 1.3, 1, 0.75, 0.5, 0.35 and B0 to B7 are published


DENSENETS = [
    ((6, 12, 24, 16), 7978856, 2834),
    ((6, 12, 32, 32), 14149480, 3360),
    ((6, 12, 48, 32), 20013928, 4291),
]


@pytest.mark.parametrize(("depths", "params", "mmacs"), DENSENETS)
def test_depths_of_densenet_are_symbols(depths: tuple[int, ...], params: int, mmacs: int) -> None:
    """DenseNet-121, 169 and 201: torchvision 0.29.2, weights' metadata; every layer adds ``growth`` channels."""
    names = ("L1", "L2", "L3", "L4")
    table = sc.models.densenet121(**{name: name for name in names}, growth="k", n="n", classes="C")
    at = table.subs(n=1, C=1000, k=32, **dict(zip(names, depths, strict=True)))
    own = sc.models.densenet121(**dict(zip(names, depths, strict=True)))
    for convention in (*sc.CONVENTIONS, "torchvision", "fvcore"):
        assert at.total(convention) == own.total(convention)
    assert (at.params, round(at.macs, -6)) == (params, mmacs * 10**6)
    assert [at.peak(rule) for rule in PEAKS] == [own.peak(rule) for rule in PEAKS]


def test_coefficients_of_efficientnet_give_every_one_of_them() -> None:
    """arXiv:1905.11946 and its code: width and depth of B0 to B7 in tenths."""
    table = sc.models.efficientnet_b0(width="a/10", depth="b/10", r="r")
    for index, (a, b) in enumerate([(10, 10), (10, 11), (11, 12), (12, 14), (14, 18), (16, 22), (18, 26), (20, 31)]):
        entry = REFERENCES[f"efficientnet_b{index}"]
        assert table.subs(a=a, b=b, r=entry.r).total("full") == entry().total("full")


BAD_MULTIPLIERS = [
    ("wide?", "width=wide? cannot be read as a multiplier: give a number such as 1.4 or 7/5, or an expression of"),
    ("a - b", "width=a - b must be positive whatever its symbols are: give one such as a/20"),
    ("1/0", "width=1/0 must be a number such as 1.4 or 7/5: give one"),
    ("-0.5", "width=-0.5 must be positive: give one such as 0.75"),
    ("0", "width=0 must be positive: give one such as 0.75"),
]


@pytest.mark.parametrize(("width", "message"), BAD_MULTIPLIERS)
def test_multipliers_that_make_no_sense_are_errors(width: str, message: str) -> None:
    with pytest.raises(sc.ShapeError) as problem:
        sc.models.mobilenet_v2(width=width)
    assert str(problem.value).startswith(message)


def test_unknown_networks_offer_the_nearest() -> None:
    with pytest.raises(AttributeError, match="unknown model 'resnet5': did you mean resnet50"):
        _ = sc.models.resnet5
    with pytest.raises(sc.SymcostError, match="alexnet has no parameter 'clases': it has n, r, classes; did you mean"):
        sc.models.alexnet(clases=3)
    assert set(REFERENCES) <= set(dir(sc.models))
