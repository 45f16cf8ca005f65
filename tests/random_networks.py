"""Random networks of Flax layers that keep their shapes in order, and points of the domains of their closed forms."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from random_models import ACTIVATIONS, Layer, Network, layer, network

from symcost.costs.table import CostTable
from symcost.tracing.domain.pieces import Pieces

FULL_WIDTH = (1, 0)  # the pair (a, b) is the size a d + b
MAX_STRIDE = 12  # all strides of a network together: maps of 200 pixels stay larger than any window


# -- layers --------------------------------------------------------------------------------------------------------
@st.composite
def windows(draw: st.DrawFn, rank: int, largest: int = 5) -> tuple[int, ...]:
    """One size per spatial dimension."""
    if draw(st.booleans()):
        return (draw(st.integers(1, largest)),) * rank
    return tuple(draw(st.integers(1, largest)) for _ in range(rank))


def explicit(rank: int) -> st.SearchStrategy[Any]:
    """Padding written out, low and high apart."""
    return st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * rank)


@st.composite
def convolutions(draw: st.DrawFn, state: State, same: bool = False) -> list[Layer]:
    """A convolution; ``same`` keeps all sizes."""
    rank, (a, b) = state.rank, state.width
    kernel = draw(windows(rank))
    dilation = (draw(st.integers(1, 2)),) * rank
    strides = (1,) * rank if same else state.strides(draw)
    paddings = [st.just("SAME"), st.just("CIRCULAR")] + [st.just("CAUSAL")] * (rank == 1)
    if same:
        features, groups = state.width, draw(st.sampled_from([1, "all"]))
    else:
        paddings += [st.just("VALID"), explicit(rank)]
        groups = draw(st.sampled_from([1, 1, "all", *(g for g in (2, 3, 4) if a % g == 0 and b % g == 0)]))
        per_group = draw(st.sampled_from([(1, 0), (2, 0), (0, 4), (3, 2)]))
        features = state.width if groups == "all" else tuple(groups * p for p in per_group)
    state.width = features
    padding = draw(st.one_of(paddings))
    return [layer("conv", features=features, kernel=kernel, strides=strides, dilation=dilation, groups=groups,
                  padding=padding, bias=draw(st.booleans()))]  # fmt: skip


@st.composite
def transposed(draw: st.DrawFn, state: State) -> list[Layer]:
    """A transposed convolution."""
    state.width = draw(st.sampled_from([(1, 0), (0, 5), (2, 1)]))
    strides = (draw(st.integers(1, 3)),) * state.rank
    return [layer("conv_transpose", features=state.width, kernel=draw(windows(state.rank)), strides=strides,
                  padding=draw(st.sampled_from(["SAME", "VALID"])))]  # fmt: skip


@st.composite
def poolings(draw: st.DrawFn, state: State) -> list[Layer]:
    """Max or average pooling."""
    kind = draw(st.sampled_from(["max", "avg"]))
    window = draw(windows(state.rank, 4))
    padding = draw(st.one_of(st.just("SAME"), st.just("VALID"), explicit(state.rank)))
    options = {"count_include_pad": draw(st.booleans())} if kind == "avg" else {}
    return [layer("pool", op=kind, window=window, strides=state.strides(draw), padding=padding, **options)]


@st.composite
def norms(draw: st.DrawFn, state: State) -> list[Layer]:
    """A normalisation; group norms only where the groups divide the channels for certain."""
    a, b = state.width
    kinds = ["layer_norm", "rms_norm", "batch_norm", "instance_norm", *(["group_norm"] if state.known else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "group_norm":
        return [layer(kind, groups=draw(st.sampled_from([g for g in (1, 2, 4) if a % g == 0 and b % g == 0])))]
    if kind == "batch_norm":
        return [layer(kind, running=draw(st.booleans()))]
    return [layer(kind, scale=draw(st.booleans())) if kind == "layer_norm" else layer(kind)]


def activations() -> st.SearchStrategy[list[Layer]]:
    """An activation, or dropout on or off."""
    names = st.sampled_from(sorted(ACTIVATIONS)).map(lambda name: [layer("activation", name=name)])
    dropout = st.booleans().map(lambda active: [layer("dropout", rate=0.25, active=active)])
    return st.one_of(names, names, names, dropout, st.just([layer("normalise")]))


@st.composite
def dense(draw: st.DrawFn, state: State) -> list[Layer]:
    """A dense layer over the channels."""
    state.width, state.known = draw(st.sampled_from([(1, 0), (4, 0), (0, 10), (2, 3)])), True
    return [layer("dense", features=state.width, bias=draw(st.booleans()))]


@st.composite
def attentions(draw: st.DrawFn, state: State) -> list[Layer]:
    """Multi-head self-attention on sequences, its width a multiple of the heads or not for certain."""
    heads = draw(st.sampled_from([1, 2, 3, "H"]))
    hidden = (1, 0) if heads == "H" else draw(st.sampled_from([(1, 0), (heads, 0), (0, 4 * heads), (2 * heads, 0)]))
    return [layer("attention", heads=heads, hidden=hidden, masked=draw(st.booleans()),
                  dropout=draw(st.sampled_from([0.0, 0.0, 0.1])))]  # fmt: skip


@st.composite
def preserving(draw: st.DrawFn, state: State) -> list[Layer]:
    """A few layers that give back the shape they get: what a residual block may hold."""
    width = state.width
    layers = draw(norms(state)) if draw(st.booleans()) else []
    kind = draw(st.sampled_from(["conv", "dense", "gate", "glu", *(["attention"] * 2 if state.rank == 1 else [])]))
    if kind == "conv" and state.rank:
        layers += draw(convolutions(state, same=True))
    elif kind == "attention":
        layers += draw(attentions(state))
    elif kind == "gate" and state.rank:
        share = draw(st.sampled_from([1, 2, 4]))
        layers += [
            layer(
                "gate",
                [layer("dense", features=("share", share)), *draw(activations()), layer("dense", features=width)],
            )
        ]
    elif kind == "glu":
        wide = layer("dense", features=draw(st.sampled_from([(2, 0), (0, 6)])))
        layers += [layer("glu", [wide], [wide]), layer("dense", features=width)]
    else:
        layers += [*draw(dense(state)), *draw(activations()), layer("dense", features=width)]
    state.width = width
    return [layer("residual", layers)] if draw(st.booleans()) else layers + draw(activations())


@st.composite
def repeats(draw: st.DrawFn, state: State) -> list[Layer]:
    """``L`` identical blocks, or blocks that each add channels."""
    if draw(st.integers(0, 4)) == 0:
        state.known, growth = False, draw(st.sampled_from([(1, 0), (0, 4)]))
        kind = "dense" if state.rank == 0 else draw(st.sampled_from(["dense", "conv"]))
        grow = layer("dense", features=growth) if kind == "dense" else layer(
            "conv", features=growth, kernel=(3,) * state.rank, strides=(1,) * state.rank, dilation=(1,) * state.rank,
            groups=1, padding="SAME", bias=True)  # fmt: skip
        chain = [layer("concat", [*draw(activations()), grow])]
        return [layer("repeat", chain, how="loop"), *draw(dense(state))]
    how = draw(st.sampled_from(["loop", "loop", "scan", "remat", "remat_scan"]))
    return [layer("repeat", draw(preserving(state)), how=how)]


@st.composite
def shrinking(draw: st.DrawFn, state: State) -> list[Layer]:
    """Two ways to the same smaller map, added; or an enlarged map."""
    if draw(st.booleans()):
        # The order of a bilinear resize's products depends on which axis is longer: another program, so one axis only.
        method = draw(st.sampled_from(["nearest", "bilinear"])) if state.rank == 1 else "nearest"
        return [layer("resize", times=draw(st.integers(1, 3)), method=method)]
    strides, ones = state.strides(draw), (1,) * state.rank
    common = {
        "strides": strides,
        "dilation": ones,
        "groups": 1,
        "bias": False,
        "features": FULL_WIDTH,
        "padding": "SAME",
    }
    left = [layer("conv", kernel=draw(windows(state.rank)), **common)]
    pooled = [
        layer("pool", op="avg", window=strides, strides=strides, padding="SAME"),
        layer("dense", features=FULL_WIDTH),
    ]
    right = draw(st.sampled_from([[layer("conv", kernel=ones, **common)], pooled]))
    state.width = FULL_WIDTH
    return [layer("add", left, right)]


class State:
    """What the layers so far leave: number of spatial dimensions, width, and the strides' product."""

    def __init__(self, rank: int, width: tuple[int, int], known: bool = True) -> None:
        self.rank, self.width, self.known, self.stride = rank, width, known, 1

    def strides(self, draw: st.DrawFn) -> tuple[int, ...]:
        """Strides that leave the map large enough."""
        strides = tuple(draw(st.sampled_from([1, 2, 3])) for _ in range(self.rank))
        if self.stride * max(strides) > MAX_STRIDE:
            return (1,) * self.rank
        self.stride *= max(strides)
        return strides


