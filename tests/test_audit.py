"""Audits: the lectures' misprints, every published row, the usual slips, and tables that cannot be read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import symcost as sc
from symcost.cli.layers import claimed
from symcost.gates.audit.claims import Claim, read
from symcost.gates.audit.formulas import formula, slip
from symcost.gates.audit.judge import audit
from symcost.gates.audit.printed import read as read_number
from symcost.gates.audit.quantities import quantity
from symcost.gates.audit.slips import digits

EXAMPLES = Path(__file__).parents[1] / "examples"


def found(model: str, quantity: str, value: str, **more: Any) -> tuple[bool, str, str]:
    """Verdict, right value and reason of one claim."""
    (finding,) = audit([Claim(2, model, quantity, value, **more)])
    return finding.right, finding.actual, finding.because


def test_the_lectures_misprints_are_found() -> None:
    """Four sources print AlexNet's table; what each has wrong is known (24,848 for 34,848, ...)."""
    findings = audit(read(EXAMPLES / "lectures.csv"))
    assert [finding.right for finding in findings] == [True, *[False] * 5, True, *[False] * 4]
    assert [finding.because for finding in findings if not finding.right] == [
        "a digit: 2 stands for 3", "a digit: 2 stands for 3", "a digit: 2 stands for 3", "a digit: 8 stands for 3",
        "a digit: 3 stands for 4", "a digit: 2 stands for 4", "a digit: 2 stands for 4", "a digit: 2 stands for 4",
        "c_o stands where h_o belongs",
    ]  # fmt: skip
    assert {finding.actual for finding in findings} >= {"34,848", "223,948,800", "37,748,736", "244 (243,818,624)"}


def test_every_published_row_is_right_to_its_last_digit() -> None:
    findings = audit(read(EXAMPLES / "published.csv"))
    assert len(findings) == 93
    assert [str(finding) for finding in findings if not finding.right] == []


PRINTED_WRONG = [
    # Keras, documentation of keras.applications.mobilenet: the paper's table 6 with 529 for 569
    ("mobilenet_v1", "macs", "529M", "", "569 (568,740,352)", "a digit: 2 stands for 6"),
    # tensorflow/models 02c04f49, research/slim/nets/mobilenet_v1.md; the paper has 325 for width 0.75
    ("mobilenet_v1", "macs", "317M", "width=0.75 classes=1001", "325 (325,401,216)", "less by 8 (2.58 %)"),
    ("mobilenet_v1", "macs", "34M", "width=0.25 r=192 classes=1001", "30 (30,212,864)", "a digit: 4 stands for 0"),
]


@pytest.mark.parametrize(("model", "what", "value", "at", "actual", "because"), PRINTED_WRONG)
def test_published_figures_that_are_wrong_are_found(
    model: str, what: str, value: str, at: str, actual: str, because: str
) -> None:
    assert found(model, what, value, at=at) == (False, actual, because)


