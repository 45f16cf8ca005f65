"""State: what a model keeps between calls beside its parameters, in elements and in bytes, and where it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

import symcost as sc
from symcost.cli.main import main
from symcost.costs.saved.format import digest
from symcost.gates.audit.claims import Claim
from symcost.gates.audit.judge import audit
from symcost.gates.budgets.check import against
from symcost.gates.budgets.read import read
from symcost.gates.diff.compare import compare
from symcost.models.catalog import reference
from symcost.report import FORMATS
from symcost.report.formats import csv, latex, markdown, notebook
from symcost.report.formats.json import document
from symcost.report.page.render import render
from symcost.report.words import facts


class Normed(nn.Module):
    """A layer and a batch norm, trained or not, its averages in a type."""

    d: int
    train: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.Dense(self.d, name="fc")(x)
        return nn.BatchNorm(use_running_average=not self.train, dtype=self.dtype, name="bn")(x)


class Cached(nn.Module):
    """One step of decoding against M keys that are kept."""

    d: int
    M: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        keys = self.variable("cache", "keys", jnp.zeros, (x.shape[0], self.M, self.d), jnp.bfloat16)
        index = self.variable("cache", "index", jnp.zeros, (), jnp.int32)
        key = nn.Dense(self.d, name="key", dtype=jnp.bfloat16, param_dtype=jnp.bfloat16)(x)
        keys.value = jax.lax.dynamic_update_slice(keys.value, key, (0, index.value, 0))
        index.value = index.value + 1
        return jnp.einsum("nqd,nkd->nqk", key, keys.value)


class Nnx(nnx.Module):
    """Norm, dropout with its random stream, and a variable of one's own."""

    def __init__(self, d: int, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(3, d, rngs=rngs)
        self.bn = nnx.BatchNorm(d, rngs=rngs)
        self.drop = nnx.Dropout(0.1, rngs=rngs)
        self.seen = nnx.Variable(jnp.zeros((d, 2), jnp.int32))

    def __call__(self, x: Any) -> Any:
        return self.drop(self.bn(self.linear(x)))


class Scanned(nn.Module):
    """Blocks with norms that a scan repeats: their averages are stacked."""

    L: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        def body(block: Any, x: Any, _: Any) -> Any:
            return block(x), None

        looped = nn.scan(
            body, variable_axes={"params": 0, "batch_stats": 0}, split_rngs={"params": True}, length=self.L
        )
        return looped(Normed(8, name="block"), x, None)[0]


CASES = {
    "linen": (lambda: sc.trace(lambda d: Normed(d), "float32[n,c]"), "2*d", "8*d"),
    "linen, trained": (lambda: sc.trace(lambda d: Normed(d, True), "float32[n,c]", mode="train"), "2*d", "8*d"),
    "nnx": (lambda: sc.trace(Nnx, "float32[n,3]"), "4*d", "16*d"),
    "a cache": (lambda: sc.trace(lambda d, M: Cached(d, M), "bfloat16[n,1,d]"), "n*M*d + 1", "2*n*M*d + 4"),
    "a scan": (lambda: sc.trace(lambda L: Scanned(L), "float32[n,8]"), "16*L", "64*L"),
    "layers": (lambda: sc.table(sc.Repeat(sc.BatchNorm(), "L"), ("n", "c", 8, 8)), "2*c*L", "8*c*L"),
    "none": (lambda: sc.trace(nn.Dense(4), "float32[n,3]"), "0", "0"),
    "a plain function": (lambda: sc.trace_function(jnp.sin, "float32[n]"), "0", "0"),
}


@pytest.mark.parametrize("case", CASES)
def test_state_in_elements_and_bytes(case: str) -> None:
    make, elements, bytes_ = CASES[case]
    costs = make()
    assert sc.equal(costs.state, sc.parse(elements))
    assert sc.equal(sc.state_size(costs), sc.parse(bytes_))
    assert sc.equal(sc.memory(costs).state, sc.parse(bytes_))
    assert costs.total("xla").state == costs.state
    assert costs.total("textbook").state == 0
    at = dict.fromkeys(costs.symbols, 4)
    assert costs.subs(**at).state == sc.evaluate(sc.parse(elements), at)


def test_the_cache_of_a_decoding_attention_is_what_flax_makes() -> None:
    module = nnx.MultiHeadAttention(num_heads=2, in_features=8, decode=True, rngs=nnx.Rngs(0))
    module.init_cache((2, 16, 8))
    kept = jax.tree.leaves(nnx.state(module, nnx.Cache))
    costs = sc.trace(module, "float32[2,1,8]")
    assert costs.state == sum(leaf.size for leaf in kept) == 2 * 2 * 16 * 8 + 1
    assert sc.state_size(costs) == sum(leaf.nbytes for leaf in kept)


def test_random_streams_are_no_state() -> None:
    dropped = sc.trace(lambda d: nnx.Dropout(0.5, rngs=nnx.Rngs(d)), "float32[n,3]", free=("d",))
    assert dropped.state == 0


def test_state_of_a_module_stands_beside_its_parameters() -> None:
    costs = sc.trace(lambda d: Normed(d), "float32[n,c]")
    groups = {group.name: group.total() for group in costs.by_path()}
    assert (groups["bn"].state, groups["bn"].params, groups["fc"].state) == (*2 * [sc.parse("2*d")], 0)


# torchvision 0.29: buffers of the published weights, num_batches_tracked of every norm left out.
BUFFERS = {"resnet18": 9600, "resnet50": 53120, "mobilenet_v2": 34112, "vgg16": 0}


@pytest.mark.parametrize("name", BUFFERS)
def test_moving_averages_of_the_reference_networks(name: str) -> None:
    assert reference(name)().state == BUFFERS[name]


def test_layers_and_their_twin_have_the_same_state() -> None:
    net = sc.Sequential(conv=sc.Conv2d(c_o=8, k=3, p=1), bn=sc.BatchNorm(), relu=sc.ReLU())
    costs = sc.table(net, ("n", 3, 8, 8))
    traced = sc.trace(sc.build(net), "float32[n,8,8,3]")
    assert costs.state == traced.state == 16
    assert {row.path for row in traced.rows if row.cost.state != 0} == {"bn/BatchNorm_0"}


def test_state_that_a_pass_writes_lies_with_the_activations() -> None:
    """A cache is written and averages at inference are not: SRAM for the one, flash for the others."""
    norm = sc.trace(Normed(16), "float32[1,8]")
    found = sc.memory(norm)
    assert (found.state, found.constant) == (128, 128)
    assert found.total == found.weights + found.activations + 128
    sram, flash = sc.fits(norm, "stm32f746").limits
    assert flash.needed == 4 * norm.params + 128
    assert sram.needed == norm.peak("liveness", "bytes")
    cache = sc.trace(Int8Cache(), "int8[1,8]")
    sram, flash = sc.fits(cache, "stm32f746").limits
    assert sc.memory(cache).constant == 0
    assert sram.needed == cache.peak("liveness", "bytes") + 256
    assert flash.needed == 64


class Int8Cache(nn.Module):
    """A row of a cache is replaced at every call."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        kept = self.variable("cache", "rows", jnp.zeros, (32, 8), jnp.int8)
        kernel = self.param("kernel", lambda key: jnp.zeros((8, 8), jnp.int8))
        kept.value = jax.lax.dynamic_update_slice(kept.value, x, (0, 0))
        return jax.lax.dot(x, kernel, preferred_element_type=jnp.int32)


def test_state_is_part_of_training_memory() -> None:
    costs = sc.trace(lambda d: Normed(d, True), "float32[n,c]", mode="train")
    found = sc.training_memory(costs)
    assert sc.equal(found.state, sc.parse("8*d"))
    assert sc.equal(found.total, found.params + found.gradients + found.residuals + found.state)


def test_one_memory_holds_weights_activations_and_state() -> None:
    costs = sc.trace(lambda d: Normed(d), "float32[n,c]").subs(n=2, c=8, d=16)
    (limit,) = sc.fits(costs, "nvidia-a100-sxm-80gb").limits
    assert limit.needed == sc.memory(costs).total


def test_state_is_in_every_report() -> None:
    costs = sc.trace(lambda d: Normed(d), "float32[n,c]")
    assert facts.TITLES["state"] == "state"
    assert "2*d state" in FORMATS["text"](costs)
    for shown in (costs.details(120), markdown.render(costs), notebook.html(costs), latex.render(costs)):
        assert "state (full" in shown
    assert ("state", "full") in csv.COLUMNS
    found = document(costs)
    assert (found["totals"]["state"], found["conventions"]["full"]["state"]) == ("2*d", "2*d")
    assert "elements of state: 2*d" in costs.explain()
    assert '"state"' in render([("net", costs)])
    plain = sc.trace(nn.Dense(4), "float32[n,3]")
    assert "state" not in plain.details()
    assert "state" not in FORMATS["text"](plain)


def test_state_is_saved_and_loaded(tmp_path: Path) -> None:
    costs = sc.trace(lambda d, M: Cached(d, M), "bfloat16[n,1,d]")
    costs.save(tmp_path / "cache.json")
    loaded = sc.load(tmp_path / "cache.json")
    assert loaded.state == costs.state
    assert sc.memory(loaded) == sc.memory(costs)


@pytest.mark.parametrize("traced", [True, False])
def test_state_of_an_older_file_follows_from_its_rows(traced: bool, tmp_path: Path) -> None:
    costs = sc.trace(Nnx, "float32[n,3]") if traced else sc.models.resnet18(n="n")
    found = json.loads(json.dumps(document(costs)))
    found["format"] = 1
    for part in (found["totals"], *found["conventions"].values()):
        part.pop("state", None)
    for row in found["rows"]:
        for key in ("dtype", "in_dtypes", "written"):
            row.pop(key, None)
        for convention in ("full", "textbook", "xla"):
            row[convention].pop("state", None)
        row["op"] = row["op"].replace("rngs ", "state ")  # random streams stood among the state
    (tmp_path / "old.json").write_text(json.dumps({**found, "digest": digest(found)}))
    loaded = sc.load(tmp_path / "old.json")
    assert sc.equal(loaded.state, costs.state)
    assert sc.equal(loaded.total("xla").state, costs.state)


def test_state_has_a_budget(tmp_path: Path) -> None:
    costs = sc.models.resnet18()
    path = tmp_path / "symcost.toml"
    path.write_text('[models.x]\nmodel = "x"\n[[models.x.budgets]]\nstate = 9_599\nstate_bytes = "38_400 B"\n')
    (model,) = read(path).models
    elements, bytes_ = against(model.budgets[0], costs, "x")
    assert (bool(elements), elements.value, bool(bytes_), bytes_.value) == (False, 9600, True, 38400)
    assert bytes_.note == "float32: assumed, the table says no number types"
    assert sum(share for _, share in elements.heaviest) <= 1


def test_state_in_conditions_of_sweeps_and_solve() -> None:
    costs = sc.table(sc.Sequential(fc=sc.Conv2d(c_o="d", k=1), bn=sc.BatchNorm()), (1, 3, 8, 8))
    assert int(sc.count(costs, sc.Space({"d": range(1, 100)}), "state <= 40")) == 20
    assert int(sc.count(costs, sc.Space({"d": range(1, 100)}), "state_size <= 40")) == 5
    assert int(sc.solve(costs, "state <= 40", largest="d")) == 20
    assert int(sc.solve(costs, "state_bytes <= 40", largest="d")) == 5
    fits = sc.solve(costs, "fits", largest="d", on="stm32f746", dtype="int8")
    text = [text for text, _, _ in fits.constraints]
    assert text == ["activation_bytes <= 327680 (sram)", "weight_bytes + state_bytes <= 1048576 (flash)"]


def test_a_difference_tells_of_state() -> None:
    old, new = (sc.table(sc.Sequential(*layers), (1, 3, 8, 8)) for layers in ([sc.ReLU()], [sc.ReLU(), sc.BatchNorm()]))
    found = {change.name: change.difference for change in compare(old, new).totals}
    assert found["state (full)"] == 6


@pytest.mark.parametrize(("quantity", "value"), [("state", "9600"), ("Buffers", "9.6 k")])
def test_claims_of_state_are_judged(quantity: str, value: str) -> None:
    (finding,) = audit([Claim(1, "resnet18", quantity, value)])
    assert finding.right
    assert not audit([Claim(1, "resnet18", quantity, "9601")])[0].right


def test_the_command_line_counts_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "resnet18", "--device", "nvidia-a100-sxm-80gb"]) == 0
    shown = capsys.readouterr().out
    assert "state                          38.4 kB" in shown
    assert "number types                   float32: assumed, the table says no number types" in shown
    assert main(["fits", "mcunet_in1", "--device", "stm32f746"]) == 0
    assert "int8: assumed, the table says no number types" in capsys.readouterr().out
