"""``load_verdict``: a verdict from its file, so that what a compiler said is shown again without compiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from symcost.agreement.check import Check, ModuleRow
from symcost.costs.saved.format import read_verdict
from symcost.errors import SymcostError
from symcost.hlo.explaining.bridge import Part
from symcost.reading.given import checked
from symcost.referee.verdicts import sums
from symcost.referee.verdicts.verdict import Compiled, Opinion, Verdict


@checked
def load_verdict(path: str | Path) -> Verdict:
    """The verdict that ``verdict.save(path)`` or ``symcost verify --format json --output FILE`` wrote.

    Nothing is compiled, and jax is not needed. A file that is damaged, edited or of a newer format is an error.

    >>> import tempfile
    >>> import symcost as sc
    >>> verdict = sc.verify(sc.models.alexnet(n="n"), at=dict(n=2), targets=[])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     verdict.save(f"{folder}/alexnet.verdict.json")
    ...     sc.load_verdict(f"{folder}/alexnet.verdict.json") == verdict
    True
    """
    document = read_verdict(Path(path))
    try:
        made = Verdict(
            at=_integers(document["at"]), flops=_integer(document["flops"]),
            transcendentals=_integer(document["transcendentals"]),
            checks=tuple(_check(each) for each in document["checks"]),
            modules=tuple(_made(ModuleRow, each) for each in document["modules"]),
            targets=tuple(_compiled(each) for each in document["targets"]), failures=_texts(document["failures"]),
            opinions=tuple(_made(Opinion, each) for each in document["opinions"]),
            notes=tuple(map(_text, document["notes"])),
            operations={module: _operations(found) for module, found in document["operations"].items()},
        )  # fmt: skip
        sums.check(made, document)
    except SymcostError as problem:
        raise SymcostError(f"{path} is damaged: {problem}") from None
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as problem:
        raise SymcostError(f"{path} is damaged: {type(problem).__name__} {problem}, save the verdict again") from None
    if bool(made) is not document["verdict"]:
        raise SymcostError(f"{path} is damaged: it says {document['verdict']}, its checks say {bool(made)}")
    return made


def _made(kind: Any, given: Mapping[str, Any]) -> Any:
    """A dataclass of texts and integers: of each field what stands there, if it is of the field's type."""
    return kind(**{each.name: _READERS[str(each.type)](given[each.name]) for each in fields(kind)})


def _check(given: Mapping[str, Any]) -> Check:
    limits = given["limits"]
    span = None if limits is None else (_integer(limits[0]), _or_none(limits[1]))
    kept = [each for each in fields(Check) if each.name != "limits"]
    return Check(**{each.name: _READERS[str(each.type)](given[each.name]) for each in kept}, limits=span)


def _compiled(given: Mapping[str, Any]) -> Compiled:
    given = {"devices": 1, "widened": {}, "missing": "", **given}  # what files of before do not tell
    parts = tuple(_made(Part, each) for each in given["parts"])
    kept = [each for each in fields(Compiled) if each.name not in ("parts", "cached")]
    return Compiled(**{each.name: _READERS[str(each.type)](given[each.name]) for each in kept}, parts=parts,
                    cached=given["cached"] is True)  # fmt: skip


def _operations(found: list[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    return {_text(each["operation"]): (_integer(each["ours"]), _integer(each["theirs"])) for each in found}


def _integer(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"{given!r} stands where an integer should")
    return given


def _or_none(given: Any) -> int | None:
    return None if given is None else _integer(given)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{given!r} stands where a text should")
    return given


def _integers(given: Mapping[str, Any]) -> dict[str, int]:
    return {name: _integer(value) for name, value in given.items()}


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in given.items()}


_READERS: Mapping[str, Any] = {
    "int": _integer, "int | None": _or_none, "str": _text, "Mapping[str, int]": _integers, "Mapping[str, str]": _texts,
}  # fmt: skip