SLIPS = [
    ("resnet50", "params", "25557032", {}, True, "25,557,032", "bias and norm counted"),
    ("resnet50", "params", "25502912", {}, True, "25,502,912", "bias and norm not counted"),
    ("resnet50", "params", "25.6M", {}, True, "25.6", "bias and norm counted, rounded from 25,557,032"),
    ("alexnet", "params", "34944", {"layer": "conv1", "convention": "textbook"}, False, "34,848", "bias counted"),
    ("resnet50", "params", "25,610,152", {}, False, "25,502,912", "batch norm counted with its moving averages"),
    ("resnet50", "params", "25557032", {"convention": "textbook"}, False, "25,502,912", "bias and norm counted"),
    ("resnet50", "gmacs", "8.178", {}, False, "4.089 (4,089,184,256)", "these are FLOPs, two for each MAC"),
    ("resnet50", "gflops", "4.089", {}, False, "8.178 (8,178,368,512)", "these are MACs, half of the FLOPs"),
    ("resnet50", "gflops", "4.089", {"convention": "torchvision"}, True, "4.089",
     "these are MACs, half of the FLOPs, rounded from 4,089,184,256"),
    ("resnet50", "gflops", "4.11", {}, False, "8.18 (8,178,368,512)", "these are MACs, and batch norm counted as by fvcore"),
    ("resnet50", "gflops", "4.112", {"convention": "fvcore"}, True, "4.112",
     "these are MACs, and batch norm counted as by fvcore, rounded from 4,111,512,576"),
    ("resnet50", "macs", "4089184", {}, False, "4,089,184,256", "unit: a thousand times too small"),
    ("alexnet", "macs", "670279808", {"convention": "textbook"}, False, "724,406,816", "padding not counted"),
    ("alexnet", "activations", "781736", {}, False, "932,264", "input not counted"),
    ("alexnet", "activations", "290400", {"layer": "conv1"}, True, "290,400", "elements of the output"),
    ("alexnet", "peak_activations", "440928", {}, True, "440,928", "largest input + output"),
    ("alexnet", "model_size_mb_fp32", "232.5", {}, False, "243.8 (243,818,624)",
     "unit: these are MiB of 2^20 bytes, not MB of 10^6"),
    ("alexnet", "model_size_mb_int8", "61", {}, True, "61", "bias not counted, 8 bits each, rounded from 60,954,656"),
    ("alexnet", "params", "60,945,656", {}, False, "60,954,656", "two digits changed places: 45 stands for 54"),
    ("alexnet", "params", "50M", {}, False, "61 (60,954,656)", "less by 11 (18 %)"),
    ("resnet50", "gmacs", "4.14", {}, False, "4.09 (4,089,184,256)", "more by 0.05 (1.24 %)"),
    ("resnet50", "macs", "32,713,474,048", {}, False, "4,089,184,256", "8 times what is right"),
    ("resnet50", "gmacs", "16.36", {}, False, "4.09 (4,089,184,256)", "4 times what is right"),
    ("resnet50", "gflops", "7.7", {}, False, "7.9 (7,946,733,928)", "a digit: 7 stands for 9 (as XLA counts)"),
    ("alexnet", "activations", "3,729,056", {}, False, "932,264", "four bytes for each element counted as elements"),
    ("alexnet", "ops", "1448813632", {}, True, "1,448,813,632", "two for each MAC"),
    ("alexnet", "gops", "0.724", {}, False, "1.449 (1,448,813,632)", "these are MACs, half of the OPs"),
    ("AlexNet", "MACs", "724M MACs", {}, True, "724", "padding counted, rounded from 724,406,816"),
    ("alexnet", "Params (M)", "61", {}, True, "61", "bias not counted, rounded from 60,954,656"),
    ("alexnet", "params", "6.1e7", {}, True, "6.1", "bias not counted, rounded from 60,954,656"),
    ("alexnet", "params", ".061G", {}, True, "0.061", "bias not counted, rounded from 60,954,656"),
    ("ViT_B_16", "params", "86.6 million", {}, True, "86.6", "bias counted, rounded from 86,567,656"),
    ("alexnet", "conv1.params", "34848", {}, True, "34,848", "bias not counted"),
    ("alexnet", "activations_with_input", "932264", {}, True, "932,264", "input counted"),
    ("alexnet", "activations_with_input", "781736", {}, False, "932,264", "input not counted"),
    ("alexnet", "peak_activations_in_plus_out", "440928", {}, True, "440,928", "largest input + output"),
    ("mobilenet_v2", "gmacs", "0.059", {"at": "width=0.35 classes=1001"}, True, "0.059",
     "padding counted, rounded from 59,287,088"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "what", "value", "more", "right", "actual", "because"), SLIPS)
def test_a_slip_is_named(
    model: str, what: str, value: str, more: dict[str, str], right: bool, actual: str, because: str
) -> None:
    assert found(model, what, value, **more) == (right, actual, because)


@pytest.mark.parametrize(
    ("kind", "what", "value", "right", "because"),
    [
        ("linear", "macs_formula", "c_o*c_i", True, "textbook"),
        ("conv", "params_formula", "c_o*c_i*k_h*k_w", True, "textbook"),
        ("grouped_conv", "params_formula", "c_o*c_i*k_h*k_w", False, "it is g times the right one"),
        ("depthwise_conv", "macs_formula", "k_h*k_w*h_o*w_o*c_o", True, "textbook"),
        ("conv", "macs_formula", "c_i + c_o", False, "another formula"),
        ("conv", "params_formula", "c_i*k_h*k_w*c_o + c_o", False, "bias counted"),
        ("conv", "MACs formula", "2*c_i*k_h*k_w*h_o*w_o*c_o", False, "these are FLOPs, two for each MAC"),
    ],
)
def test_formulas_are_claims_too(kind: str, what: str, value: str, right: bool, because: str) -> None:
    verdict = found("", what, value, layer=kind)
    assert (verdict[0], verdict[2]) == (right, because)


