"""The file of a saved table: its format number, and the digest that tells whether it is as it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError

FORMAT = 1
"""Raised whenever a reader of the old format would misunderstand a new file."""
MAX_BYTES = 1 << 28


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of everything else in the document, in JSON with sorted keys and without spaces."""
    kept = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path) -> dict[str, Any]:
    """The document of a saved file, of a format that is known and exactly as it was written."""
    found = _json(path)
    if not isinstance(found, dict) or "digest" not in found or not isinstance(found.get("format"), int):
        raise SymcostError(f"{path} is not a saved cost table: save one with costs.save(...) or --format json")
    if found["format"] > FORMAT:
        raise SymcostError(
            f"{path} has format {found['format']}, written by symcost {found.get('version')}: "
            f"this symcost reads formats up to {FORMAT}, upgrade it or save the table again"
        )
    if found["digest"] != digest(found):
        raise SymcostError(f"{path} is damaged or was edited: its digest is not that of its contents, save it again")
    return found


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SymcostError(f"{path} has {path.stat().st_size} bytes: saved tables of up to {MAX_BYTES} are read")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SymcostError(f"{path} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise SymcostError(f"{path} is damaged: it is no text, save the table again") from None
    except (ValueError, RecursionError) as problem:
        raise SymcostError(f"{path} is damaged: {_reason(problem)}, save the table again") from None


def _reason(problem: Exception) -> str:
    if isinstance(problem, json.JSONDecodeError):
        return f"no JSON at line {problem.lineno} ({problem.msg})"
    return str(problem) or "nested too deeply"
