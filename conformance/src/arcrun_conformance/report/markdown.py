"""Writes `summary.md`: the failures by cause and the matrix, for a CI job's summary page."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from .causes import causes
from .document import exempt, failed

if TYPE_CHECKING:
    from pathlib import Path

# GitHub shows no summary of more than 1 MiB: what is left out is in the page.
_SHOWN = 50
_MARKS = {"passed": "✅", "failed": "❌", "error": "💥", "skipped": "⏭️", "unavailable": "🚫"}


def write(document: dict[str, Any], path: Path) -> None:
    """Write the summary."""
    path.write_text("\n".join(_lines(document)) + "\n", "utf-8")


def _lines(document: dict[str, Any]) -> list[str]:
    target, gate = document["target"], document["gate"]
    lines = [
        f"## arcrun conformance: {_verdict(document)}",
        "",
        (
            f"{_totals(document)}. Target {_text(target['name'])}, contract "
            f"{_text(str(target['contract']))}; run `{document['run']}`, {document['seconds']:.1f} s."
        ),
    ]
    found = causes(document)
    if found:
        lines += ["", "### Failures by cause"]
        for cause in found[:_SHOWN]:
            lines += ["", *_cause(cause)]
        lines += _left_out(len(found))
    reasons = ["the run was interrupted"] if document["interrupted"] and not gate else []
    reasons += [document["crash"]] if document.get("crash") and not gate else []
    reasons += [*document["leftovers"]["problems"]]
    reasons += [f"left behind: {thing}" for thing in document["leftovers"]["left"]]
    reasons += gate["reasons"] if gate else ()
    if reasons:
        lines += ["", "### Problems", "", *(f"- {_text(reason)}" for reason in reasons[:_SHOWN])]
        lines += _left_out(len(reasons))
    if document["deviations"]:
        lines += ["", "### Deviations from the contract", "", *_deviations(document["deviations"])]
    lines += ["", "### All scenarios", "", *_matrix(document)]
    exempted = exempt(document)
    if exempted:
        lines += ["", "### Exempt checks", "", *(f"- {_text(line)}" for line in exempted)]
    return lines


def _verdict(document: dict[str, Any]) -> str:
    if document["gate"]:
        return str(document["gate"]["verdict"])
    return "failed" if failed(document) else "passed"


def _totals(document: dict[str, Any]) -> str:
    outcomes = [cell["outcome"] for cell in document["cells"]]
    counts = {name: outcomes.count(name) for name in _MARKS}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "Nothing ran"


def _left_out(count: int) -> list[str]:
    return ["", f"… and {count - _SHOWN} more: see index.html."] if count > _SHOWN else []


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
        *_fenced("\n".join(_messages(cause))),
        "",
        f"{_text(cause['verdict'])}. In {_text(', '.join(cells))}. Repeat it:",
        "",
        *_fenced(cause["command"]),
        "",
        "</details>",
    ]


def _messages(cause: dict[str, Any]) -> list[str]:
    """Return what the checks of a cause found: with their names, where they are several."""
    first, *others = cause["checks"]
    named = [f"{part['cells'][0][0]}: {part['check']}: {part['message']}" for part in others]
    return [first["message"], *named]


def _html(text: str) -> str:
    return html.escape(_text(text), quote=False)


def _fenced(text: str) -> list[str]:
    # The fence is longer than any inside, so that an engine's response can't end the block.
    longest = max(len(run) for run in ("``", *re.findall("`+", text)))
    fence = "`" * (longest + 1)
    return [f"{fence}text", text, fence]


def _text(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))