def test_a_slip_of_letters_names_both() -> None:
    assert slip(sc.parse("c_i*k_h*k_w*w_o*w_o*c_o"), formula("conv", "macs_formula")) == "w_o stands where h_o belongs"


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [("724,406,816", 724406816, 0), ("6.06M", 6060000, 2), ("0.3G", 300000000, 1), ("8B", 8 * 10**9, 0)],
)
def test_numbers_are_read_as_printed(text: str, value: int, decimals: int) -> None:
    number = read_number(text)
    assert (number.exact, number.decimals) == (value, decimals)


@pytest.mark.parametrize(
    ("text", "exact", "manner"),
    [("3.47M", 3471040, "rounded"), ("0.018G", 18886720, "cut off"), ("244", 244, "exact"), ("0.018G", 17000000, None)],
)
def test_a_printed_number_stands_for_what_it_rounds_or_cuts_off(text: str, exact: int, manner: str | None) -> None:
    assert read_number(text).stands_for(exact) == manner


def test_a_number_that_is_cut_off_is_right_with_a_remark() -> None:
    (finding,) = audit([Claim(2, "mobilenet_v2", "gmacs", "0.153", at="width=0.5 r=288 classes=1001")])
    assert str(finding).endswith("rounds to 0.154)") == finding.right


WIDE = """\
Model,Params (M),GMACs,conv1.params
AlexNet,61.0,0.724,24848
ResNet-50,25.6,,
"""


def test_a_wide_table_is_a_claim_for_every_cell(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(WIDE)
    findings = audit(read(tmp_path / "wide.csv"))
    assert [(finding.claim.line, finding.claim.quantity, finding.right) for finding in findings] == [
        (2, "Params (M)", True), (2, "GMACs", True), (2, "conv1.params", False), (3, "Params (M)", True),
    ]  # fmt: skip


def test_formulas_need_no_model(tmp_path: Path) -> None:
    (tmp_path / "formulas.csv").write_text("layer,quantity,value\nlinear,macs_formula,c_i*c_o\n")
    (finding,) = audit(read(tmp_path / "formulas.csv"))
    assert finding.right


def test_sizes_know_their_bytes() -> None:
    assert read_number("244 MB", kind="bytes").exact == 244 * 10**6
    assert read_number("1", "mib", kind="bytes").exact == 2**20
    assert quantity("model_size").kind == "bytes"
    assert digits("224", "2440") is None
    assert Fraction(1, 2) == read_number("0.5").exact


FLAX = """\
import flax.linen as nn

class Net(nn.Module):
    width: int = 8
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(self.width, (3, 3), name="conv")(x))
        return nn.Dense(10, name="head")(x.reshape(x.shape[0], -1))

def factory(width):
    return Net(width)
"""
ROWS = """\
model,spec,at,layer,quantity,value
audited:Net,"float32[n,8,8,3]",n=1,,params,5354
audited:Net,"float32[n,8,8,3]",n=1,,flops,18944
audited:Net,"float32[n,8,8,3]",n=1,conv,params,216
audited:factory,"float32[1,8,8,3]",width=8,head,macs,5120
saved.json,,n=1,,macs,724406816
saved.json,,n=1,,gflops,0.724
saved.json,,n=1,,activations,781736
alexnet,,,conv1,params,24848
"""
REASONS = [
    (True, "bias counted"), (False, "these are MACs, half of the FLOPs"), (True, "bias not counted"),
    (True, "padding counted"), (True, "padding counted"), (False, "these are MACs, half of the FLOPs"),
    (False, "input not counted"), (False, "a digit: 2 stands for 3"),
]  # fmt: skip


def test_flax_models_and_saved_tables_are_audited_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "audited.py").write_text(FLAX)
    (tmp_path / "claims.csv").write_text(ROWS)
    sc.models.alexnet(n="n").save("saved.json")
    findings = audit(read(tmp_path / "claims.csv"), claimed)
    assert [(finding.right, finding.because) for finding in findings] == REASONS


