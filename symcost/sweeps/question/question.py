"""A sweep written in TOML: the network, the space, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symcost.errors import SpaceError, SymcostError
from symcost.estimate.questions.setting import OPTIONS, QuantityOptions
from symcost.reading import toml
from symcost.reading.given import checked
from symcost.reading.nearest import choose
from symcost.reading.numerals import short
from symcost.sweeps.question.space import Space, texts

KEYS = {"network", "networks", "formulas", "define", "axes", "where", "minimize", "maximize", "top", "show", *OPTIONS}


@dataclass(frozen=True)
class Question:
    """What a file asks; ``network`` says where the costs come from, as it is written."""

    space: Space
    network: Any = None
    networks: Mapping[str, Any] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict)
    define: Mapping[str, Any] | str = field(default_factory=dict)
    minimize: tuple[str, ...] = ()
    maximize: tuple[str, ...] = ()
    top: int = 10
    show: tuple[str, ...] | None = None
    options: QuantityOptions = field(default_factory=QuantityOptions)


@checked
def load_space(path: str | Path) -> Question:
    """A sweep as its TOML file has it: the ``space``, and what is asked of it.

    ``formulas``, ``define``, ``minimize``, ``maximize``, ``top``, ``show`` and the options of quantities (``device``, ``dtype``,
    ...) are as ``sc.sweep`` and ``sc.pareto`` take them; ``network`` and ``networks`` say where the costs come from, as it is
    written.

    Raises:
        SpaceError: where the file cannot be read, or says something else than a space and a question.

    >>> import symcost as sc
    >>> asked = sc.load_space("examples/wide_or_deep.toml")
    >>> asked.space, asked.show
    (Space(1,536 configurations: d 16, L 96), ('macs', 'activations'))
    """
    table = toml.read(Path(path), f"{path}", SpaceError)
    try:
        return question(table)
    except SymcostError as problem:
        raise type(problem)(f"{path}: {problem}") from None


def question(table: Mapping[str, Any]) -> Question:
    """The question of a TOML table.

    >>> question({"formulas": {"area": "w*h"}, "axes": {"w": [1, 2], "h": {"from": 1, "to": 9}}}).space
    Space(18 configurations: w 2, h 9)
    """
    for key in table:
        if key not in KEYS:
            raise SpaceError(f"unknown key {key!r}: {choose(key, sorted(KEYS), 1)}")
    sources = [key for key in ("network", "networks", "formulas") if key in table]
    if len(sources) != 1:
        raise SpaceError(
            f"give one of network, networks or formulas: there {'is none' if not sources else ' and '.join(sources)}"
        )
    if not isinstance(table.get("axes"), Mapping):
        raise SpaceError(
            "there is no table [axes]: give every symbol its values, as d = {from = 64, to = 1024, step = 64}"
        )
    for key in ("networks", "formulas"):
        if not isinstance(table.get(key, {}), Mapping):
            raise SpaceError(f"{key} must be a table, as [{key}]")
    if not isinstance(table.get("define", {}), Mapping | str):
        raise SpaceError("define must be a table of formulas, or PKG.MOD:NAME of one")
    top = table.get("top", 10)
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        raise SpaceError(f"top = {short(top)} must be a positive integer")
    return Question(
        Space(table["axes"], where=table.get("where", ())), table.get("network"), table.get("networks", {}),
        table.get("formulas", {}), table.get("define", {}), texts("minimize", table.get("minimize")),
        texts("maximize", table.get("maximize")), top, texts("show", table["show"]) if "show" in table else None,
        QuantityOptions(**{name: table[name] for name in OPTIONS if name in table}),
    )  # fmt: skip
