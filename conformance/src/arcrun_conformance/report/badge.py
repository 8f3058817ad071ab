"""Writes `badge.json`, from which shields.io makes a badge (its "endpoint badge")."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .document import failed, failing

if TYPE_CHECKING:
    from pathlib import Path

PASSED, FAILED, UNKNOWN = "brightgreen", "red", "lightgrey"


def write(document: dict[str, Any], path: Path) -> None:
    """Write the badge."""
    message, color = _message(document)
    badge = {
        "schemaVersion": 1,
        "label": "arcrun conformance",
        "message": message,
        "color": color,
    }
    path.write_text(json.dumps(badge) + "\n", "utf-8")


def _message(document: dict[str, Any]) -> tuple[str, str]:
    """Return what the badge says, and its color.

    A run that did not come to its end says nothing about the SDK, so it is neither green nor red.
    """
    cells, gate = document["cells"], document["gate"]
    if document["interrupted"] or document.get("crash"):
        return "incomplete", UNKNOWN
    if all(cell["outcome"] == "skipped" for cell in cells):
        return "nothing tested", UNKNOWN
    bad = len(failing(document))
    if bad:
        return f"{bad} of {len(cells)} failed", FAILED
    if (gate and gate["verdict"] != "GO") or failed(document):
        return "NO-GO" if gate else "failed", FAILED
    passed = sum(cell["outcome"] == "passed" for cell in cells)
    return f"{passed} passed", PASSED
