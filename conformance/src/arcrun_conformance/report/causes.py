"""Groups the failures of a run by cause, so that one broken thing is one entry of a report."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from .blame import Blame, blame
from .findings import comparable, findings
from .signatures import Signature, signature
from .waits import asked_for, before_wait

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
    with the same SDKs, as waits by the same factor or one field of a call; if requests of the same SDKs differ in the
    same way from those of an SDK that passes, as by a call that is missing or a status that is not retried; or if they
    are of one scenario. What fails after a step has failed is no cause of its own, unless a secret got out.
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
    same: dict[tuple[Any, ...], list[_Alike]] = {}
    for key, affected in groups.items():
        alike = _alike(document, key, affected)
        same.setdefault(_shared(key, alike), []).append(alike)
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


@dataclass(frozen=True)
class _Alike:
    """A cause of checks that say the same, and in what way what they found is wrong, if that is known."""

    cause: dict[str, Any]
    said: Signature | None


def _alike(document: dict[str, Any], key: tuple[str, ...], affected: Affected) -> _Alike:
    cell, check = affected[0]
    if key[0] == "dead":
        why = (check["message"] or cell["reason"] or cell["outcome"]).splitlines()[0]
        title = f"the adapter {cell['sdk']} can't be started"
        described = _described(document, affected, Blame("adapter", why))
        return _Alike(described | {"dead": True, "title": title}, None)
    blamed = _blame_all(document, affected)
    said = blamed.signature or (
        None if key[0] == "error" else signature(check["message"], asked_for(cell, check))
    )
    described = _described(document, affected, blamed)
    more = {"title": _title(affected, said), "then": _consequences(affected)}
    return _Alike(described | more, said)


def _shared(key: tuple[str, ...], alike: _Alike) -> tuple[Any, ...]:
    """Return what a cause has in common with others that are likely to be the same."""
    if key[0] not in {"check", "error"} or (key[0] == "error" and alike.said is None):
        return key
    sdks = frozenset(sdk for _, sdk in alike.cause["cells"])
    return (alike.said.key if alike.said else key[:2], alike.cause["side"], sdks)


def _described(document: dict[str, Any], affected: Affected, blamed: Blame) -> dict[str, Any]:
    cell, check = affected[0]
    message = check["message"] or cell["reason"]
    part = {
        "check": check["id"],
        "verdict": _verdict(blamed, [each["sdk"] for each, _ in affected]),
        "message": message,
        "findings": _findings(document, cell, check, message),
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


def _findings(
    document: dict[str, Any], cell: Cell, check: Check, message: str
) -> list[dict[str, str]]:
    """Return the findings of a check, and before those about a wait, what the SDK was asked to wait for."""
    scenario: dict[str, Any] = next(
        (s for s in document.get("scenarios", ()) if s["id"] == cell["scenario"]), {}
    )
    before = before_wait(scenario, cell, check)
    return [*([{"text": before}] if before else []), *findings(message)]


def _joined(same: list[_Alike]) -> dict[str, Any]:
    """Return causes that are the same as one, which has the checks of all.

    The scenario in which most checks fail leads: in others, what is wrong may show by the way only.
    """
    failing = Counter(each.cause["cells"][0][0] for each in same)
    same = sorted(same, key=lambda each: -failing[each.cause["cells"][0][0]])
    said, causes = same[0].said, [each.cause for each in same]
    first = causes[0]
    if len(causes) == 1:
        return first
    cells = [tuple(pair) for cause in causes for pair in cause["cells"]]
    scenarios = list(dict.fromkeys(scenario for scenario, _ in cells))
    where = scenarios[0] if len(scenarios) == 1 else f"{len(scenarios)} scenarios"
    what = said.text if said else f"{len(causes)} checks"
    return first | {
        "title": f"{where}: {what}",
        "cells": [list(pair) for pair in dict.fromkeys(cells)],
        "then": list(dict.fromkeys(check for cause in causes for check in cause["then"])),
        "checks": [part for cause in causes for part in cause["checks"]],
    }


def _verdict(blamed: Blame, sdks: list[str]) -> str:
    """Return who is at fault, by name, and for what."""
    names = list(dict.fromkeys(sdks))
    each = f"each of {', '.join(names)}" if len(names) > 1 else names[0]
    name = {"SDK": each, "engine": "the engine"}.get(blamed.side)
    return f"{name} is at fault: {blamed.why}" if name else blamed.why


def _title(affected: Affected, said: Signature | None) -> str:
    scenarios = list(dict.fromkeys(cell["scenario"] for cell, _ in affected))
    checks = list(dict.fromkeys(check["id"] for _, check in affected))
    where = scenarios[0] if len(scenarios) == 1 else f"{len(scenarios)} scenarios"
    message = (affected[0][1]["message"].splitlines() or [""])[0]
    if len(message) > _LONGEST_TITLE:
        message = f"{message[:_LONGEST_TITLE]}…"
    what = checks[0] if len(checks) == 1 else said.text if said else message
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
        same = len({each.signature for each in found}) == 1
        return found[0] if same else replace(found[0], signature=None)
    return Blame("undecided", f"it differs between the cells: {', '.join(sides)}", found[0].passing)


def _command(document: dict[str, Any], cell: Cell) -> str:
    if "replay" in document:  # of one cell, which is in the recording
        return str(document["replay"])
    words = ["--scenario", cell["scenario"]]
    if document.get("suite", "sdk") == "sdk":
        words += ["--sdk", cell["sdk"]]
    return f"{document.get('command', 'arcrun-conformance run')} {shlex.join(words)}"
