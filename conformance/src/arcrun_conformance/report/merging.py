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
    }


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
