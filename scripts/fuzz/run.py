"""Run Schemathesis against an engine, and return what it found."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
from typing import TYPE_CHECKING, Any

import yaml

from scripts import ROOT, processes
from scripts.fuzz.coverage import CHECKS, PHASES, operations, seen_in, untested
from scripts.fuzz.runs import prepare_prompts, prepare_runs
from scripts.rehearsal import describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scripts.engine import Engine
    from scripts.rehearsal import Figures

CONTRACT = ROOT / "openapi" / "arcrun.yaml"
LIVE_SAFE = ROOT / "conformance" / "live-safe.yaml"
SHOWN_LINES, SHOWN_COLUMNS = 80, 2000
# Two accounts that must not see each other's data: the check `object_level_authorization`.
ACCOUNTS: tuple[str, str] = ("owner", "stranger")
SETTINGS = {"ARCRUN_SERVER_METRICS_TOKEN": secrets.token_hex(16)}
"""What the engine needs in its environment."""


class FuzzFailed(Exception):
    """The engine broke the contract, or not everything was tested."""


def fuzz(engine: Engine, *, work: Path, report: Path, seed: int) -> Figures:
    """Fuzz the reference engine with every phase and every check; return the figures.

    Args:
        engine: The running engine, with `SETTINGS`.
        work: A private folder, which has the keys in a file while the fuzzer runs.
        report: A folder for the fuzzer's own reports.
        seed: The same seed generates the same requests.

    Raises:
        FuzzFailed: Something was found, or an operation, phase or check did not run.
    """
    keys = dict(zip(ACCOUNTS, engine.keys, strict=True))
    options = ["--config-file", str(ROOT / "schemathesis.toml")]
    prepare_prompts(engine)
    found = _schemathesis(
        *(options, [], engine.url, keys),
        work=work,
        report=report,
        seed=seed,
        variables={
            "ARCRUN_FUZZ_RUN": prepare_runs(engine),
            "ARCRUN_FUZZ_METRICS_TOKEN": SETTINGS["ARCRUN_SERVER_METRICS_TOKEN"],
        },
    )
    if found:
        raise FuzzFailed(f"{found}\nrepeat it with: nox -s fuzz -- --seed {seed}")
    document = json.loads((report / "fuzz.json").read_text("utf-8"))
    if gaps := untested(document, operations(CONTRACT), seen_in(work / "events.ndjson")):
        raise FuzzFailed("not everything was tested:\n" + "\n".join(f"  {gap}" for gap in gaps))
    return {
        "operations": document["operations"]["tested"],
        "phases": len(PHASES),
        "checks": len(CHECKS),
        "cases": document["test_cases"]["generated"],
        "seed": seed,
    }


def fuzz_other(url: str, key: str, *, work: Path, report: Path, seed: int) -> str:
    """Fuzz another engine with operations that are safe there; return its deviations as text.

    Safe are the operations that `conformance/live-safe.yaml` allows for any name, with the methods
    that the contract defines for them and no others.
    """
    options = ["--config-file", str(ROOT / "schemathesis-live.toml")]
    selection = [part for name in safe_operations() for part in ("--include-operation-id", name)]
    keys = {ACCOUNTS[0]: key}
    return _schemathesis(options, selection, url, keys, work=work, report=report, seed=seed)


def _schemathesis(
    options: list[str],
    selection: list[str],
    url: str,
    keys: dict[str, str],
    *,
    work: Path,
    report: Path,
    seed: int,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run Schemathesis; return what it found, each with a curl command, or an empty text."""
    accounts = work / "accounts.json"
    accounts.touch(mode=0o600)
    accounts.write_text(json.dumps(_accounts(keys)), "utf-8")
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir(parents=True)
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", *options]
    command += ["run", str(CONTRACT), *selection, "--url", url, "--seed", str(seed)]
    command += ["--report", "ndjson,json,junit"]
    command += ["--report-ndjson-path", str(work / "events.ndjson")]
    command += ["--report-json-path", str(report / "fuzz.json")]
    command += ["--report-junit-path", str(report / "junit.xml")]
    env = {
        "ARCRUN_FUZZ_ACCOUNTS": str(accounts),
        "PYTHONPATH": str(ROOT),
        **(variables or {}),
    }
    try:
        processes.run(command, log=report / "fuzz.log", env=env, cwd=work)
    except processes.CommandFailed as error:
        return findings(error.log.read_text("utf-8", "replace")) or describe(error)
    finally:
        accounts.unlink()
    return ""


def findings(log: str) -> str:
    """Return the part of the fuzzer's log that lists what was found, with a curl command each."""
    found = re.search(
        r"^=+ FAILURES =+$(.*?)^=+ (?:WARNINGS|SUMMARY) =+$", log, re.MULTILINE | re.DOTALL
    )
    lines = found[1].strip().splitlines() if found else []
    more = f"\n… and {len(lines) - SHOWN_LINES} lines more" if len(lines) > SHOWN_LINES else ""
    return "\n".join(line[:SHOWN_COLUMNS] for line in lines[:SHOWN_LINES]) + more


def safe_operations() -> list[str]:
    """Return the ids of the operations that are safe to send to another engine."""
    entries = yaml.safe_load(LIVE_SAFE.read_text("utf-8"))["operations"]
    free = [entry for entry in entries if "own" not in entry]
    document = yaml.safe_load(CONTRACT.read_text("utf-8"))
    return [
        operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if any(
            entry["method"] == method.upper()
            and re.search(entry["path"], re.sub(r"\{\w+\}", "x", path))
            for entry in free
        )
    ]


def _accounts(keys: dict[str, str]) -> dict[str, Any]:
    return {
        "auth": [
            {"name": name, "fixedHeaders": [{"name": "X-Arcrun-API-Key", "value": key}]}
            for name, key in keys.items()
        ]
    }