BAD = [
    ("model,value\n", "has no column 'quantity': its first line must name model, quantity, value"),
    ("model,params,parms\n", "has an unknown column 'parms': use model, quantity, value, layer, at and 22 more"),
    ("quantity,value\n", "has neither a column 'model' nor 'layer': say what the claims are about"),
    ("model,params,params\n", "has the column 'params' twice: give it once"),
    ("model,quantity,value\nalexnet,params,61M MACs\n", "line 2: cannot read '61M MACs' as a number"),
    ("model,quantity,valeu\n", "has no column 'value': its first line must name"),
    ("model,quantity,value,layr\n", "has an unknown column 'layr': did you mean layer?"),
    ("model,quantity,value\na,b\n", "line 2: it has more or fewer fields than the first line"),
    ("model,quantity,value\nalexnte,params,3\n", "line 2: unknown model 'alexnte': did you mean alexnet"),
    ("model,quantity,value\nalexnet,parms,3\n", "line 2: unknown quantity 'parms': did you mean params"),
    ("model,quantity,value\nalexnet,params,three\n", "line 2: cannot read 'three' as a number: write digits"),
    ("model,layer,quantity,value\nalexnet,cnv1,params,3\n", "line 2: alexnet has no layer 'cnv1': did you mean conv1"),
    (
        "model,layer,quantity,value\nalexnet,conv1,peak_activations,3\n",
        "quantity of a whole network: leave the layer empty",
    ),
    ("model,at,quantity,value\nalexnet,r=r,params,3\n", "leaves r without a value: claims are about numbers"),
    ("model,at,quantity,value\nalexnet,r,params,3\n", "at='r' must be NAME=VALUE"),
    ("model,quantity,value\nnone.json,params,3\n", "line 2: none.json cannot be read: No such file"),
    ("model,quantity,value\nsome.module:Net,params,3\n", "line 2: there is no module 'some' here or among"),
    ("model,spec,quantity,value\nalexnet,f32,params,3\n", "line 2: specs is for a model to trace, not alexnet: give"),
    (
        "model,quantity,value,convention\nalexnet,params,3,tb\n",
        "params has no meaning under 'tb': leave the convention empty",
    ),
    ("model,layer,quantity,value\n,cnv,macs_formula,a\n", "line 2: unknown kind of layer 'cnv': did you mean conv?"),
    ("model,layer,quantity,value\n,conv,macs_formula,__import__('os')\n", "line 2: cannot read"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_tables_that_cannot_be_understood_are_errors_of_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "claims.csv"
    file.write_text(text)
    with pytest.raises(sc.SymcostError) as problem:
        audit(read(file), claimed)
    assert message in str(problem.value)
    assert "\n" not in str(problem.value)


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    with pytest.raises(sc.SymcostError, match="cannot be read: No such file"):
        read(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(sc.SymcostError, match="cannot be read as CSV"):
        read(tmp_path / "bytes.csv")


VOCABULARY = [
    ("int_ops", "0", {}, True, "0", "as full counts"),
    ("padding_macs", "54,127,008", {}, True, "54,127,008", "as full counts"),  # 724,406,816 - 670,279,808, as above
    ("flops_xla", "1342856872", {}, True, "1,342,856,872", "as xla counts"),
    ("macs_textbook", "105415200", {"layer": "conv1"}, True, "105,415,200", "as textbook counts"),
    ("activation_bytes", "1.8 MB", {}, True, "1.8", "peak bytes, rounded from 1,763,712"),
    ("activation_bytes", "440928", {"dtype": "int8"}, True, "440,928", "peak bytes"),
    ("Latency (ms)", "0.11", {"device": "nvidia-a100-sxm-80gb", "dtype": "float16"}, True, "0.11",
     "latency, rounded from 112.5 us"),  # 63.86 us of moving and computing, and 18 launches of 2.7 us
    ("energy", "45 mJ", {"device": "horowitz-45nm"}, False, "44 (44.29 mJ)", "a digit: 5 stands for 4"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "value", "more", "right", "actual", "because"), VOCABULARY)
def test_every_quantity_of_the_vocabulary_can_be_claimed(
    what: str, value: str, more: dict[str, str], right: bool, actual: str, because: str
) -> None:
    assert found("alexnet", what, value, **more) == (right, actual, because)


@pytest.mark.parametrize(
    ("what", "more", "message"),
    [
        ("latency", {}, "line 2: latency, throughput and energy need a device"),
        ("latncy", {}, "line 2: unknown quantity 'latncy': did you mean latency?"),
        ("latency", {"layer": "conv1"}, "line 2: latency is a quantity of a whole network: leave the layer empty"),
        (
            "training_bytes",
            {},
            'line 2: what the backward pass needs is known of traced models: trace with mode="train"',
        ),
        ("model_size", {"device": "a100"}, "line 2: device='a100': unknown device 'a100'"),
    ],
)
def test_a_claim_that_cannot_be_judged_says_why(what: str, more: dict[str, str], message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        found("alexnet", what, "3", **more)