def pieces(state: State) -> list[st.SearchStrategy[list[Layer]]]:
    """What may stand in the middle of a network."""
    common = [norms(state), activations(), dense(state), preserving(state), preserving(state), repeats(state)]
    if state.rank == 0:
        return common
    spatial = [convolutions(state), convolutions(state), poolings(state), transposed(state), shrinking(state)]
    return common + spatial + ([attentions(state)] if state.rank == 1 else [])


# -- networks ------------------------------------------------------------------------------------------------------
SPECS = {
    "image": ["{n},{r},{r},3", "{n},{h},{w},4", "{n},16*{k},16*{k},3", "{n},{r},{r},{d}"],
    "volume": ["{n},{t},{r},{r},2", "{n},{c}", "{n},{d}"],
    "sequence": ["{n},{N},{d}", "{n},{N},{d}", "{n},{N},6"],
    "tokens": ["{n},{N}"],
}
RNN_CELLS = ["GRUCell", "LSTMCell", "SimpleCell"]


def used(layers: Any) -> set[str]:
    """Symbols of the factory that the layers read."""
    found: set[str] = set()
    for what in layers:
        found |= {"L"} if what.kind == "repeat" else set()
        for name, value in what.options:
            found |= {value} if value in ("H", "V") else set()
            is_size = name in ("features", "hidden", "groups") and isinstance(value, tuple) and value[0] != "share"
            found |= {"d"} if is_size and value[0] else set()
        for chain in what.inner:
            found |= used(chain)
    return found


