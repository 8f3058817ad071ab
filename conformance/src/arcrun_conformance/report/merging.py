"""Merges the reports of several runs, such as shards, into one report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def merged(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one report with the cells of all; its `gate` is `None`.

    Raises:
        ValueError: Runners, contracts or engines differ, or two reports contain the same cell.
    """
    first = reports[0]
    _same("runners", [report["runner"] for report in reports])
    _same("contracts", [report["target"]["contract"] for report in reports])
    _same("targets", [report["target"]["name"] for report in reports])
    _same("suites", [report.get("suite", "sdk") for report in reports])
    scenarios = {s["id"]: s for report in reports for s in report["scenarios"]}
    sdks: dict[str, Any] = {}
    for report in reports:
        for sdk in report["sdks"]:
            if not sdks.get(sdk["name"], {}).get("started"):
                sdks[sdk["name"]] = sdk
    return {
        **first,
        "run": "+".join(report["run"] for report in reports),
        "started": min(report["started"] for report in reports),
        "seconds": max(report["seconds"] for report in reports),
        "interrupted": any(report["interrupted"] for report in reports),
        "crash": next((report["crash"] for report in reports if report.get("crash")), None),
        "scenarios": [scenarios[identifier] for identifier in sorted(scenarios)],
        "sdks": list(sdks.values()),
        "cells": _cells(reports, list(sdks)),
        "leftovers": {
            "created": sum(report["leftovers"]["created"] for report in reports),
            "problems": [p for report in reports for p in report["leftovers"]["problems"]],
            "left": [thing for report in reports for thing in report["leftovers"]["left"]],
        },
        "deviations": [],
        "gate": None,
        "shard": {"index": 1, "of": 1},
    }


def missing_shards(reports: Sequence[dict[str, Any]]) -> str:
    """Return which shards of an SDK's run are not there, for a message; an empty string if all are."""
    found: dict[str, dict[int, set[int]]] = {}
    for report in reports:
        shard = report.get("shard") or {"index": 1, "of": 1}
        for sdk in report["sdks"]:
            found.setdefault(sdk["name"], {}).setdefault(shard["of"], set()).add(shard["index"])
    lines: dict[str, list[str]] = {}
    for sdk, divisions in found.items():
        for total, indices in divisions.items():
            for index in sorted({*range(1, total + 1)} - indices):
                lines.setdefault(f"shard {index}/{total}", []).append(sdk)
    return ", ".join(f"{shard} of {', '.join(sdks)}" for shard, sdks in lines.items())


def _same(what: str, values: Sequence[Any]) -> None:
    found = list(dict.fromkeys(map(str, values)))
    if len(found) > 1:
        raise ValueError(f"the {what} differ: {', '.join(found)}")


def _cells(reports: Sequence[dict[str, Any]], sdks: list[str]) -> list[dict[str, Any]]:
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        for cell in report["cells"]:
            key = (cell["scenario"], cell["sdk"])
            if key in cells:
                raise ValueError(f"two of them contain {key[0]} with {key[1]}")
            cells[key] = cell
    return [cells[key] for key in sorted(cells, key=lambda key: (key[0], sdks.index(key[1])))]
