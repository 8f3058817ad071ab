"""Writes `summary.md`: the failures by cause and the matrix, for a CI job's summary page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from arcrun_conformance.cleaning import visible, visible_line

from .causes import causes
from .document import exempt, failed
from .findings import said_lines

if TYPE_CHECKING:
    from pathlib import Path

# GitHub shows no summary of more than 1 MiB: what is left out is in the page.
_SHOWN = 50
_LANGUAGES = {
    "python": "Python",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "go": "Go",
}
_REQUEST_ID = re.compile(r"\b[0-9a-f]{32}\b")
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
        lines += ["", "The requests and responses of each are in `index.html` of the same report."]
        for cause in found[:_SHOWN]:
            lines += ["", *_cause(document, cause)]
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
    """Return the scenarios that failed as a table, those that not all SDKs have run folded, and how many passed."""
    names = [sdk["name"] for sdk in document["sdks"]]
    cells = {(cell["scenario"], cell["sdk"]): cell for cell in document["cells"]}
    failing, not_run, passed = [], [], 0
    for scenario in document["scenarios"]:
        row = [cells.get((scenario["id"], name)) for name in names]
        outcomes = {cell["outcome"] if cell else "" for cell in row}
        marks = [_MARKS[cell["outcome"]] if cell else "" for cell in row]
        line = f"| {_text(scenario['id'])} | {' | '.join(marks)} |"
        if not outcomes <= {"passed", "skipped", ""}:
            failing.append(line)
        elif outcomes == {"passed"}:
            passed += 1
        else:
            not_run.append(line)
    head = [f"| scenario | {' | '.join(map(_text, names))} |", f"|---|{':-:|' * len(names)}"]
    parts = [[*head, *failing]] if failing else []
    if not_run:
        folded = f"<details><summary>{_scenarios(len(not_run))} not run with every SDK</summary>"
        parts.append([folded, "", *head, *not_run, "", "</details>"])
    if passed:
        with_all = (
            f" with {_text(names[0])}" if len(names) == 1 else f" with all of {len(names)} SDKs"
        )
        parts.append([f"{_scenarios(passed)} passed{with_all}."])
    return [line for part in parts for line in ["", *part]][1:]


def _scenarios(count: int) -> str:
    return f"{count} scenario{'' if count == 1 else 's'}"


def _deviations(rows: list[dict[str, Any]]) -> list[str]:
    head = ["| | scenario | contract | difference |", "|---|---|---|---|"]
    return head + [
        f"| {row['state']} | {_text(row['scenario'])} | {_text(row['spec'])} | {_text(row['text'])} |"
        for row in rows
    ]


def _cause(document: dict[str, Any], cause: dict[str, Any]) -> list[str]:
    cells = [f"{scenario} with {sdk}" for scenario, sdk in cause["cells"]]
    count = f" ({len(cells)} cells)" if len(cells) > 1 else ""
    if cause["dead"]:
        return [f"- **{_text(cause['title'])}**{count}: {_text(cause['message'])}"]
    first, *others = cause["checks"]
    further = [
        f"- {_text(part['cells'][0][0])}: {_text(part['check'])}: {_text(part['verdict'])}."
        for part in others
        if part["verdict"] != first["verdict"]
    ]
    return [
        f"#### {_text(cause['title'])}: {_text(side_text(document, cause))}{count}",
        "",
        f"{_text(_sentence(document, cause['verdict']))}.",
        "",
        *_fenced("\n".join(_messages(cause))),
        *(["", *further[:_SHOWN], *_left_out(len(further))] if further else []),
        "",
        f"In {_text(', '.join(cells))}. Repeat it:",
        "",
        *_fenced(cause["command"]),
    ]


def side_text(document: dict[str, Any], cause: dict[str, Any]) -> str:
    """Return the side that a cause speaks against: of an SDK also its name and language."""
    if cause["side"] != "SDK":
        return str(cause["side"])
    names = list(dict.fromkeys(sdk for _, sdk in cause["cells"]))
    languages = {sdk["name"]: str(sdk.get("language", "")) for sdk in document["sdks"]}
    spoken = [each for each in dict.fromkeys(languages.get(name, "") for name in names) if each]
    shown = ", ".join(_LANGUAGES.get(language, language) for language in spoken)
    return f"SDK {', '.join(names)}{f' · {shown}' if shown else ''}"


def _sentence(document: dict[str, Any], text: str) -> str:
    """Return a text that begins with a capital, or with the name of an SDK as it is written."""
    named = any(text.startswith(f"{sdk['name']} ") for sdk in document["sdks"])
    return text if named else text[:1].upper() + text[1:]


def _messages(cause: dict[str, Any]) -> list[str]:
    """Return what the checks of a cause found: with their names, where they say something else than the first."""
    first, *others = cause["checks"]
    said = _said(first)
    named = [
        f"{part['cells'][0][0]}: {part['check']}: {_said(part)}"
        for part in others
        if _REQUEST_ID.sub("", _said(part)) != _REQUEST_ID.sub("", said)
    ]
    return [said, *named]


def _said(part: dict[str, Any]) -> str:
    """Return the message of a check; before it, what its findings add to it."""
    added = (found["text"] for found in part["findings"] if "text" in found)
    message = "\n".join(said_lines(part["message"]))
    return "\n".join([*(text for text in added if text not in message), message])


def _fenced(text: str) -> list[str]:
    text = visible(text)
    # The fence is longer than any inside, so that an engine's response can't end the block.
    longest = max(len(run) for run in ("``", *re.findall("`+", text)))
    fence = "`" * (longest + 1)
    return [f"{fence}text", text, fence]


def _text(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#~$&])", r"\\\1", visible_line(" ".join(text.split())))
