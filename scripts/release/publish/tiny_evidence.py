"""Write the whole evidence of a rehearsal of tiny packages: every part is there, and leads to GO."""

from __future__ import annotations

import datetime as dt
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console

from scripts import ROOT
from scripts.fuzz.coverage import OWN_KEY, PHASES, operations
from scripts.fuzz.run import CONTRACT
from scripts.rehearsal import Rehearsal, Step
from scripts.release import evidence, sbom
from scripts.release.artifacts import sha256
from scripts.release.claims import PAGES
from scripts.release.npm.runtimes import sdks_of_release
from scripts.release.results import new_run
from scripts.release.steps import steps
from scripts.release.suite import conformance_figures
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.rehearsal import Figures
    from scripts.release.artifacts import Artifact
    from scripts.release.sbom import Facts

GATE = ROOT / "conformance" / "gate.yaml"
ADAPTERS = ROOT / "conformance" / "adapters" / "adapters.yaml"
OPERATIONS = len(operations(CONTRACT) - OWN_KEY)


def write(folder: Path, artifacts: Sequence[Artifact], version: str, commit: str) -> Path:
    """Write `evidence/` and `reports/` into a folder; return the path of `release.json`."""
    run = new_run()
    results, reports = folder / "evidence", folder / "reports"
    for each in (results, reports):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir(parents=True)
    figures: dict[str, Figures] = {"versions": {"version": version}, "fuzz": _fuzzed(results)}
    for step, name in {"conformance": "conformance", "engine_suite": "engine-suite"}.items():
        report = _report(artifacts, version, engine=step == "engine_suite")
        _keep(results / name / "conformance.json", report)
        figures[step] = conformance_figures(report, version)
    rehearsal = Rehearsal(Console(file=io.StringIO()))
    names = [each.name for each in steps(python_only=False)]
    rehearsal.steps = [Step(name, "passed", 0.0, 0.0, figures.get(name, {})) for name in names]
    path = results / "release.json"
    evidence.write(
        path,
        run=run,
        rehearsal=rehearsal,
        scope="everything",
        expected=names,
        version=version,
        git={"commit": commit, "dirty": False, "changed": []},
        artifacts=list(artifacts),
        reports=_pages(results, reports),
        sboms=_sboms(results, artifacts, version),
        environments={},
    )
    return path


def _pages(results: Path, reports: Path) -> list[dict[str, str]]:
    """Write the pages of the suites, and copy them to where readers look for them; return their hashes."""
    for shown, written in PAGES.items():
        page, copy = results / written, reports / shown
        page.write_text(f"<!DOCTYPE html><title>{written}</title>\n", "utf-8")
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(page, copy)
    return [{"file": each, "sha256": sha256(reports / each)} for each in PAGES]


def _keep(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), "utf-8")


def _fuzzed(results: Path) -> Figures:
    """Write the report of a fuzzer that has found nothing; return the figures of its step."""
    document = {
        "seed": 7,
        "complete": True,
        "exit_code": 0,
        "operations": {"tested": OPERATIONS},
        "phases": {name: {"status": "success"} for name in PHASES},
        "test_cases": {"generated": 100},
        "failures": [],
        "errors": [],
    }
    _keep(results / "fuzz" / "fuzz.json", document)
    return {"operations": OPERATIONS, "phases": 4, "checks": 15, "cases": 100, "seed": 7}


def _report(artifacts: Sequence[Artifact], version: str, *, engine: bool) -> dict[str, Any]:
    """Return the report of a run in which every scenario of the gate has passed."""
    column = "engine-local" if engine else "local"
    contracts = yaml.safe_load(GATE.read_text("utf-8"))["contracts"]
    contract = max(contracts, key=lambda each: [int(part) for part in each.split(".")])
    names = ["engine"] if engine else list(sdks_of_release(ADAPTERS, python_only=False))
    sdk = {"started": True, "version": version, "language": "-", "capabilities": []}
    cell = {"outcome": "passed", "reason": "", "lacks": []}
    checks = [{"id": "check", "outcome": "passed"}]
    return {
        "suite": "engine" if engine else "sdk",
        "started": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "target": {"name": "local", "remote": False},
        "sdks": [{"name": name, **sdk} for name in names],
        "scenarios": [{"id": name} for name in contracts[contract][column]],
        "cells": [
            {**cell, "scenario": scenario, "sdk": name, "checks": checks}
            for scenario in contracts[contract][column]
            for name in names
        ],
        "leftovers": {"left": [], "problems": []},
        "interrupted": False,
        "crash": None,
        "gate": {"verdict": "GO", "contract": contract, "column": column, "reasons": []},
        "artifacts": [{"file": each.path.name, "sha256": each.sha256} for each in artifacts],
    }


def _sboms(results: Path, artifacts: Sequence[Artifact], version: str) -> dict[str, Path]:
    written = {}
    for package in dict.fromkeys(each.package for each in artifacts):
        ours = [each for each in artifacts if each.package == package]
        kind = "npm" if package == NPM_NAME else "pypi"
        facts: Facts = {
            "time": 1_700_000_000,
            "package": {
                "purl": f"pkg:{kind}/{package.replace('@', '%40')}@{version}",
                "licenses": ["Apache-2.0"],
                "files": [
                    {"url": each.path.name, "algorithm": "SHA-256", "digest": each.sha256}
                    for each in ours
                ],
                "properties": [],
            },
            "dependencies": [],
            "graph": {},
        }
        written[package] = results / sbom.file_name(package)
        written[package].write_text(sbom.document(facts), "utf-8")
    return written
