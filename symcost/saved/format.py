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
    found = _json(path)
    if not _signed(found) or "verdict" in found:
        why = ": it is a verdict" if _signed(found) else ": save one with costs.save(...) or --format json"
        raise SymcostError(f"{path} is not a saved cost table{why}")
    return _as_written(path, found, FORMAT)


def read_verdict(path: Path) -> dict[str, Any]:
    """The document of a saved verdict, likewise."""
    found = _json(path)
    if not _signed(found) or "verdict" not in found:
        why = (
            "it is a cost table"
            if _signed(found)
            else "save one with verdict.save(...) or symcost verify --format json"
        )
        raise SymcostError(f"{path} is not a saved verdict: {why}")
    return _as_written(path, found, VERDICT_FORMAT)


def _signed(found: Any) -> bool:
    return isinstance(found, dict) and "digest" in found and type(found.get("format")) is int


def _as_written(path: Path, found: dict[str, Any], newest: int) -> dict[str, Any]:
    if found["format"] < 1:
        raise SymcostError(f"{path} is damaged: there is no format {found['format']}, save it again")
    if found["format"] > newest:
        raise SymcostError(
            f"{path} has format {found['format']}, written by symcost {found.get('version')}: "
            f"this symcost reads formats up to {newest}, upgrade it or save it again"
        )
    if found["digest"] != digest(found):
        raise SymcostError(f"{path} is damaged or was edited: its digest is not that of its contents, save it again")
    return found


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
