"""Sum up the newest conformance report, for the site: `packages/website/src/generated/conformance.json`."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "conformance.json"


def newest_report(folder: Path) -> dict[str, Any] | None:
    """Return the columns of the newest report of the SDK suite below a folder, or None if there is none."""
    documents = [json.loads(path.read_text("utf-8")) for path in folder.rglob(_NAME)]
    finished = [
        document
        for document in documents
        if document.get("suite") == "sdk" and not document.get("interrupted")
    ]
    if not finished:
        return None
    return summed_up(max(finished, key=lambda document: str(document["started"])))


def summed_up(document: dict[str, Any]) -> dict[str, Any]:
    """Return how many scenarios each SDK and runtime has passed."""
    outcomes: dict[str, Counter[str]] = {}
    failures: dict[str, list[str]] = {}
    for cell in document["cells"]:
        outcomes.setdefault(cell["sdk"], Counter())[cell["outcome"]] += 1
        if cell["outcome"] not in {"passed", "skipped"}:
            failures.setdefault(cell["sdk"], []).append(cell["scenario"])
    about = {sdk["name"]: sdk for sdk in document["sdks"]}
    gate = document["gate"]
    return {
        "date": str(document["started"])[:10],
        "engine": document["target"]["name"],
        "verdict": gate["verdict"] if gate else None,
        "scenarios": len(document["scenarios"]),
        "columns": [
            {
                "name": name,
                "package": _package(about.get(name, {})),
                "runtime": about.get(name, {}).get("runtime", ""),
                "passed": found["passed"],
                "failed": sum(found.values()) - found["passed"] - found["skipped"],
                "skipped": found["skipped"],
                "failures": failures.get(name, []),
            }
            for name, found in outcomes.items()
        ],
    }


def _package(sdk: dict[str, Any]) -> str:
    """Return the package that a column has tested, with its version; empty if it did not start."""
    return f"{sdk['sdk']} {sdk['version']}" if sdk.get("started") else ""
