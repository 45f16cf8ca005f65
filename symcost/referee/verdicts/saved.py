"""``load_verdict``: a verdict from its file, so that what a compiler said is shown again without compiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from symcost.agreement.check import Check, ModuleRow
from symcost.costs.saved.format import read_verdict
from symcost.costs.saved.values import as_integer, as_integers, as_text, as_texts, or_none, undamaged
from symcost.errors import SymcostError
from symcost.hlo.explaining.bridge import Part
from symcost.reading.given import checked
from symcost.referee.verdicts import sums
from symcost.referee.verdicts.verdict import Compiled, Opinion, Verdict


@checked
def load_verdict(path: str | Path) -> Verdict:
    """The verdict that ``verdict.save(path)`` or ``symcost verify --format json --output FILE`` wrote.

    Nothing is compiled, and jax is not needed. A file that is damaged, edited or of a newer format is an error.

    Raises:
        SymcostError: where the file cannot be read, is damaged or edited, or is of a newer format.

    >>> import tempfile
    >>> import symcost as sc
    >>> verdict = sc.verify(sc.models.alexnet(n="n"), at=dict(n=2), targets=[])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     verdict.save(f"{folder}/alexnet.verdict.json")
    ...     sc.load_verdict(f"{folder}/alexnet.verdict.json") == verdict
    True
    """
    document = read_verdict(Path(path))
    with undamaged(Path(path), "verdict"):
        verdict = Verdict(
            at=as_integers(document["at"]), flops=as_integer(document["flops"]),
            transcendentals=as_integer(document["transcendentals"]),
            checks=tuple(_check(each) for each in document["checks"]),
            modules=tuple(_made(ModuleRow, each) for each in document["modules"]),
            targets=tuple(_compiled(each) for each in document["targets"]), failures=as_texts(document["failures"]),
            opinions=tuple(_made(Opinion, each) for each in document["opinions"]),
            notes=tuple(map(as_text, document["notes"])),
            operations={module: _operations(found) for module, found in document["operations"].items()},
        )  # fmt: skip
        sums.check(verdict, document)
    if bool(verdict) is not document["verdict"]:
        raise SymcostError(f"{path} is damaged: it says {document['verdict']}, its checks say {bool(verdict)}")
    return verdict


def _made(kind: Any, given: Mapping[str, Any], **read: Any) -> Any:
    """A dataclass of texts and integers: of each field what stands there, if it is of the field's type, or what was read."""
    kept = {each.name: _READERS[str(each.type)](given[each.name]) for each in fields(kind) if each.name not in read}
    return kind(**kept, **read)


def _check(given: Mapping[str, Any]) -> Check:
    limits = given["limits"]
    span = None if limits is None else (as_integer(limits[0]), or_none(as_integer, limits[1]))
    return _made(Check, given, limits=span)


def _compiled(given: Mapping[str, Any]) -> Compiled:
    given = {"devices": 1, "widened": {}, "missing": "", **given}  # what files of before do not tell
    parts = tuple(_made(Part, each) for each in given["parts"])
    return _made(Compiled, given, parts=parts, cached=given["cached"] is True)


def _operations(found: list[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    return {as_text(each["operation"]): (as_integer(each["ours"]), as_integer(each["theirs"])) for each in found}


_READERS: Mapping[str, Any] = {
    "int": as_integer, "int | None": partial(or_none, as_integer), "str": as_text,
    "Mapping[str, int]": as_integers, "Mapping[str, str]": as_texts,
}  # fmt: skip
