"""Bad text is one line that says what to do, wherever it is given: no text hangs.

``SYMCOST_EXAMPLES=5000`` explores that many fresh examples instead of the fixed ones of every day.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from effort import also_campaign
from hypothesis import given
from hypothesis import strategies as st
from refusals import FUZZ, TOWER, one_line, works_or_one_line

import symcost as sc
from symcost.cli.main import main
from symcost.devices.read import parsed
from symcost.estimate.questions.constraint import read as read_constraints
from symcost.formulas.conditions import condition
from symcost.formulas.symbols import Evaluator, evaluate, parse
from symcost.gates.audit.claims import Claim
from symcost.gates.audit.judge import audit
from symcost.gates.budgets.read import read as read_budgets
from symcost.reading.numerals import fraction, whole
from symcost.sweeps.question.question import load_space, question
from symcost.tracing.program.spec import parse_spec

BAD_TEXTS = (TOWER, f"{TOWER} <= 1", "-" * 100_000 + "n", "(" * 10_000, "not " * 10_000 + "n < 1", "n < 1\0", "n % 0 == 0",
             "9" * 10_000, "clog2(0 - 1) < 1")  # fmt: skip


def _toml(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_every_entry_refuses_a_bad_formula(text: str) -> None:
    setting: Any = None
    for make in (
        lambda: condition(text),
        lambda: parse_spec(f"float32[n,{text}]"),
        lambda: sc.Space(n=[1, 2], where=[text]),
        lambda: question({"formulas": {"a": "n"}, "where": text, "axes": {"n": [1]}}),
        lambda: sc.Linear(c_o=text),
        lambda: sc.table(sc.Linear(c_o=3), ("n", text)),
        lambda: read_constraints(f"{text} <= {text}", setting),
        lambda: audit([Claim(1, layer="linear", quantity="macs", value=text)]),
        lambda: audit([Claim(1, model="alexnet", quantity="macs", value=text)]),
    ):
        one_line(make)


NUMBERS = ("1e999999999", "0x" + "f" * 100_000, "nan", "9" * 10_000, "2020-01-01", "[" * 10_000)


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_every_file_of_toml_refuses_a_bad_number(number: str, tmp_path: Path) -> None:
    budget = '[models.x]\nmodel = "alexnet"\n[[models.x.budgets]]\n'
    for make in (
        lambda: read_budgets(_toml(tmp_path, "symcost.toml", f"{budget}params = {number}\n")),
        lambda: read_budgets(_toml(tmp_path, "symcost.toml", f"{budget}params = 1\nat = {{ n = {number} }}\n")),
        lambda: load_space(_toml(tmp_path, "space.toml", f'formulas = {{ a = "n" }}\n[axes]\nn = [{number}]\n')),
        lambda: load_space(
            _toml(tmp_path, "space.toml", f'top = {number}\nformulas = {{ a = "n" }}\n[axes]\nn = [1]\n')
        ),
        lambda: parsed(f'[b]\nsource = "x"\npower_w = {number}', "the text"),
    ):
        one_line(make)


def test_a_folder_a_number_and_no_file_are_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / "a\0b"):
        one_line(lambda path=path: load_space(path))
        one_line(lambda path=path: sc.load(path))


@pytest.mark.parametrize(
    "text", ["1e5000", "1e1000", "9" * 2401, "\u0661", "0x10", "", "1/2/3", "1.5.2", "--5", "1__0"]
)
def test_numbers_in_texts_are_plain_and_bounded(text: str) -> None:
    with pytest.raises(ValueError, match="is no number of at most"):
        fraction(text)
    with pytest.raises(ValueError, match="is no integer of at most"):
        whole(text)


COMMANDS = (
    ["table", "alexnet", "--set", f"n={TOWER}"],
    ["table", "alexnet", "--set", f"n={'9' * 5000}"],
    ["table", "alexnet", "--set", "n=\u0661\u0662"],
    ["table", "alexnet", "--set", "n=\u00b2"],
    ["solve", "alexnet", f"{TOWER} <= 1", "--largest", "n", "--set", "n=n"],
    ["solve", "alexnet", "params <= 1e99999", "--largest", "n", "--set", "n=n"],
    ["estimate", "alexnet", "--set", f"n={'9' * 5000}", "--device", "nvidia-a100-sxm-80gb"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_the_command_line_ends_with_two_and_one_line(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert len(told[0]) < 700


# -- fuzz: random text in every entry ------------------------------------------------------------------------------
GRAMMAR = st.lists(
    st.sampled_from([
        "n", "d", "2", "9**64", "64", "(", ")", " + ", "-", "*", "/", "//", "%", "**", ",", "floor(", "Max(", "Mod(", "clog2(",
        "<=", "==", " and ", "not ", "0", ".", "e9", "'", "\u0661", "\0", "\n", "[", "]", "lambda:", "float32[", "1..8",
    ]),
    max_size=14,
).map("".join)  # fmt: skip
TEXTS = st.one_of(GRAMMAR, st.text(max_size=40))
ENTRIES: dict[str, Callable[[str], Any]] = {
    "parse": lambda text: parse(text),
    "evaluate": lambda text: evaluate(parse(text), {"n": 2**50, "d": 3}),
    "point": lambda text: Evaluator({"n": 1, "d": 1})(parse(text)),
    "spec": parse_spec,
    "dimension": lambda text: parse_spec(f"float32[{text}]"),
    "condition": condition,
    "size": lambda text: sc.Linear(c_o=text),
    "shape": lambda text: sc.table(sc.Linear(c_o=3), (text, 4)),
    "space": lambda text: sc.Space(n=[1, 2], where=text),
    "formula": lambda text: sc.count({"a": text}, sc.Space(n=[1, 2], d=[3]), where=["a >= 0"]),
    "claim": lambda text: audit([Claim(1, model="alexnet", quantity="macs", value=text)]),
    "claim of a formula": lambda text: audit([Claim(1, layer="linear", quantity="macs", value=text)]),
    "device": lambda text: sc.device(text),
    "model": lambda text: main(["table", text, "--set", f"n={text}"]) if text.startswith("n") else None,
}


@pytest.mark.parametrize("entry", ENTRIES)
@also_campaign
@FUZZ
@given(text=TEXTS)
def test_any_text_works_or_is_refused_in_one_line(entry: str, text: str) -> None:
    works_or_one_line(lambda: ENTRIES[entry](text))


@also_campaign
@FUZZ
@given(text=TEXTS, key=st.sampled_from(["params", "at", "over", "device", "bits", "name", "convention"]))
def test_any_value_of_a_budget_works_or_is_refused(text: str, key: str) -> None:
    shown = json.dumps(text)  # a text of JSON is one of TOML
    value = {"at": f"{{ n = {shown} }}", "over": f"{{ n = {shown} }}"}.get(key, shown)
    with tempfile.TemporaryDirectory() as folder:
        head = '[models.x]\nmodel = "alexnet"\n[[models.x.budgets]]\n'
        file = _toml(Path(folder), "symcost.toml", f"{head}{key} = {value}\nmacs = 1\n")
        works_or_one_line(lambda: read_budgets(file))
