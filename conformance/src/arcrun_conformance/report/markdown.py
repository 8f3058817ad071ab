"""Writes `summary.md`: the failures by cause and the matrix, for a CI job's summary page."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from .causes import causes
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
    ]
    reasons = ["the run was interrupted"] if document["interrupted"] and not gate else []
    reasons += [document["crash"]] if document.get("crash") and not gate else []
    reasons += [*(gate["reasons"] if gate else ()), *document["leftovers"]["problems"]]
    reasons += [f"left behind: {thing}" for thing in document["leftovers"]["left"]]
    if reasons:
        lines += ["", "### Problems", "", *(f"- {_text(reason)}" for reason in reasons)]
    if document["deviations"]:
        lines += ["", "### Deviations from the contract", "", *_deviations(document["deviations"])]
    found = causes(document)
    if found:
        lines += ["", "### Failures by cause"]
        for cause in found:
            lines += ["", *_cause(cause)]
    lines += ["", "### All scenarios", "", *_matrix(document)]
    exempted = exempt(document)
    if exempted:
        lines += ["", "### Exempt checks", "", *(f"- {_text(line)}" for line in exempted)]
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


def _deviations(rows: list[dict[str, Any]]) -> list[str]:
    head = ["| | scenario | contract | difference |", "|---|---|---|---|"]
    return head + [
        f"| {row['state']} | {row['scenario']} | {row['spec']} | {_text(row['text'])} |"
        for row in rows
    ]


def _cause(cause: dict[str, Any]) -> list[str]:
    cells = [f"{scenario} with {sdk}" for scenario, sdk in cause["cells"]]
    count = f" ({len(cells)} cells)" if len(cells) > 1 else ""
    if cause["dead"]:
        return [f"- **{_text(cause['title'])}**{count}: {_text(cause['message'])}"]
    return [
        f"<details><summary>{_html(cause['title'])}: {_html(cause['side'])}{count}</summary>",
        "",
        *_fenced(cause["message"]),
        "",
        f"{_text(cause['why'])}. In {_text(', '.join(cells))}. Repeat it:",
        "",
        *_fenced(cause["command"]),
        "",
        "</details>",
    ]


def _html(text: str) -> str:
    return html.escape(_text(text), quote=False)


def _fenced(text: str) -> list[str]:
    # The fence is longer than any inside, so that an engine's response can't end the block.
    longest = max(len(run) for run in ("``", *re.findall("`+", text)))
    fence = "`" * (longest + 1)
    return [f"{fence}text", text, fence]


def _text(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))
