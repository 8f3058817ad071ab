"""Fuzz an engine against the contract with Schemathesis, and hold it to having really tested.

`python -m scripts.fuzz` starts the engine that is installed beside it; `schemathesis.toml` says how it is tested.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from scripts import processes
from scripts.engine_process import Engine, engine_with_accounts
from scripts.steps import describe

if TYPE_CHECKING:
    from scripts.steps import Figures

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "openapi" / "arcrun.yaml"
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
ACCOUNTS = ("owner", "stranger")


class FuzzFailed(Exception):
    """The engine broke the contract, or some of it was not tested."""


def fuzz(engine: Engine, *, work: Path, report: Path, seed: int) -> Figures:
    """Fuzz a running engine with every phase and every check; return the figures.

    Args:
        engine: Where it listens, and the keys of two accounts.
        work: A private folder: the keys are in a file there while the fuzzer runs.
        report: A folder for the fuzzer's own reports.
        seed: Decides what is generated; the same seed repeats a run.

    Raises:
        FuzzFailed: Something was found, or an operation, phase or check did not run.
    """
    accounts = work / "accounts.json"
    accounts.touch(mode=0o600)
    accounts.write_text(json.dumps(_accounts(engine.keys)), "utf-8")
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir(parents=True)
    events, summary, log = work / "events.ndjson", report / "fuzz.json", report / "fuzz.log"
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    command += ["--config-file", str(ROOT / "schemathesis.toml"), "run", str(CONTRACT)]
    command += ["--url", engine.url, "--seed", str(seed), "--report", "ndjson,json,junit"]
    command += ["--report-ndjson-path", str(events), "--report-json-path", str(summary)]
    command += ["--report-junit-path", str(report / "junit.xml")]
    env = {"ARCRUN_FUZZ_ACCOUNTS": str(accounts), "PYTHONPATH": str(ROOT)}
    try:
        processes.run(command, log=log, env=env, cwd=work)
    except processes.CommandFailed as error:
        told = f"{describe(error)}\nrepeat it with: nox -s fuzz -- --seed {seed}"
        raise FuzzFailed(told) from error
    finally:
        accounts.unlink()
    document = json.loads(summary.read_text("utf-8"))
    if gaps := untested(document, operations(CONTRACT), seen_in(events)):
        raise FuzzFailed("not everything was tested:\n" + "\n".join(f"  {gap}" for gap in gaps))
    return {
        "operations": document["operations"]["tested"],
        "phases": len(PHASES),
        "checks": len(CHECKS),
        "cases": document["test_cases"]["generated"],
        "seed": seed,
    }


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


def _accounts(keys: tuple[str, str]) -> dict[str, Any]:
    return {
        "auth": [
            {"name": name, "fixedHeaders": [{"name": "X-Arcrun-API-Key", "value": key}]}
            for name, key in zip(ACCOUNTS, keys, strict=True)
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
    """Start the engine that is installed beside us, fuzz it, print the figures."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeats a run; a new one by default")
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    report = ROOT / "reports" / "fuzz"
    with tempfile.TemporaryDirectory(prefix="arcrun-fuzz-") as work:
        private = Path(work)
        with engine_with_accounts(
            Path(sys.executable), private / "data", private / "engine.log"
        ) as running:
            try:
                figures = fuzz(running, work=private, report=report, seed=seed)
            except FuzzFailed as problem:
                print(problem, file=sys.stderr)
                return 1
    print("fuzzed:", ", ".join(f"{value} {name}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
