"""Merges the reports of several runs, such as shards, into one report."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# What an SDK says about itself; where one of it differs, it is not the same SDK.
_IDENTITY = ("sdk", "version", "language", "runtime", "capabilities")
# How many of the shards that are missing are named.
_NAMED = 7


def merged(reports: Sequence[dict[str, Any]], files: Sequence[str] = ()) -> dict[str, Any]:
    """Return one report with the cells of all; its `gate` is `None`.

    Args:
        reports: The reports.
        files: The names of their files, for messages.

    Raises:
        ValueError: Runners, contracts, engines, SDKs or artifacts differ, or two reports contain the same cell.
    """
    files = files or [f"report {number}" for number in range(1, len(reports) + 1)]
    first = reports[0]
    for what, values in _common(reports):
        _same(what, values, files)
    _same_sdks(reports, files)
    _same_artifacts(reports, files)
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
    } | ({"artifacts": artifacts} if (artifacts := _artifacts(reports)) else {})


def _common(reports: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Yield what all reports have to have in common, with the value of each report."""
    yield "runners", [report["runner"] for report in reports]
    yield "contracts", [report["target"]["contract"] for report in reports]
    yield "targets", [report["target"]["name"] for report in reports]
    yield "versions of the engine", [_engine_version(report) for report in reports]
    yield "suites", [report.get("suite", "sdk") for report in reports]


def _engine_version(report: dict[str, Any]) -> Any:
    return report["target"].get("health", {}).get("bundle_version")


def _same_sdks(reports: Sequence[dict[str, Any]], files: Sequence[str]) -> None:
    """Check that an SDK that several reports have started is the same one.

    Raises:
        ValueError: It is not.
    """
    found: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for report, file in zip(reports, files, strict=True):
        for sdk in report["sdks"]:
            if sdk["started"]:
                found.setdefault(sdk["name"], []).append((sdk, file))
    for name, described in found.items():
        for field in _IDENTITY:
            values = [sdk.get(field) for sdk, _ in described]
            _same(f"values of `{field}` of {name}", values, [file for _, file in described])


def _same_artifacts(reports: Sequence[dict[str, Any]], files: Sequence[str]) -> None:
    """Check that an artifact is the same wherever it is named, and that an SDK has been tested as the same ones.

    Raises:
        ValueError: That is not so.
    """
    digests: dict[str, list[tuple[str, str]]] = {}
    tested: dict[str, list[tuple[str, str]]] = {}
    for report, file in zip(reports, files, strict=True):
        artifacts = report.get("artifacts", ())
        for artifact in artifacts:
            digests.setdefault(artifact["file"], []).append((artifact["sha256"], file))
        names = ", ".join(sorted({artifact["file"] for artifact in artifacts})) or "none"
        for sdk in report["sdks"]:
            tested.setdefault(sdk["name"], []).append((names, file))
    for named, what in ((digests, "SHA-256 digests of"), (tested, "artifacts tested with")):
        for name, found in named.items():
            _same(f"{what} {name}", *zip(*found, strict=True))


def _artifacts(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the artifacts of all reports, each once."""
    every = [artifact for report in reports for artifact in report.get("artifacts", ())]
    return list({artifact["file"]: artifact for artifact in every}.values())


def missing_shards(reports: Sequence[dict[str, Any]]) -> str:
    """Return which shards of an SDK's run are not there, for a message; an empty string if all are."""
    found: dict[str, dict[int, set[int]]] = {}
    for report in reports:
        shard = report.get("shard") or {"index": 1, "of": 1}
        for sdk in report["sdks"]:
            found.setdefault(sdk["name"], {}).setdefault(int(shard["of"]), set()).add(
                int(shard["index"])
            )
    missing: dict[str, list[str]] = {}
    more = 0
    for sdk, divisions in found.items():
        for total, indices in divisions.items():
            absent = (index for index in range(1, total + 1) if index not in indices)
            named = list(itertools.islice(absent, _NAMED))
            more += total - len(indices) - len(named)
            for index in named:
                missing.setdefault(f"shard {index}/{total}", []).append(sdk)
    shards = [f"{shard} of {', '.join(sdks)}" for shard, sdks in missing.items()]
    return ", ".join(shards) + (f", and {more} more" if more else "")


def _same(what: str, values: Sequence[Any], files: Sequence[str]) -> None:
    """Check that a value is the same in all files.

    Raises:
        ValueError: It is not; the message says which files have which.
    """
    found: dict[str, list[str]] = {}
    for value, file in zip(values, files, strict=True):
        found.setdefault(str(value), []).append(file)
    if len(found) > 1:
        differing = [f"{value} ({', '.join(where)})" for value, where in found.items()]
        raise ValueError(f"the {what} differ: {', '.join(differing)}")


def _cells(reports: Sequence[dict[str, Any]], sdks: list[str]) -> list[dict[str, Any]]:
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        for cell in report["cells"]:
            key = (cell["scenario"], cell["sdk"])
            if key in cells:
                raise ValueError(f"two of them contain {key[0]} with {key[1]}")
            cells[key] = cell
    return [cells[key] for key in sorted(cells, key=lambda key: (key[0], sdks.index(key[1])))]
