"""Fuzz an engine against the contract with Schemathesis, and hold it to having really tested.

`python -m scripts.fuzz` starts the engine that is installed beside it; `schemathesis.toml` says how it is tested.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path

from scripts import ROOT
from scripts.engine import engine_with_accounts
from scripts.fuzz.run import FuzzFailed, fuzz, fuzz_other, safe_operations


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
