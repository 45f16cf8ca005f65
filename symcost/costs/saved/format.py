"""The files of saved tables and verdicts: their format numbers, and the digest that tells whether they are as written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError

FORMAT = 2
"""Of saved tables; raised whenever a reader of the old format would misunderstand a new file. 2: state and number types."""
VERDICT_FORMAT = 1
"""Of saved verdicts, likewise."""
MAX_BYTES = 1 << 28
SUFFIX = ".json"
"""Of the files of saved tables: by it they are known from names of models."""


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of everything else in the document, in JSON with sorted keys and without spaces."""
    kept = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path) -> dict[str, Any]:
    """The document of a saved table, of a format that is known and exactly as it was written."""
    return _of_kind(path, "cost table", FORMAT, "costs.save(...) or --format json")


def read_verdict(path: Path) -> dict[str, Any]:
    """The document of a saved verdict, likewise."""
    return _of_kind(path, "verdict", VERDICT_FORMAT, "verdict.save(...) or symcost verify --format json")


def _of_kind(path: Path, kind: str, newest: int, cure: str) -> dict[str, Any]:
    document = _json(path)
    signed = isinstance(document, dict) and "digest" in document and type(document.get("format")) is int
    is_one = "verdict" if signed and "verdict" in document else "cost table"
    if not signed or is_one != kind:
        why = f"it is a {is_one}" if signed else f"save one with {cure}"
        raise SymcostError(f"{path} is not a saved {kind}: {why}")
    return _as_written(path, document, newest)


def _as_written(path: Path, document: dict[str, Any], newest: int) -> dict[str, Any]:
    if document["format"] < 1:
        raise SymcostError(f"{path} is damaged: there is no format {document['format']}, save it again")
    if document["format"] > newest:
        raise SymcostError(
            f"{path} has format {document['format']}, written by symcost {document.get('version')}: "
            f"this symcost reads formats up to {newest}, upgrade it or save it again"
        )
    if document["digest"] != digest(document):
        raise SymcostError(f"{path} is damaged or was edited: its digest is not that of its contents, save it again")
    return document


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SymcostError(f"{path} has {path.stat().st_size} bytes: saved files of up to {MAX_BYTES} are read")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SymcostError(f"{path} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise SymcostError(f"{path} is damaged: it is no text, save it again") from None
    except (ValueError, RecursionError) as problem:
        raise SymcostError(f"{path} is damaged: {_reason(problem)}, save it again") from None


def _reason(problem: Exception) -> str:
    if isinstance(problem, json.JSONDecodeError):
        return f"no JSON at line {problem.lineno} ({problem.msg})"
    return str(problem) or "nested too deeply"
