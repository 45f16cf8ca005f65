"""Bad input is one line that says what to do: no text hangs, no wrong type is a bare TypeError, no file lies.

``SYMCOST_EXAMPLES=5000`` explores that many fresh examples instead of the fixed ones of every day.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy
from effort import EXPLORE, also_campaign, examples
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc
from symcost.cli.main import main
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.costs.saved.format import digest
from symcost.costs.size import model_size
from symcost.costs.table import CostTable
from symcost.devices.read import parsed
from symcost.estimate.questions.constraint import read as read_constraints
from symcost.formulas.conditions import condition
from symcost.formulas.extent import MAX_TERMS, extent
from symcost.formulas.form import Form
from symcost.formulas.functions import logarithm
from symcost.formulas.prove.boxed import Boxed
from symcost.formulas.symbols import Evaluator, clog2, evaluate, flog2, log2, parse
from symcost.gates.audit.claims import Claim
from symcost.gates.audit.judge import audit
from symcost.gates.budgets.read import read as read_budgets
from symcost.reading.given import _read, checked
from symcost.reading.numerals import MAX_BITS, MAX_DIGITS, fraction, whole
from symcost.report import FORMATS
from symcost.report.formats.json import document
from symcost.sweeps.question.columns import Columns
from symcost.sweeps.question.question import load_space, question
from symcost.tracing.program.spec import parse_spec

FUZZ = settings(max_examples=examples(40, 500), derandomize=not EXPLORE, deadline=None)
TOWER = "((((9**64)**64)**64)**64)"


def one_line(make: Callable[[], Any]) -> str:
    """The error that something must raise, which is one line of a readable length."""
    with pytest.raises(sc.SymcostError) as caught:
        make()
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 700
    return said


def works_or_one_line(make: Callable[[], Any]) -> None:
    """It works, or raises an error of ours in one line of a readable length."""
    try:
        make()
    except sc.SymcostError as problem:
        said = str(problem)
    else:
        return
    assert said
    assert "\n" not in said
    assert len(said) < 900


# -- what is large is known before it is made ----------------------------------------------------------------------
LARGE = {
    TOWER: f"has more than {MAX_BITS} bits",
    "((n**64)**64)**64": f"has more than {MAX_BITS} bits",
    "Max(((9**64)**64)**64, 1)": f"has more than {MAX_BITS} bits",
    "floor((n**64)**64/7)": f"has more than {MAX_BITS} bits",
    "Mod((n**64)**64, 7)": f"has more than {MAX_BITS} bits",
    "((1/3)**64)**64 * 3": f"has more than {MAX_BITS} bits",
    "*".join(["9**64"] * 50): f"has more than {MAX_BITS} bits",
    "(a+b+c+d+e+f+g+h)**64": f"multiplied out: at most {MAX_TERMS} are made",
    "*".join(f"(a{i}+b{i})" for i in range(40)): f"multiplied out: at most {MAX_TERMS} are made",
    "0x" + "f" * 10**6: f"has more than {MAX_BITS} bits",
    "9" * 10**6: f"has an integer of 1000000 digits: at most {MAX_DIGITS} are read",
    "-" * 100_000 + "1": "is nested too deeply",
    "~" * 100_000 + "1": "is nested too deeply",
    "(" * 100_000: "too many nested parentheses",
    "floor(" * 100_000: "too many nested parentheses",
    "n*" * 100_000 + "n": "is nested too deeply",
    "n" * 10**8: "has 100000000 characters: at most 2000000 are read",
    "\u0661\u0662": "invalid character",
    "n\0": "cannot read 'n\\x00' as an expression",
}


@pytest.mark.parametrize("text", LARGE, ids=range(len(LARGE)))
def test_a_text_that_would_become_too_large_is_refused(text: str) -> None:
    assert LARGE[text] in one_line(lambda: parse(text))


def test_sums_as_long_as_saved_tables_have_them_are_read() -> None:
    text = " + ".join(f"{k}*n**2/{2 + k % 5}" for k in range(1, 5_000))
    assert evaluate(parse(text), {"n": 2}) == sum(Fraction(4 * k, 2 + k % 5) for k in range(1, 5_000))


@pytest.mark.parametrize("power", [1, 2, 64, 127])
def test_numbers_up_to_the_limit_are_exact(power: int) -> None:
    assert evaluate(parse(f"(2**{min(power, 64)})*n"), {"n": 2**power}) == 2 ** (min(power, 64) + power)


def test_values_of_a_point_are_bounded_too() -> None:
    n = sc.symbols("n")[0]
    huge = 2**n
    assert evaluate(huge, {"n": 100}) == 2**100
    for make in (
        lambda: evaluate(huge, {"n": 10**12}),
        lambda: evaluate(huge, {"n": 10**5000}),
        lambda: evaluate(parse("n**64"), {"n": 10**60}),
        lambda: CostTable([Row(path="a", op="b", cost=Cost(macs=huge))]).subs(n=10**9).macs,
        lambda: CostTable([Row(path="a", op="b", cost=Cost(macs=huge * sc.symbols("d")[0]))]).subs(n=10**9).macs,
        lambda: extent(huge, {"n": 10**9}),
    ):
        assert f"{MAX_BITS} bits" in one_line(make)


def test_sums_of_fractions_end_too() -> None:
    text = " + ".join(f"1/(n + {k})" for k in range(1, 3000))
    assert f"has more than {MAX_BITS} bits" in one_line(lambda: evaluate(parse(text), {"n": 10**18}))


# -- one meaning of logarithms and remainders ----------------------------------------------------------------------
@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**9))
def test_logarithms_of_fractions_bracket_them(value: Fraction) -> None:
    down, up = log2(value, up=False), log2(value, up=True)
    assert Fraction(2) ** down <= value < Fraction(2) ** (down + 1)
    assert Fraction(2) ** (up - 1) < value <= Fraction(2) ** up


@pytest.mark.parametrize("above", [2, 3, 5, 8, 9, 1023])
def test_every_path_gives_the_same_logarithm(above: int) -> None:
    for kind, up in (("clog2", True), ("flog2", False)):
        right = log2(Fraction(above, 2), up)
        formula = parse(f"{kind}(n/2)")
        assert evaluate(formula, {"n": above}) == right
        assert formula.subs({sc.symbols("n")[0]: above}) == right
        assert (clog2 if up else flog2)(sympy.Rational(above, 2)) == right
        assert Boxed(formula, {"n": (above, above)}).bounds() == (right, right)
        assert logarithm(kind, Form.symbol("n") / 2).value({"n": above}) == right
        assert Columns({"f": formula}, {})(n=[above])["f"].tolist() == [right]
        space = sc.Space(n=range(2, 1024))
        assert sc.count({"f": formula}, space, where=[f"f == {right}", f"n == {above}"], engine="numpy") == 1
        assert sc.count({"f": formula}, space, where=[f"f == {right}", f"n == {above}"]) == 1


@pytest.mark.parametrize("kind", ["clog2", "flog2"])
@pytest.mark.parametrize("n", [1, 4])
def test_no_path_gives_a_logarithm_of_nothing(kind: str, n: int) -> None:
    formula = parse(f"{kind}(n - 4)")
    for make in (
        lambda: evaluate(formula, {"n": n}),
        lambda: formula.subs({sc.symbols("n")[0]: n}),
        lambda: Columns({"f": formula}, {})(n=[n, 9]),
        lambda: sc.count({"f": formula}, sc.Space(n=[n, 9]), where=["f >= 0"]),
        lambda: logarithm(kind, Form.symbol("n") - 4).value({"n": n}),
        lambda: parse(f"{kind}({n - 4})"),
    ):
        assert "logarithm" in one_line(make)


def test_no_path_divides_by_zero() -> None:
    formula = parse("9 % (n - 2)")
    for make in (
        lambda: parse("n % 0"),
        lambda: parse("Mod(n, 0)"),
        lambda: evaluate(formula, {"n": 2}),
        lambda: Columns({"f": formula}, {})(n=[2, 9]),
        lambda: sc.count({"f": formula}, sc.Space(n=[2, 9]), where=["f >= 0"]),
        lambda: evaluate(parse("1/(n - 2)"), {"n": 2}),
    ):
        one_line(make)


# -- every entry for texts -----------------------------------------------------------------------------------------
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


# -- wrong types ---------------------------------------------------------------------------------------------------
WRONG = (
    None,
    "x",
    3.5,
    -1,
    float("nan"),
    True,
    10**5000,
    0,
    [],
    {},
    object(),
    b"x",
    ["x"],
    {"x": 1},
    int,
    float("inf"),
)
TABLES = {
    "layers": lambda: sc.models.alexnet(n="n"),
    "a point": lambda: sc.models.alexnet(n="n").subs(n=2),
    "rows": lambda: CostTable(sc.models.alexnet(n="n").rows),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("method", ["by_path", "total", "peak", "peak_path", "compile", "save", "plot", "check_point"])
def test_methods_of_tables_refuse_wrong_types_in_words(
    kind: str, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = TABLES[kind]()
    monkeypatch.chdir(tmp_path)
    for value in WRONG:
        if not hasattr(costs, method):
            continue
        works_or_one_line(lambda value=value: getattr(costs, method)(value))


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
def test_verbs_refuse_wrong_types_in_words(value: Any) -> None:
    costs = sc.models.alexnet()
    n = sc.models.alexnet(n="n")
    calls: list[Callable[[], Any]] = [
        lambda: n.subs(n=value), lambda: n.explain(n=value), lambda: sc.latency(costs, value),
        lambda: sc.latency(value, "stm32f746"),
        lambda: sc.fits(costs, value), lambda: sc.fits(costs, "stm32f746", value), lambda: sc.energy(costs, "horowitz-45nm", value),
        lambda: sc.memory(costs, value), lambda: sc.mfu(costs, value, "nvidia-a100-sxm-80gb"), lambda: sc.throughput(
            costs, "nvidia-a100-sxm-80gb", batch=value), lambda: model_size(costs, value), lambda: sc.solve(n, value, largest="n"),
        lambda: sc.solve(n, "macs <= 10**10", largest=value), lambda: sc.solve(n, "macs <= 10**10", largest="n", within=value),
        lambda: sc.count(n, value), lambda: sc.count(n, sc.Space(n=[1]), workers=value), lambda: sc.sweep(
            n, sc.Space(n=[1]), minimize=value), lambda: sc.table(value, ("n", 4)), lambda: sc.table(sc.Linear(c_o=3), value),
        lambda: sc.Linear(c_o=value), lambda: sc.Linear(c_o=3, bias=value), lambda: sc.device(value), lambda: sc.load(value),
        lambda: sc.load_verdict(value), lambda: sc.parse(value), lambda: sc.evaluate(value, {}), lambda: sc.evaluate(
            parse("n"), {"n": value}), lambda: sc.equal(value, 1), lambda: sc.crossover(value, parse("n"), "n"), lambda: sc.partial(
            value, "n"), lambda: sc.training_memory(costs, value), lambda: sc.Space(n=value), lambda: sc.Device(
            name="x", source="y", power=value), lambda: CostTable(value),
    ]  # fmt: skip
    for call in calls:
        works_or_one_line(call)


def test_the_message_names_the_argument_its_value_and_what_it_must_be() -> None:
    costs = sc.models.alexnet()
    assert one_line(lambda: costs.by_path("x")) == (  # type: ignore[arg-type]
        "depth='x' must be an integer or None: it is a str, give by_path() another"
    )
    assert "on=3 must be a text or a Device: it is an int, give latency() another" in one_line(
        lambda: sc.latency(costs, 3)  # type: ignore[arg-type]
    )
    assert "c_o=None must be one size: give an integer" in one_line(lambda: sc.Linear(c_o=None))
    assert "bias='no' must be True or False" in one_line(lambda: sc.Linear(c_o=3, bias="no"))  # type: ignore[arg-type]


def test_every_public_verb_is_checked_or_checks_itself() -> None:
    itself = {"build", "count", "decoding", "equal", "pareto", "parse", "rule", "sweep", "table"}
    for name in sc.__all__:
        verb = getattr(sc, name)
        verb = getattr(verb, "_verb", verb)
        if callable(verb) and not isinstance(verb, type) and name not in itself:
            inner = getattr(verb, "__wrapped__", None)
            assert inner is not None, f"{name} is not checked"
            assert _read(inner)[1], f"the annotations of {name} cannot be read"


def test_what_python_says_best_is_left_to_it() -> None:
    @checked
    def f(a: int) -> int:
        return a

    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        f()  # type: ignore[call-arg]


# -- saved files ---------------------------------------------------------------------------------------------------
def _saved(tmp_path: Path, change: Callable[[dict[str, Any]], Any], costs: Any = None) -> Path:
    """A saved table that was changed and signed again."""
    found = json.loads(json.dumps(document(costs or sc.models.alexnet(n="n"))))
    change(found)
    found["digest"] = digest(found)
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(found))
    return path


def _put(*place: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: Any) -> None:
        for part in place[:-1]:
            found = found[part]
        found[place[-1]] = value

    return change


FALSE = {
    "a total": (_put("conventions", "full", "macs", value="714188480*n + 1"), "the total of macs under full is"),
    "a total under xla": (_put("conventions", "xla", "flops", value="7*n"), "the total of flops under xla is"),
    "a total of another table": (_put("totals", "macs", value="7"), "macs is 7 among its totals"),
    "a row": (_put("rows", 1, "times", value="2"), "and the sum of its rows"),
    "a row less": (lambda d: d["rows"].pop(), "and the sum of its rows"),
    "a tower": (_put("rows", 1, "times", value=TOWER), f"has more than {MAX_BITS} bits"),
    "many digits": (_put("rows", 1, "times", value="9" * 10**6), "has an integer of 1000000 digits"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FALSE)
def test_a_file_that_does_not_add_up_is_refused_though_it_is_signed(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, message = FALSE[fault]
    path = _saved(tmp_path, change)
    assert message in one_line(lambda: sc.load(path))
    assert main(["table", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_table_without_a_domain_adds_up_too(tmp_path: Path) -> None:
    costs = CostTable([Row(path="a", op="b", cost=Cost(macs=3))])
    assert sc.load(_saved(tmp_path, lambda found: None, costs)).macs == 3
    one_line(lambda: sc.load(_saved(tmp_path, _put("conventions", "full", "macs", value="4"), costs)))


def test_a_path_of_many_parts_is_reported(tmp_path: Path) -> None:
    deep = "/".join(["a"] * 100_000)
    costs = sc.load(_saved(tmp_path, _put("rows", 3, "path", value=deep)))
    for name in FORMATS:
        assert FORMATS[name](costs, depth=None)
        assert FORMATS[name](costs, depth=3)
    assert costs.by_path()
    assert costs.by_path(3)
    assert model_size(costs, {"conv1": 8, "": 4}) != model_size(costs, 4)


@also_campaign
@FUZZ
@given(st.integers(0, 2**32))
def test_a_saved_file_that_was_mutated_anywhere_is_read_or_refused(seed: int) -> None:
    draw = random.Random(seed)
    values = [None, True, -1, 3, 1.5, "", "x", TOWER, "n", "1/0", [], {}, "9" * 5000, ["n"], {"a": "n"}]

    def change(found: Any) -> None:
        """Another value at a random place."""
        while True:
            keys = list(found) if isinstance(found, dict) else range(len(found)) if isinstance(found, list) else []
            if not keys:
                return
            key = draw.choice(list(keys))
            inner = found[key]
            if not isinstance(inner, dict | list) or not inner or draw.random() < 0.2:
                found[key] = draw.choice(values)
                return
            found = inner

    with tempfile.TemporaryDirectory() as folder:
        path = _saved(Path(folder), change, MUTATED)
        works_or_one_line(lambda: (str(costs := sc.load(path)), costs.subs(n=2)))


MUTATED = sc.table(sc.Sequential(sc.Linear(c_o=8), sc.ReLU(), sc.Linear(c_o=3)), ("n", 4))

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