@st.composite
def networks(draw: st.DrawFn, family: str, api: str, mode: str) -> Network:
    """A network with one to three symbols; the other sizes are numbers."""
    dims = draw(st.sampled_from(SPECS[family] if api == "linen" else [s for s in SPECS[family] if "{c}" not in s]))
    last = dims.rsplit(",", 1)[-1]
    rank = dims.count(",") - 1
    state = State(rank, (0, int(last)) if last.isdigit() else FULL_WIDTH, known="{c}" not in dims)
    layers: list[Layer] = []
    if family == "tokens":
        state = State(1, FULL_WIDTH)
        layers.append(layer("embed", vocabulary=draw(st.sampled_from(["V", 50])), features=FULL_WIDTH))
        layers += [layer("positions")] if api == "linen" and draw(st.booleans()) else []
    elif rank > 1 or "{c}" in dims:
        layers += draw(convolutions(state) if rank else dense(state))
    for _ in range(draw(st.integers(1, 2 if mode == "train" else 3))):
        layers += draw(st.one_of(pieces(state)))
    if state.rank == 1 and draw(st.integers(0, 5)) == 0:
        layers.append(layer("rnn", cell=draw(st.sampled_from(RNN_CELLS)), features=(1, 0)))
    if state.rank and draw(st.booleans()):
        heads = [
            "mean",
            "max",
            *(["tokens"] * (rank > 1)),
            *(["flatten"] * (api == "linen")),
            *(["first"] * (rank == 1)),
        ]
        layers += [
            layer(draw(st.sampled_from(heads))),
            layer("dense", features=draw(st.sampled_from([(0, 10), (1, 0)]))),
        ]
    own = used(layers) | ({"d"} if api == "nnx" and "{d}" in dims else set())
    names = sorted({part.split("}")[0] for part in dims.split("{")[1:]} | own)
    most = draw(st.sampled_from([1, 2, 2] if mode == "train" else [1, 2, 2, 3]))
    free = draw(st.lists(st.sampled_from(names), min_size=1, max_size=most, unique=True))
    fixed = {"n": 2, "r": 203, "h": 214, "w": 201, "k": 13, "t": 200, "N": 24, "c": 9, "H": 2, "V": 11,
             "d": draw(st.sampled_from([12, 24])), "L": draw(st.integers(1, 3))}  # fmt: skip
    if rank == 1 and state.stride > 1:
        fixed["N"] = 207
    spec = dims.format(**{name: name if name in free else fixed[name] for name in names})
    dtype = "int32" if family == "tokens" else "float32"
    return network(api, f"{dtype}[{spec}]", layers, tuple(n for n in sorted(own) if n in free),
                   **{n: fixed[n] for n in sorted(own) if n not in free})  # fmt: skip


def sides(domain: Any) -> list[Any]:
    """The domains of a form's pieces; of one in one piece its own."""
    return [*sides(domain.there), *sides(domain.elsewhere)] if isinstance(domain, Pieces) else [domain]


def inside(lifted: CostTable, offsets: list[int]) -> dict[str, int]:
    """The point of a domain that numbers from 0 on pick."""
    point: dict[str, int] = {}
    first = sides(lifted.domain)[0]  # numbers are picked about the first side of every decision
    for name, offset in zip(lifted.symbols, offsets, strict=False):
        step, low = first.steps.get(name, 1), first.at_least.get(name, 1)
        value = -(-(low + (offset % 4 if name == "L" else offset)) // step) * step
        value = min(value, first.at_most.get(name, value) // step * step)
        while lifted.domain.problem({**point, name: value}) is not None:
            value += step
            assert value < 10_000, f"no value of {name} fits {point} in the domain {lifted.domain}"
        point[name] = value
    return point
