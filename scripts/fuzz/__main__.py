"""Fuzz an engine against the contract with Schemathesis, and check that everything was tested.

`nox -s fuzz` starts the engine of this checkout; `schemathesis.toml` configures the tests. With
`--target URL` it sends another engine the operations that are safe there. With `--cost` it measures what growing requests cost.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

from scripts import ROOT, processes
from scripts.console import exit_code
from scripts.engine import engine_with_accounts
from scripts.fuzz import cost, cost_watchdog
from scripts.fuzz.run import SETTINGS, FuzzFailed, fuzz, fuzz_other, safe_operations


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the installed engine, or another one; print what was found."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat the run with this seed")
    parser.add_argument("--target", help="the URL of another engine: only safe operations")
    parser.add_argument(
        "--api-key",
        default=os.environ.get("ARCRUN_API_KEY"),
        help="the API key for --target (default: ARCRUN_API_KEY)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="fail if the target deviates from the contract"
    )
    parser.add_argument(
        "--cost",
        nargs="?",
        const="",
        metavar="CASE",
        help="measure what growing requests cost, instead; only the cases with CASE in their name",
    )
    options = parser.parse_args(arguments)
    processes.interrupt_on_signals()
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    report = ROOT / "reports" / "fuzz"
    with processes.temporary_folder("arcrun-fuzz-") as work:
        if options.target:
            if not options.api_key:
                parser.error("--target needs an API key: set ARCRUN_API_KEY")
            return _fuzz_target(options, work, report, seed)
        if options.cost is not None:
            return _measure_cost(work, options.cost)
        return _fuzz_ours(work, report, seed)


def _measure_cost(work: Path, only: str) -> int:
    python = Path(sys.executable)
    findings = cost_watchdog.Findings(work / "findings")
    watched = (cost_watchdog.__file__, str(findings.path))
    with (
        engine_with_accounts(python, work / "data", work / "engine.log", watched) as engine,
        engine_with_accounts(python, work / "idle", work / "idle.log") as idle,
    ):
        costs = cost.measure(engine, idle, findings, only)
    print(cost.table(costs))
    found = cost.problems(costs)
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


def _fuzz_ours(work: Path, report: Path, seed: int) -> int:
    with engine_with_accounts(
        Path(sys.executable), work / "data", work / "engine.log", settings=SETTINGS
    ) as running:
        try:
            figures = fuzz(running, work=work, report=report, seed=seed)
        except FuzzFailed as problem:
            print(problem, file=sys.stderr)
            return 1
    print("fuzzed:", ", ".join(f"{value} {name}" for name, value in figures.items()))
    return 0


def _fuzz_target(options: argparse.Namespace, work: Path, report: Path, seed: int) -> int:
    found = fuzz_other(options.target, options.api_key, work=work, report=report, seed=seed)
    print(found or f"{options.target} has no deviations in {len(safe_operations())} operations")
    print(f"seed {seed}; full log: {report / 'fuzz.log'}")
    return 1 if found and options.strict else 0


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
