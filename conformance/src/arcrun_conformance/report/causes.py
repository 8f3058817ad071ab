"""Groups the failures of a run by cause, so that one broken thing is one entry of a report."""

from __future__ import annotations

import shlex
from typing import Any

from .blame import Blame, blame
from .findings import comparable, findings
from .signatures import signature

Cell = dict[str, Any]
Check = dict[str, Any]
Affected = list[tuple[Cell, Check]]

# Checks that every scenario has: where they find the same, it has the same cause.
_EVERYWHERE = (
    "adapter-",
    "secret-",
    "runner-",
    "target-reachable",
    "no-internal-errors",
    "well-formed-http",
    "live-safe",
)
# Findings about an error: where they are the same, so is the cause, whatever the step that met it.
_ERRORS = ("expected a result, got the SDK error ", "error.")
# A title is as long as a line.
_LONGEST_TITLE = 100


def causes(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the causes of a run's failures, those that affect most first (schema `report`).

    An adapter that did not start is one cause, whatever the number of its cells. Checks of other cells share
    a cause if they say the same, but for what differs from run to run; if their values are wrong in the same way
    with the same SDKs, as waits by the same factor; or if they are of one scenario. What fails after a step has
    failed is no cause of its own, unless a secret got out.
    """
    known = {row["scenario"] for row in document["deviations"] if row["state"] == "known"}
    started = {sdk["name"] for sdk in document["sdks"] if sdk.get("started", True)}
    groups: dict[tuple[str, ...], Affected] = {}
    for cell in document["cells"]:
        if cell["outcome"] in {"passed", "skipped"} or cell["scenario"] in known:
            continue
        if cell["sdk"] not in started:
            groups.setdefault(("dead", cell["sdk"]), []).append((cell, _failed(cell)[0]))
            continue
        for check in _own_causes(cell):
            groups.setdefault(_key(cell, check), []).append((cell, check))
    same: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for key, affected in groups.items():
        cause = _cause(document, key, affected)
        same.setdefault(_shared(key, cause), []).append(cause)
    found = [_joined(each) for each in same.values()]
    return sorted(found, key=lambda cause: (not cause["dead"], -len(cause["cells"])))


def _failed(cell: Cell) -> list[Check]:
    """Return the checks that failed; where nothing was checked, the reason as one."""
    failed = [check for check in cell["checks"] if check["outcome"] == "failed"]
    return failed or [{"id": "", "message": cell["reason"]}]


def _own_causes(cell: Cell) -> list[Check]:
    """Return the failed checks that are no consequence of the first."""
    first, *others = _failed(cell)
    steps = {step["id"] for step in cell["steps"]}
    stopped = first["id"] in steps or first["id"].startswith(("adapter-", "runner-"))
    return [first, *(c for c in others if not stopped or c["id"].startswith("secret-"))]


def _key(cell: Cell, check: Check) -> tuple[str, ...]:
    message = comparable(check["message"])
    if check["message"].startswith(_ERRORS):
        return ("error", message)
    if not check["id"] or check["id"].startswith(_EVERYWHERE):
        return ("everywhere", check["id"], message)
    return ("check", cell["scenario"], check["id"], message)


def _cause(document: dict[str, Any], key: tuple[str, ...], affected: Affected) -> dict[str, Any]:
    cell, check = affected[0]
    if key[0] == "dead":
        why = (check["message"] or cell["reason"] or cell["outcome"]).splitlines()[0]
        title = f"the adapter {cell['sdk']} can't be started"
        return _described(document, affected, Blame("adapter", why)) | {
            "dead": True,
            "title": title,
        }
    described = _described(document, affected, _blame_all(document, affected))
    return described | {"title": _title(affected), "then": _consequences(affected)}


def _shared(key: tuple[str, ...], cause: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a cause has in common with others that are likely to be the same."""
    if key[0] != "check":
        return key
    said = signature(cause["message"])
    sdks = frozenset(sdk for _, sdk in cause["cells"])
    return (said.key if said else key[:2], cause["side"], sdks)


def _described(document: dict[str, Any], affected: Affected, blamed: Blame) -> dict[str, Any]:
    cell, check = affected[0]
    message = check["message"] or cell["reason"]
    part = {
        "check": check["id"],
        "verdict": _verdict(blamed, [each["sdk"] for each, _ in affected]),
        "message": message,
        "findings": findings(message),
        "cells": [[each["scenario"], each["sdk"]] for each, _ in affected],
    }
    return {
        "dead": False,
        "side": blamed.side,
        "why": blamed.why,
        "then": [],
        "passing": blamed.passing,
        "command": _command(document, cell),
        **part,
        "checks": [part],
    }


def _joined(same: list[dict[str, Any]]) -> dict[str, Any]:
    """Return causes that are the same as one: the first leads, and has the checks of all."""
    first, *others = same
    if not others:
        return first
    said = signature(first["message"])
    cells = [tuple(pair) for cause in same for pair in cause["cells"]]
    scenarios = list(dict.fromkeys(scenario for scenario, _ in cells))
    where = scenarios[0] if len(scenarios) == 1 else f"{len(scenarios)} scenarios"
    what = said.text if said else f"{len(same)} checks"
    return first | {
        "title": f"{where}: {what}",
        "cells": [list(pair) for pair in dict.fromkeys(cells)],
        "then": list(dict.fromkeys(check for cause in same for check in cause["then"])),
        "checks": [part for cause in same for part in cause["checks"]],
    }


def _verdict(blamed: Blame, sdks: list[str]) -> str:
    """Return who is at fault, by name, and for what."""
    names = list(dict.fromkeys(sdks))
    each = f"each of {', '.join(names)}" if len(names) > 1 else names[0]
    name = {"SDK": each, "engine": "the engine"}.get(blamed.side)
    return f"{name} is at fault: {blamed.why}" if name else blamed.why


def _title(affected: Affected) -> str:
    scenarios = list(dict.fromkeys(cell["scenario"] for cell, _ in affected))
    checks = list(dict.fromkeys(check["id"] for _, check in affected))
    where = scenarios[0] if len(scenarios) == 1 else f"{len(scenarios)} scenarios"
    said = (affected[0][1]["message"].splitlines() or [""])[0]
    if len(said) > _LONGEST_TITLE:
        said = f"{said[:_LONGEST_TITLE]}…"
    what = checks[0] if len(checks) == 1 else said
    return f"{where}: {what}" if what else where


def _consequences(affected: Affected) -> list[str]:
    """Return the further checks that failed in these cells and are no causes of their own."""
    found: dict[str, None] = {}
    for cell, _ in affected:
        own = _own_causes(cell)
        found.update(dict.fromkeys(check["id"] for check in _failed(cell) if check not in own))
    return list(found)


def _blame_all(document: dict[str, Any], affected: Affected) -> Blame:
    """Return which side all of these cells speak against; `undecided` if they contradict each other."""
    found = [blame(document, cell, check) for cell, check in affected]
    sides = dict.fromkeys(each.side for each in found)
    if len(sides) == 1:
        return found[0]
    return Blame("undecided", f"it differs between the cells: {', '.join(sides)}", found[0].passing)


def _command(document: dict[str, Any], cell: Cell) -> str:
    words = ["--scenario", cell["scenario"]]
    if document.get("suite", "sdk") == "sdk":
        words += ["--sdk", cell["sdk"]]
    return f"{document.get('command', 'arcrun-conformance run')} {shlex.join(words)}"
