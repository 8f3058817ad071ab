"""Writes `summary.md`: the matrix and the failures, for a CI job's summary page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .document import exempt

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = {"passed": "✅", "failed": "❌", "error": "💥", "skipped": "⏭️", "unavailable": "🚫"}


def write(document: dict[str, Any], path: Path) -> None:
    """Write the summary."""
    path.write_text("\n".join(_lines(document)) + "\n", "utf-8")


def _lines(document: dict[str, Any]) -> list[str]:
    target, gate = document["target"], document["gate"]
    title = f"arcrun conformance: {gate['verdict']}" if gate else "arcrun conformance"
    lines = [
        f"## {title}",
        "",
        (
            f"Target {_text(target['name'])}, contract {_text(str(target['contract']))}; "
            f"run `{document['run']}`, {document['seconds']:.1f} s."
        ),
        "",
        *_matrix(document),
    ]
    reasons = [*(gate["reasons"] if gate else ()), *document["leftovers"]["problems"]]
    reasons += [f"left behind: {thing}" for thing in document["leftovers"]["left"]]
    if reasons:
        lines += ["", "### Problems", "", *(f"- {_text(reason)}" for reason in reasons)]
    if document["deviations"]:
        lines += ["", "### Deviations from the contract", "", *_deviations(document["deviations"])]
    missing = _unavailable(document)
    if missing:
        lines += ["", "### Not available", "", *missing]
    exempted = exempt(document)
    if exempted:
        lines += ["", "### Exempt checks", "", *(f"- {_text(line)}" for line in exempted)]
    failed = [cell for cell in document["cells"] if cell["outcome"] in {"failed", "error"}]
    if failed:
        lines += ["", "### Failures"]
        for cell in failed:
            lines += ["", *_failure(cell)]
    return lines


def _matrix(document: dict[str, Any]) -> list[str]:
    names = [sdk["name"] for sdk in document["sdks"]]
    cells = {(cell["scenario"], cell["sdk"]): cell for cell in document["cells"]}
    lines = [f"| scenario | {' | '.join(names)} |", f"|---|{':-:|' * len(names)}"]
    for scenario in document["scenarios"]:
        row = [cells.get((scenario["id"], name)) for name in names]
        marks = [_MARKS[cell["outcome"]] if cell else "" for cell in row]
        lines.append(f"| {scenario['id']} | {' | '.join(marks)} |")
    return lines


def _unavailable(document: dict[str, Any]) -> list[str]:
    missing = {c["sdk"]: c["reason"] for c in document["cells"] if c["outcome"] == "unavailable"}
    return [f"- {_text(sdk)}: {_text(reason)}" for sdk, reason in missing.items()]


def _deviations(rows: list[dict[str, Any]]) -> list[str]:
    head = ["| | scenario | contract | difference |", "|---|---|---|---|"]
    return head + [
        f"| {row['state']} | {row['scenario']} | {row['spec']} | {_text(row['text'])} |"
        for row in rows
    ]


def _failure(cell: dict[str, Any]) -> list[str]:
    lines = [f"<details><summary>{cell['scenario']} with {cell['sdk']}</summary>", ""]
    for check in cell["checks"]:
        if check["outcome"] == "failed":
            lines += [f"**{check['id']}**", "", *_fenced(check["message"]), ""]
    if cell["reason"] and len(lines) == 2:  # nothing was checked
        lines += [*_fenced(cell["reason"]), ""]
    return [*lines, "</details>"]


def _fenced(text: str) -> list[str]:
    # The fence is longer than any inside, so that an engine's response can't end the block.
    longest = max(len(run) for run in ("``", *re.findall("`+", text)))
    fence = "`" * (longest + 1)
    return [f"{fence}text", text, fence]


def _text(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))
