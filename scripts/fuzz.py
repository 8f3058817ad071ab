"""Fuzz an engine against the contract with Schemathesis, and hold it to having really tested.

`python -m scripts.fuzz` starts the engine that is installed beside it; `schemathesis.toml` says how it is tested.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from scripts import ROOT, processes
from scripts.engine import Engine, engine_with_accounts
from scripts.rehearsal import describe

if TYPE_CHECKING:
    from scripts.rehearsal import Figures

CONTRACT = ROOT / "openapi" / "arcrun.yaml"
LIVE_SAFE = ROOT / "conformance" / "live-safe.yaml"
SHOWN_LINES, SHOWN_COLUMNS = 80, 2000
PHASES = ("examples", "coverage", "fuzzing", "stateful")
CHECKS = frozenset(
    {
        "allow_header_conformance",
        "content_type_conformance",
        "ensure_resource_availability",
        "ignored_auth",
        "missing_required_header",
        "negative_data_rejection",
        "not_a_server_error",
        "object_level_authorization",
        "only_meaning_is_refused",
        "positive_data_acceptance",
        "response_headers_conformance",
        "response_schema_conformance",
        "status_code_conformance",
        "unsupported_method",
        "use_after_free",
    }
)


# The two accounts must never see each other's things: the check `object_level_authorization`.
ACCOUNTS: tuple[str, str] = ("owner", "stranger")


class FuzzFailed(Exception):
    """The engine broke the contract, or some of it was not tested."""


def fuzz(engine: Engine, *, work: Path, report: Path, seed: int) -> Figures:
    """Fuzz an engine of ours with every phase and every check; return the figures.

    Args:
        engine: Where it listens, and the keys of two accounts.
        work: A private folder: the keys are in a file there while the fuzzer runs.
        report: A folder for the fuzzer's own reports.
        seed: Decides what is generated; the same seed repeats a run.

    Raises:
        FuzzFailed: Something was found, or an operation, phase or check did not run.
    """
    keys = dict(zip(ACCOUNTS, engine.keys, strict=True))
    options = ["--config-file", str(ROOT / "schemathesis.toml")]
    found = _schemathesis(options, [], engine.url, keys, work=work, report=report, seed=seed)
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
    """Fuzz somebody else's engine with what is safe to send there; return its deviations as text.

    Only operations that `conformance/live-safe.yaml` lists without a name of the run's own are
    asked, by the methods that the contract gives them and by no other.
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
) -> str:
    """Run Schemathesis; return what it found, each with a curl line, or nothing."""
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
    env = {"ARCRUN_FUZZ_ACCOUNTS": str(accounts), "PYTHONPATH": str(ROOT)}
    try:
        processes.run(command, log=report / "fuzz.log", env=env, cwd=work)
    except processes.CommandFailed as error:
        return findings(error.log.read_text("utf-8", "replace")) or describe(error)
    finally:
        accounts.unlink()
    return ""


def findings(log: str) -> str:
    """Cut what was found, with the request of each as a curl line, out of the fuzzer's log."""
    found = re.search(
        r"^=+ FAILURES =+$(.*?)^=+ (?:WARNINGS|SUMMARY) =+$", log, re.MULTILINE | re.DOTALL
    )
    lines = found[1].strip().splitlines() if found else []
    more = f"\n… and {len(lines) - SHOWN_LINES} lines more" if len(lines) > SHOWN_LINES else ""
    return "\n".join(line[:SHOWN_COLUMNS] for line in lines[:SHOWN_LINES]) + more


def safe_operations() -> list[str]:
    """Return the ids of the operations that are safe to send to an engine that is not ours."""
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


def untested(document: dict[str, Any], expected: set[str], seen: Seen) -> list[str]:
    """List what a run of the fuzzer left out, from its own JSON report.

    Args:
        document: The report.
        expected: The operations of the contract.
        seen: What its event log shows.
    """
    gaps = [] if document["complete"] else [f"the run stopped early: {document['stop_reason']}"]
    gaps += [
        f"phase {phase}: {document['phases'].get(phase, {}).get('status', 'did not run')}"
        for phase in PHASES
        if document["phases"].get(phase, {}).get("status") != "success"
    ]
    gaps += [f"check {name} judged nothing" for name in sorted(CHECKS - seen.checks)]
    tested = document["operations"]["tested"]
    if tested != len(expected):
        gaps.append(f"{tested} of {len(expected)} operations were tested")
    missing = sorted(expected - seen.accepted)
    return gaps + [f"{name}: no request was accepted" for name in missing]


@dataclass
class Seen:
    """What an event log of the fuzzer shows.

    Attributes:
        checks: The checks that judged at least one answer.
        accepted: The operations, each as `METHOD /path`, that answered 2xx at least once.
    """

    checks: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)


def seen_in(events: Path) -> Seen:
    """Read an event log of the fuzzer, a JSON document a line."""
    seen = Seen()
    with events.open(encoding="utf-8") as lines:
        for line in lines:
            finished = json.loads(line).get("ScenarioFinished")
            if finished:
                _add_scenario(seen, finished["recorder"])
    return seen


def _add_scenario(seen: Seen, recorder: dict[str, Any]) -> None:
    for checks in recorder.get("checks", {}).values():
        seen.checks |= {check["name"] for check in checks}
    for case, interaction in recorder.get("interactions", {}).items():
        status = (interaction.get("response") or {}).get("status_code", 0)
        if 200 <= status < 300:
            sent = recorder["cases"][case]["value"]
            seen.accepted.add(f"{sent['method'].upper()} {sent['path']}")


def _accounts(keys: dict[str, str]) -> dict[str, Any]:
    return {
        "auth": [
            {"name": name, "fixedHeaders": [{"name": "X-Arcrun-API-Key", "value": key}]}
            for name, key in keys.items()
        ]
    }


def operations(contract: Path) -> set[str]:
    """Return the operations of a contract, each as `METHOD /path`."""
    document = yaml.safe_load(contract.read_text("utf-8"))
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    return {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in methods & set(item)
    }


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the engine that is installed beside us, or another one; print what was found."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeats a run; a new one by default")
    parser.add_argument("--target", help="another engine's URL: safe operations only")
    parser.add_argument("--api-key", default=os.environ.get("ARCRUN_API_KEY"), help="its key")
    parser.add_argument("--strict", action="store_true", help="deviations of a target fail the run")
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    report = ROOT / "reports" / "fuzz"
    with tempfile.TemporaryDirectory(prefix="arcrun-fuzz-") as work:
        if options.target:
            if not options.api_key:
                parser.error("--target needs --api-key, or ARCRUN_API_KEY in the environment")
            return _fuzz_target(options, Path(work), report, seed)
        return _fuzz_ours(Path(work), report, seed)


def _fuzz_ours(work: Path, report: Path, seed: int) -> int:
    with engine_with_accounts(Path(sys.executable), work / "data", work / "engine.log") as running:
        try:
            figures = fuzz(running, work=work, report=report, seed=seed)
        except FuzzFailed as problem:
            print(problem, file=sys.stderr)
            return 1
    print("fuzzed:", ", ".join(f"{value} {name}" for name, value in figures.items()))
    return 0


def _fuzz_target(options: argparse.Namespace, work: Path, report: Path, seed: int) -> int:
    found = fuzz_other(options.target, options.api_key, work=work, report=report, seed=seed)
    print(found or f"{options.target} deviates nowhere, in {len(safe_operations())} operations")
    print(f"seed {seed}; the whole log: {report / 'fuzz.log'}")
    return 1 if found and options.strict else 0


if __name__ == "__main__":
    raise SystemExit(main())
